package import MienCore
package import MienONNX

/// A small network with fixed weights: convolution, pooling, one dense head and an embedding.
package enum TinyGraph {
  /// The stand-in's card.
  package static let card = ModelCard(
    name: "tiny", summary: "A test network.", architecture: "tiny", parameterCount: 4 * 9 + 4 + 8 * 4 + 8,
    preprocessing: Preprocessing(), framing: .init(),
    outputs: [.init(name: "ferplus", emotions: LabelSet.ferplus.emotions)], training: [], seed: 1, epochs: 0,
    measurements: [], license: "MIT")

  /// The network of `seed`, not yet checked.
  package static func builder(seed: UInt64 = 1) throws -> ONNXGraphBuilder {
    var random = SeededRandom(seed: seed)
    func weights(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform(in: -1...1) } }
    var graph = ONNXGraphBuilder(name: "tiny")
    graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
    let kernel = try graph.constant("stem.weight", shape: [4, 1, 3, 3], values: weights(36))
    let bias = try graph.constant("stem.bias", shape: [4], values: weights(4))
    let convolved = graph.node(
      "Conv", ["faces", kernel, bias],
      attributes: ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "strides": .ints([2, 2])])
    let active = graph.node("Relu", [convolved])
    let pooled = graph.node("GlobalAveragePool", [active])
    let embedding = graph.node("Flatten", [pooled], attributes: ["axis": .int(1)])
    let head = try graph.constant("head.weight", shape: [8, 4], values: weights(32))
    let headBias = try graph.constant("head.bias", shape: [8], values: weights(8))
    let logits = graph.node("Gemm", [embedding, head, headBias], attributes: ["transB": .int(1)])
    let probabilities = graph.node("Softmax", [logits], attributes: ["axis": .int(1)])
    graph.output("ferplus", from: probabilities, shape: [.dynamic("N"), .fixed(8)])
    graph.output("embedding", from: embedding, shape: [.dynamic("N"), .fixed(4)])
    return graph
  }

  /// The network of `seed` with its card.
  package static func model(seed: UInt64 = 1) throws -> ONNXModel { try builder(seed: seed).model(card: card) }
}
