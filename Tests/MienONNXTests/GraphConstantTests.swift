import Foundation
import MienCore
import MienONNX
import MienTestSupport
import Testing

/// Weights read out of graphs, honest and damaged ones.
@Suite struct GraphConstantTests {
  /// A network whose head is `Gemm` on weights of `shape`, through a cast.
  private func model(_ shape: [Int], _ values: [Float], isTransposed: Bool = true) throws -> ONNXModel {
    var graph = ONNXGraphBuilder(name: "g")
    graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
    let kernel = try graph.constant("kernel", shape: [4, 1, 3, 3], values: [Float](repeating: 1, count: 36))
    let maps = graph.node("Relu", [graph.node("Conv", ["faces", kernel])])
    let embedding = graph.node("Flatten", [graph.node("GlobalAveragePool", [maps])], attributes: ["axis": .int(1)])
    let stored = try graph.constant("weightsA", shape: shape, values: values)
    let weights = graph.node("Cast", [stored], attributes: ["to": .int(1)], output: "weightsB")
    let logits = graph.node("Gemm", [embedding, weights], attributes: ["transB": .int(isTransposed ? 1 : 0)])
    graph.output("ferplus", from: graph.node("Softmax", [logits]), shape: [.dynamic("N"), .fixed(8)])
    graph.output("embedding", from: embedding, shape: [.dynamic("N"), .fixed(4)])
    graph.output("features", from: maps, shape: [.dynamic("N"), .fixed(4), .fixed(46), .fixed(46)])
    return try graph.model(card: TinyGraph.card)
  }

  /// `model` with the only place of some bytes overwritten by others.
  private func model(_ model: ONNXModel, replacing old: [UInt8], with new: [UInt8]) throws -> ONNXModel {
    var data = model.data
    data.replaceSubrange(try #require(data.range(of: Data(old))), with: new)
    try #require(data.count == model.data.count && data.range(of: Data(old)) == nil)
    return try ONNXModel(data: data)
  }

  private func expectNoHead(_ model: ONNXModel) {
    let error = #expect(throws: MienError.self) { try model.linearHead(for: .ferplus) }
    #expect(error?.kind == .mismatch)
    #expect(model.pooledHead(of: "ferplus") == nil)
  }

  @Test(arguments: [true, false]) func bothHeadsReadTheSameWeights(isTransposed: Bool) throws {
    let values = (0..<32).map(Float.init)
    let rows = isTransposed ? values : (0..<8).flatMap { row in (0..<4).map { values[$0 * 8 + row] } }
    let model = try model(isTransposed ? [8, 4] : [4, 8], values, isTransposed: isTransposed)
    let head = try model.linearHead(for: .ferplus)
    #expect(head.width == 4 && head.weights == rows && head.biases == [Float](repeating: 0, count: 8))
    let pooled = try #require(model.pooledHead(of: "ferplus"))
    #expect(pooled.classes == 8 && pooled.channels == 4 && pooled.weights == rows)
  }

  @Test(arguments: [[1 << 62, 0], [0, 1 << 62], [8, 0], [0, 0]], [true, false])
  func shapesWithoutValuesGiveNoHead(shape: [Int], isTransposed: Bool) throws {
    expectNoHead(try model(shape, [], isTransposed: isTransposed))
  }

  @Test func aShapeWhoseProductOverflowsGivesNoHead() throws {
    // Ten axes of 1 as the format writes them, made ten of 127: 1.1e21 values.
    let honest = try model([Int](repeating: 1, count: 10), [1])
    expectNoHead(
      try model(honest, replacing: (0..<10).flatMap { _ in [8, 1] }, with: (0..<10).flatMap { _ in [8, 127] }))
  }

  @Test func aShapeOfOtherThanTheValuesThereGivesNoHead() throws {
    expectNoHead(
      try model(
        model([8, 4], [Float](repeating: 1, count: 32)), replacing: [8, 8, 8, 4, 16, 1], with: [8, 8, 8, 5, 16, 1]))
  }

  @Test func aCastOfItselfGivesNoHead() throws {
    func node(_ input: String) -> [UInt8] { [10, 8] + Array(input.utf8) + [18, 8] + Array("weightsB".utf8) }
    let honest = try model([8, 4], [Float](repeating: 1, count: 32))
    expectNoHead(try model(honest, replacing: node("weightsA"), with: node("weightsB")))
  }
}
