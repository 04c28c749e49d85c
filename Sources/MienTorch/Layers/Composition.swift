import CTorch
public import MienCore

/// Layers one after another.
@TorchActor public final class Sequential: Layer {
  /// The layers in order.
  public let layers: [any Layer]

  /// Chains `layers`.
  public init(_ layers: [any Layer]) { self.layers = layers }

  /// Runs the layers in order.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try layers.reduce(input) { try $1($0, pass) }
  }
}

/// `relu(body(x) + shortcut(x))` (He et al. 2016); the shortcut is the identity where none is given.
///
/// With stochastic depth (Huang et al. 2016), training leaves the body's result out with a probability, for each sample
/// of the batch on its own, and divides what it keeps by the complement, so that inference needs no scaling.
///
/// The body must end in batch norm or a product, whose output the sum overwrites.
@TorchActor public final class Residual: Layer {
  /// The branch with the work.
  public let body: Sequential
  /// What makes the input's shape fit, where it changes.
  public let shortcut: Sequential?
  /// The probability that training leaves the body out, 0..<1.
  public let dropProbability: Double

  /// Joins the two branches.
  public init(_ body: Sequential, shortcut: Sequential? = nil, dropProbability: Double = 0) {
    self.body = body
    self.shortcut = shortcut
    self.dropProbability = dropProbability
  }

  /// Runs both branches and joins them.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let straight = try shortcut?(input, pass) ?? input
    var bent = try body(input, pass)
    if pass.isTraining, dropProbability > 0 {
      let shape = try bent.shape
      let keep = Float(1 / (1 - dropProbability))
      let factors = (0..<shape[0]).map { _ in Double(pass.random.uniform()) < dropProbability ? 0 : keep }
      let factorShape = [shape[0]] + shape.dropFirst().map { _ in 1 }
      bent = try bent.multiplied(by: Tensor(factors, shape: factorShape).cast(to: bent.type))
    }
    return try Tensor.make { mien_torch_add_relu_inplace(bent.handle, straight.handle, $0, $1) }
  }
}

/// Channel attention (Hu et al. 2018): `x * sigmoid(expand(relu(reduce(mean(x)))))`, `[N, C, H, W]` to the same.
@TorchActor public final class SqueezeExcite: Layer {
  /// `C` to `C / reduction`.
  public let reduce: Linear
  /// Back to `C`.
  public let expand: Linear

  /// Attention over `channels` channels.
  public init(_ channels: Int, reduction: Int = 8, random: inout SeededRandom) throws {
    let inner = max(4, channels / reduction)
    reduce = try Linear(channels, inner, random: &random)
    expand = try Linear(inner, channels, random: &random)
  }

  /// Scales the channels of `[N, C, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let shape = try input.shape
    let gate = try expand(reduce(input.mean([2, 3]), pass).relu(), pass).sigmoid()
    return try input.multiplied(by: gate.reshaped([shape[0], shape[1], 1, 1]))
  }
}
