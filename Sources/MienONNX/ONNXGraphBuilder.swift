import Foundation
public import MienCore

/// Builds an ONNX graph node by node: IR version 8, operator set 17, weights as 32-bit floats.
///
/// Values are wired by name. ``constant(_:shape:values:)`` and ``node(_:_:attributes:output:)`` return the name of what
/// they add; ``model(card:)`` checks the graph as a whole.
///
/// ```swift
/// var graph = ONNXGraphBuilder(name: "tiny")
/// graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
/// let flat = graph.node("Flatten", ["faces"], attributes: ["axis": .int(1)])
/// let weight = try graph.constant("head.weight", shape: [8, 48 * 48], values: weights)
/// let logits = graph.node("Gemm", [flat, weight], attributes: ["transB": .int(1)])
/// let probabilities = graph.node("Softmax", [logits], attributes: ["axis": .int(1)])
/// graph.output("ferplus", from: probabilities, shape: [.dynamic("N"), .fixed(8)])
/// let model = try graph.model(card: card)
/// ```
public struct ONNXGraphBuilder: Sendable {
  /// A size along one axis.
  public typealias Dimension = ONNXModel.Dimension

  /// A setting of a node.
  public enum Attribute: Sendable, Hashable {
    /// One integer, as `axis`.
    case int(Int)
    /// Several integers, as `kernel_shape`.
    case ints([Int])
    /// One number, as `epsilon`.
    case float(Float)
    /// Several numbers.
    case floats([Float])
    /// A word, as `auto_pad`.
    case string(String)
  }

  /// The version of ONNX's operators that nodes speak.
  public static let operatorSet = 17
  /// The version of the file format.
  public static let irVersion = 8

  private var graph = Onnx_GraphProto()
  private var names: Set<String> = []
  private var counters: [String: Int] = [:]
  private var firstProblem: MienError?

  /// Starts a graph called `name`.
  public init(name: String) { graph.name = name }

  /// Adds an input of 32-bit floats.
  public mutating func input(_ name: String, shape: [Dimension]) {
    claim(name)
    graph.input.append(Self.valueInfo(name, shape))
  }

  /// Adds a constant of 32-bit floats, row-major.
  ///
  /// - Returns: `name`.
  /// - Throws: ``MienError`` where the count of values is not what `shape` takes, or the name is taken.
  @discardableResult
  public mutating func constant(_ name: String, shape: [Int], values: [Float]) throws -> String {
    try addConstant(name, .float, shape: shape, words: values.map(\.bitPattern.littleEndian))
  }

  /// Adds a constant of 64-bit integers, row-major: shapes, axes, indices.
  ///
  /// - Returns: `name`.
  /// - Throws: ``MienError`` where the count of values is not what `shape` takes, or the name is taken.
  @discardableResult
  public mutating func constant(_ name: String, shape: [Int], integers: [Int64]) throws -> String {
    try addConstant(name, .int64, shape: shape, words: integers.map(\.littleEndian))
  }

  /// Adds a node of one output.
  ///
  /// - Parameters:
  ///   - op: the operator's name, as `Conv`.
  ///   - inputs: names of values; an empty name leaves an optional input out.
  ///   - output: the output's name; nil for one made of the operator's name and a number, as `conv_3`.
  /// - Returns: the output's name.
  public mutating func node(
    _ op: String, _ inputs: [String], attributes: [String: Attribute] = [:], output: String? = nil
  ) -> String {
    let name = output ?? freshName(op.lowercased())
    for input in inputs where !input.isEmpty && !names.contains(input) {
      note(MienError(.argument, graph.name, "\(op) \(name) reads \(input), which is not defined before it"))
    }
    claim(name)
    graph.node.append(Onnx_NodeProto(op, inputs, output: name, attributes: attributes))
    return name
  }

  /// Makes `value` the graph's output `name`. A node's output is renamed; an input, a constant or what already is an
  /// output gets an Identity node.
  public mutating func output(_ name: String, from value: String, shape: [Dimension]) {
    guard names.contains(value) else {
      return note(MienError(.argument, graph.name, "output \(name) is to come from \(value), which is not defined"))
    }
    if name != value {
      let isOutput = graph.output.contains { $0.name == value }
      if !isOutput, let producer = graph.node.firstIndex(where: { $0.output == [value] }) {
        claim(name)
        names.remove(value)
        graph.node[producer].output = [name]
        for index in graph.node.indices {
          graph.node[index].input = graph.node[index].input.map { $0 == value ? name : $0 }
        }
      } else {
        _ = node("Identity", [value], output: name)
      }
    } else if !graph.node.contains(where: { $0.output == [value] }) {
      note(MienError(.argument, graph.name, "output \(name) has the name of an input or a constant"))
    }
    graph.output.append(Self.valueInfo(name, shape))
  }

