public import MienCore
public import MienONNX

/// What one forward pass needs to know besides its input: nothing about training is ambient.
@TorchActor public final class ForwardPass {
  /// Whether batch statistics are taken, and dropout and the like are active.
  public let isTraining: Bool
  /// The source of the randomness in layers: dropout, stochastic depth, fractional pooling.
  public var random: SeededRandom
  /// Is told the weights of each convolution, linear layer and batch norm and what the layer reads, before it does.
  public var observer: (@TorchActor (_ weight: Parameter, _ input: Tensor) throws -> Void)?

  /// A pass for training whose randomness is that of `seed`.
  public static func training(seed: UInt64) -> ForwardPass { ForwardPass(isTraining: true, seed: seed) }
  /// A pass for measuring: running statistics, nothing random.
  public static var inference: ForwardPass { ForwardPass(isTraining: false, seed: 0) }

  private init(isTraining: Bool, seed: UInt64) {
    self.isTraining = isTraining
    random = SeededRandom(seed: seed)
  }
}

/// A tensor that training changes. Its name in files is the path of properties that leads to it.
@TorchActor public final class Parameter {
  /// The values.
  public let value: Tensor
  /// Whether weight decay applies: to weights, not to biases and normalisation.
  public let decays: Bool
  /// λ of a penalty `λ * sum(w * w)` on this tensor alone, added to the loss: its gradient is `2 λ w`. At least 0.
  public let l2: Double

  /// Wraps `value`, which then collects gradients.
  public init(_ value: Tensor, decays: Bool, l2: Double = 0) throws {
    try value.requireGradientInPlace()
    self.value = value
    self.decays = decays
    self.l2 = l2
  }
}

/// A tensor that belongs to a layer's state and is not trained, such as running statistics.
@TorchActor public final class Buffer {
  /// The values.
  public let value: Tensor

  /// Wraps `value`.
  public init(_ value: Tensor) { self.value = value }
}

/// A differentiable function with parameters, and its form in ONNX. Shapes stand in each layer's documentation.
///
/// A network may have layers of your own. Keep each ``Parameter``, ``Buffer`` and inner layer in a stored property:
/// training, checkpoints and export find them there, by name.
@TorchActor public protocol Layer: AnyObject {
  /// The layer's output for `input`.
  func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor

  /// Adds the nodes that compute what the layer computes at inference.
  ///
  /// - Parameters:
  ///   - input: the name of the value that the layer reads.
  ///   - path: the layer's property path, `trunk.layers.3`. Name constants after it and after the property that holds
  ///     them, `trunk.layers.3.weight`: `mien train --init MODEL.onnx` finds them by that name.
  /// - Returns: the name of the value that the layer makes.
  /// - Throws: ``MienCore/MienError`` if the layer has no ONNX form.
  func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String
}

/// Anything with parameters, found by the paths of stored properties (`trunk.layers.0.weight`).
@TorchActor public enum Parameters {
  /// The parameters and buffers below `root`, by dotted path, in order of declaration.
  public static func state(of root: AnyObject) -> [(name: String, item: StateItem)] {
    var found: [(String, StateItem)] = []
    visit(root, path: "") { path, object in
      switch object {
      case let parameter as Parameter: found.append((path, .parameter(parameter)))
      case let buffer as Buffer: found.append((path, .buffer(buffer)))
      default: break
      }
    }
    return found
  }

  /// The batch norms below `root`, by dotted path, in order of declaration.
  public static func batchNorms(of root: AnyObject) -> [(name: String, layer: BatchNorm)] {
    var found: [(String, BatchNorm)] = []
    visit(root, path: "") { path, object in
      if let layer = object as? BatchNorm { found.append((path, layer)) }
    }
    return found
  }

  /// A parameter or a buffer.
  public enum StateItem {
    case parameter(Parameter)
    case buffer(Buffer)

    /// Its values.
    @TorchActor public var value: Tensor {
      switch self {
      case .parameter(let parameter): parameter.value
      case .buffer(let buffer): buffer.value
      }
    }
  }

  /// Calls `body` for `object` and for the layers, parameters and buffers below it.
  private static func visit(_ object: Any, path: String, _ body: (String, Any) -> Void) {
    body(path, object)
    if object is Parameter || object is Buffer { return }
    for (index, child) in Mirror(reflecting: object).children.enumerated() {
      let mirror = Mirror(reflecting: child.value)
      let isContainer = mirror.displayStyle == .collection || mirror.displayStyle == .optional
      guard child.value is any Layer || child.value is Parameter || child.value is Buffer || isContainer else {
        continue
      }
      let name = child.label ?? String(index)
      let isWrapper = mirror.displayStyle == .optional || Mirror(reflecting: object).displayStyle == .optional
      visit(child.value, path: isWrapper && child.label == "some" ? path : join(path, name), body)
    }
  }

  private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
