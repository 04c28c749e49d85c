import Foundation
import MienCore
import MienONNX
import MienTestSupport
import Testing

@Suite struct ONNXGraphBuilderTests {
  @Test func namesAreReadableAndUnique() throws {
    var graph = ONNXGraphBuilder(name: "names")
    graph.input("faces", shape: [.dynamic("N"), .fixed(8)])
    #expect(graph.node("Relu", ["faces"]) == "relu_1")
    #expect(graph.node("Relu", ["relu_1"], output: "relu_2") == "relu_2")
    #expect(graph.node("Relu", ["relu_2"]) == "relu_3")
  }

  @Test func outputRenamesItsNodeAndItsReaders() throws {
    var graph = ONNXGraphBuilder(name: "rename")
    graph.input("faces", shape: [.dynamic("N"), .fixed(8)])
    let first = graph.node("Relu", ["faces"])
    let second = graph.node("Softmax", [first])
    graph.output("embedding", from: first, shape: [.dynamic("N"), .fixed(8)])
    graph.output("ferplus", from: second, shape: [.dynamic("N"), .fixed(8)])
    graph.output("features", from: "embedding", shape: [.dynamic("N"), .fixed(8)])
    let model = try graph.model(card: TinyGraph.card)
    #expect(model.outputs.map(\.name) == ["embedding", "ferplus", "features"])
    #expect(model.data.range(of: Data("Identity".utf8)) != nil)
    #expect(model.data.range(of: Data("relu_1".utf8)) != nil, "the node keeps its name")
  }

  @Test func valuesMustFillTheShape() {
    var graph = ONNXGraphBuilder(name: "shape")
    #expect(throws: MienError.self) { try graph.constant("w", shape: [2, 3], values: [1, 2, 3]) }
    #expect(throws: MienError.self) { try graph.constant("w", shape: [-1, 0], integers: []) }
    #expect(throws: MienError.self) { try graph.constant("w", shape: [.max, .max], integers: [1]) }
    #expect(throws: Never.self) { try graph.constant("w", shape: [], values: [1]) }
    #expect(throws: MienError.self) { try graph.constant("w", shape: [1], values: [1]) }
  }

  @Test func brokenWiringIsRefused() throws {
    var graph = try TinyGraph.builder()
    _ = graph.node("Relu", ["nowhere"])
    let error = #expect(throws: MienError.self) { try graph.model(card: TinyGraph.card) }
    #expect(error?.message.contains("nowhere") == true)

    var twice = try TinyGraph.builder()
    _ = twice.node("Relu", ["faces"], output: "ferplus")
    #expect(throws: MienError.self) { try twice.model(card: TinyGraph.card) }

    var unknown = try TinyGraph.builder()
    unknown.output("features", from: "relu_9", shape: [])
    #expect(throws: MienError.self) { try unknown.model(card: TinyGraph.card) }

    #expect(throws: MienError.self) { try ONNXGraphBuilder(name: "empty").model(card: TinyGraph.card) }
  }

  @Test func cardMustFitTheOutputs() throws {
    var card = TinyGraph.card
    card.outputs.append(.init(name: "fer2013", emotions: LabelSet.fer2013.emotions))
    let missing = #expect(throws: MienError.self) { try TinyGraph.builder().model(card: card) }
    #expect(missing?.message.contains("fer2013") == true)
    card.outputs = [.init(name: "ferplus", emotions: LabelSet.fer2013.emotions)]
    let narrow = #expect(throws: MienError.self) { try TinyGraph.builder().model(card: card) }
    #expect(narrow?.message.contains("[N, 8]") == true)
  }
}