  /// Checks the graph and puts `card`, with its hash filled in, beside it.
  ///
  /// - Throws: ``MienError`` where a name is used twice or read before it is defined, there is no input or output, or
  ///   the card names an output that the graph lacks.
  public func model(card: ModelCard) throws -> ONNXModel {
    if let firstProblem { throw firstProblem }
    guard !graph.input.isEmpty, !graph.node.isEmpty, !graph.output.isEmpty else {
      throw MienError(.argument, graph.name, "a graph needs at least one input, node and output")
    }
    guard Set(graph.output.map(\.name)).count == graph.output.count else {
      throw MienError(.argument, graph.name, "two outputs have the same name")
    }
    let message = Onnx_ModelProto.with {
      $0.irVersion = Int64(Self.irVersion)
      $0.producerName = "mien"
      $0.producerVersion = MienVersion.number
      $0.opsetImport = [.with { $0.version = Int64(Self.operatorSet) }]
      $0.graph = graph
    }
    return try ONNXModel(message: message).replacingCard(card)
  }

  private mutating func addConstant<Word: BitwiseCopyable>(
    _ name: String, _ type: Onnx_TensorProto.DataType, shape: [Int], words: [Word]
  ) throws -> String {
    guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1.0, { $0 * Double($1) }) == Double(words.count) else {
      throw MienError(.mismatch, name, "\(words.count) values do not fill a constant of shape \(shape)")
    }
    guard !names.contains(name) else { throw MienError(.argument, name, "the graph has this name already") }
    claim(name)
    graph.initializer.append(Onnx_TensorProto(name, type, shape: shape, words: words))
    return name
  }

  private mutating func claim(_ name: String) {
    if name.isEmpty || !names.insert(name).inserted {
      note(MienError(.argument, graph.name, "the name \"\(name)\" is empty or used twice"))
    }
  }

  private mutating func note(_ problem: MienError) { firstProblem = firstProblem ?? problem }

  private mutating func freshName(_ stem: String) -> String {
    while true {
      counters[stem, default: 0] += 1
      let name = "\(stem)_\(counters[stem, default: 0])"
      if !names.contains(name) { return name }
    }
  }

  private static func valueInfo(_ name: String, _ shape: [Dimension]) -> Onnx_ValueInfoProto {
    .with {
      $0.name = name
      $0.type.tensorType.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
      $0.type.tensorType.shape.dim = shape.map { dimension in
        .with {
          switch dimension {
          case .fixed(let size): $0.dimValue = Int64(size)
          case .dynamic(let name): $0.dimParam = name
          }
        }
      }
    }
  }
}

extension Onnx_TensorProto {
  /// A constant of little-endian words, as many as `shape` takes.
  init<Word: BitwiseCopyable>(_ name: String, _ type: DataType, shape: [Int], words: [Word]) {
    self.init()
    self.name = name
    dataType = Int32(type.rawValue)
    dims = shape.map(Int64.init)
    rawData = words.withUnsafeBytes { Data($0) }
  }
}

extension Onnx_NodeProto {
  /// A node of one output, whose name it has.
  init(
    _ op: String, _ inputs: [String], output: String, attributes: [String: ONNXGraphBuilder.Attribute] = [:]
  ) {
    self.init()
    opType = op
    name = output
    input = inputs
    self.output = [output]
    // Sorted, so that equal graphs are equal bytes.
    attribute = attributes.sorted { $0.key < $1.key }.map(Self.attribute)
  }

  private static func attribute(_ name: String, _ value: ONNXGraphBuilder.Attribute) -> Onnx_AttributeProto {
    .with {
      $0.name = name
      switch value {
      case .int(let value):
        $0.type = .int
        $0.i = Int64(value)
      case .ints(let values):
        $0.type = .ints
        $0.ints = values.map(Int64.init)
      case .float(let value):
        $0.type = .float
        $0.f = value
      case .floats(let values):
        $0.type = .floats
        $0.floats = values
      case .string(let value):
        $0.type = .string
        $0.s = Data(value.utf8)
      }
    }
  }
}
