import Foundation
public import MienCore

/// The last layer of one probability output: `softmax(weights * embedding + biases)`, with the temperature inside.
public struct LinearHead: Sendable, Equatable {
  /// The meaning of the outputs.
  public let labels: LabelSet
  /// The length D of an embedding.
  public let width: Int
  /// [K, D] row-major, K the number of `labels`.
  public let weights: [Float]
  /// [K]
  public let biases: [Float]

  /// Puts a head together.
  ///
  /// - Throws: ``MienError`` where sizes do not fit or a number is not finite.
  public init(labels: LabelSet, width: Int, weights: [Float], biases: [Float]) throws {
    guard width > 0, weights.count == labels.count * width, biases.count == labels.count else {
      throw MienError(
        .mismatch, labels.name,
        "expected \(labels.count) x \(width) weights and \(labels.count) biases, found \(weights.count) and "
          + "\(biases.count)")
    }
    guard weights.allSatisfy(\.isFinite), biases.allSatisfy(\.isFinite) else {
      throw MienError(.format, labels.name, "the last layer holds numbers that are not finite")
    }
    self.labels = labels
    self.width = width
    self.weights = weights
    self.biases = biases
  }

  /// The logits of one embedding, [K].
  ///
  /// - Throws: ``MienError`` where the embedding has another length than ``width``.
  public func logits(_ embedding: some Collection<Float>) throws -> [Float] {
    let input = Array(embedding)
    guard input.count == width else {
      throw MienError(.mismatch, labels.name, "the last layer reads \(width) numbers, found \(input.count)")
    }
    return biases.indices.map { output in
      var sum = biases[output]
      for index in 0..<width { sum += weights[output * width + index] * input[index] }
      return sum
    }
  }

  /// The probabilities of one embedding, [K]; each 0…1, their sum 1.
  ///
  /// - Throws: ``MienError`` as ``logits(_:)``.
  public func probabilities(_ embedding: some Collection<Float>) throws -> [Float] {
    let logits = try logits(embedding)
    let highest = logits.max() ?? 0
    let powers = logits.map { Float(exp(Double($0 - highest))) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}

extension ONNXModel {
  /// The name of the output that heads read.
  public static let embeddingName = "embedding"

  /// The last layer behind the output that `labels` names, read out of the graph: a linear layer (`Gemm`, or `MatMul`
  /// and `Add`) on the output `embedding`, then a temperature (`Div` or `Mul` by one number) where there is one, then
  /// `Softmax`.
  ///
  /// - Throws: ``MienError`` where the graph has another form there.
  public func linearHead(for labels: LabelSet) throws -> LinearHead {
    var walk = GraphWalk(graph: graph, output: labels.name)
    try walk.step(back: ["Softmax"])
    var scale: Float = 1
    if let (op, constant) = walk.scalar() {
      guard constant.isFinite, constant != 0 else { throw walk.unknown("a temperature of \(constant)") }
      scale = op == "Div" ? 1 / constant : constant
      try walk.step(back: [op])
    }
    let layer = try walk.linearLayer()
    guard walk.value == Self.embeddingName else { throw walk.unknown("a layer on \(walk.value)") }
    guard layer.outputs == labels.count else { throw walk.unknown("a layer of \(layer.outputs) outputs") }
    return try LinearHead(
      labels: labels, width: layer.weights.count / layer.outputs, weights: layer.weights.map { $0 * scale },
      biases: layer.biases.map { $0 * scale })
  }
}

/// Goes from an output of a graph towards its input, node by node.
private struct GraphWalk {
  let graph: Onnx_GraphProto
  let output: String
  /// The value reached.
  private(set) var value: String

  init(graph: Onnx_GraphProto, output: String) {
    self.graph = graph
    self.output = output
    value = output
  }

  func unknown(_ what: String) -> MienError {
    MienError(.mismatch, output, "its last layer cannot be read: found \(what), expected a linear layer on embedding")
  }

  private func constant(_ name: String) -> GraphConstant? { graph.constant(name) }
  private var node: Onnx_NodeProto? { graph.node.first { $0.output.first == value } }

  /// Steps over the node that makes ``value``, to its first input that is not a constant.
  mutating func step(back operators: [String]) throws {
    guard let node, operators.contains(node.opType), let input = node.input.first(where: { constant($0) == nil }) else {
      throw unknown(node?.opType ?? "the input \(value)")
    }
    value = input
  }

  /// The factor or divisor, where the node that makes ``value`` is one.
  func scalar() -> (String, Float)? {
    guard let node, node.opType == "Div" || node.opType == "Mul", node.input.count == 2 else { return nil }
    // A constant divided by a value is no temperature.
    let places = node.opType == "Div" ? [1] : [0, 1]
    for place in places {
      if let found = constant(node.input[place]), found.values.count == 1 { return (node.opType, found.values[0]) }
    }
    return nil
  }

  /// Steps over a linear layer: weights [outputs, D], biases [outputs].
  mutating func linearLayer() throws -> (outputs: Int, weights: [Float], biases: [Float]) {
    guard let node else { throw unknown("the input \(value)") }
    if node.opType == "Gemm" {
      let settings = Dictionary(node.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      guard (settings["transA"]?.i ?? 0) == 0, (settings["alpha"]?.f ?? 1) == 1, (settings["beta"]?.f ?? 1) == 1,
        node.input.count >= 2, let matrix = constant(node.input[1]), matrix.shape.count == 2
      else { throw unknown("a Gemm of another form") }
      let isTransposed = (settings["transB"]?.i ?? 0) != 0
      let outputs = matrix.shape[isTransposed ? 0 : 1]
      var biases = [Float](repeating: 0, count: outputs)
      if node.input.count > 2, !node.input[2].isEmpty {
        guard let found = constant(node.input[2]), found.values.count == outputs else { throw unknown("other biases") }
        biases = found.values
      }
      value = node.input[0]
      return (outputs, isTransposed ? matrix.values : matrix.transposed, biases)
    }
    var biases: [Float]?
    if node.opType == "Add", let found = node.input.compactMap({ constant($0) }).first {
      biases = found.values
      try step(back: ["Add"])
    }
    guard let product = self.node, product.opType == "MatMul", product.input.count == 2,
      let matrix = constant(product.input[1]), matrix.shape.count == 2
    else { throw unknown(self.node?.opType ?? "the input \(value)") }
    let outputs = matrix.shape[1]
    guard biases == nil || biases?.count == outputs else { throw unknown("other biases") }
    value = product.input[0]
    return (outputs, matrix.transposed, biases ?? [Float](repeating: 0, count: outputs))
  }
}
