import MienCore
import MienONNX
import MienTestSupport
import Testing

@Suite struct PooledHeadTests {
  private enum Neck { case mean, maximum, twoLayers }

  private func model(_ neck: Neck, hasFeatures: Bool = true) throws -> (model: ONNXModel, weights: [Float]) {
    var graph = ONNXGraphBuilder(name: "g")
    var random = SeededRandom(seed: 4)
    func constant(_ name: String, _ shape: [Int]) throws -> (name: String, values: [Float]) {
      let values = (0..<shape.reduce(1, *)).map { _ in random.uniform(in: -1...1) }
      return (try graph.constant(name, shape: shape, values: values), values)
    }
    graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
    let kernel = try constant("kernel", [4, 1, 3, 3])
    let maps = graph.node("Relu", [graph.node("Conv", ["faces", kernel.name])])
    let pooled = graph.node(neck == .maximum ? "GlobalMaxPool" : "GlobalAveragePool", [maps])
    var embedding = graph.node("Flatten", [pooled], attributes: ["axis": .int(1)])
    if neck == .twoLayers {
      let hidden = try constant("hidden", [4, 4])
      embedding = graph.node("Relu", [graph.node("Gemm", [embedding, hidden.name], attributes: ["transB": .int(1)])])
    }
    let weights = try constant("weights", [8, 4])
    let bias = try constant("bias", [8])
    let logits = graph.node("Gemm", [embedding, weights.name, bias.name], attributes: ["transB": .int(1)])
    let temperature = try graph.constant("temperature", shape: [1], values: [1.5])
    let probabilities = graph.node("Softmax", [graph.node("Div", [logits, temperature])])
    graph.output("ferplus", from: probabilities, shape: [.dynamic("N"), .fixed(8)])
    graph.output("embedding", from: embedding, shape: [.dynamic("N"), .fixed(4)])
    if hasFeatures {
      graph.output("features", from: maps, shape: [.dynamic("N"), .fixed(4), .fixed(46), .fixed(46)])
    }
    return (try graph.model(card: TinyGraph.card), weights.values)
  }

  @Test func itsWeightsAreThoseOfTheGraph() throws {
    let (model, weights) = try model(.mean)
    let head = try #require(model.pooledHead(of: "ferplus"))
    #expect(head.classes == 8 && head.channels == 4 && head.weights == weights)
    #expect(model.pooledHead(of: "fer2013") == nil)
  }

  @Test func otherNecksHaveNone() throws {
    #expect(try model(.maximum).model.pooledHead(of: "ferplus") == nil)
    #expect(try model(.twoLayers).model.pooledHead(of: "ferplus") == nil)
    #expect(try model(.mean, hasFeatures: false).model.pooledHead(of: "ferplus") == nil)
    #expect(try PixelGraph.model().pooledHead(of: "ferplus") == nil)
  }
}
