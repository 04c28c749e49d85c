package import MienCore
package import MienONNX

/// A network whose answer is known: pixel `k` of the top row is the logit of class `k`, times ``gain``. A face that is
/// black but for one white pixel `k` is class `k` with a probability near 1.
package enum PixelGraph {
  /// What a white pixel's logit is.
  package static let gain: Float = 20

  /// The network with an output for each of `labels`.
  ///
  /// - Parameters:
  ///   - size: side of the faces.
  ///   - measurements: those of its card.
  package static func model(
    _ labels: [LabelSet] = [.ferplus, .fer2013], size: Int = 48, measurements: [ModelCard.Measurement] = []
  ) throws -> ONNXModel {
    var graph = ONNXGraphBuilder(name: "pixels")
    graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(size), .fixed(size)])
    let flat = graph.node("Flatten", ["faces"], attributes: ["axis": .int(1)])
    for set in labels {
      var weights = [Float](repeating: 0, count: size * size * set.count)
      for index in 0..<set.count { weights[index * size * size + index] = gain }
      let weight = try graph.constant("\(set.name).weight", shape: [set.count, size * size], values: weights)
      let logits = graph.node("Gemm", [flat, weight], attributes: ["transB": .int(1)])
      let probabilities = graph.node("Softmax", [logits], attributes: ["axis": .int(1)])
      graph.output(set.name, from: probabilities, shape: [.dynamic("N"), .fixed(set.count)])
    }
    return try graph.model(
      card: ModelCard(
        name: "pixels", summary: "Reads the top row.", architecture: "pixels", parameterCount: 0,
        preprocessing: Preprocessing(width: size, height: size), framing: .init(),
        outputs: labels.map { .init(name: $0.name, emotions: $0.emotions) }, training: [], seed: 0, epochs: 0,
        measurements: measurements, license: "MIT"))
  }

  /// A face of class `index`: black, but for one white pixel.
  package static func face(_ index: Int, size: Int = 48) -> [UInt8] {
    (0..<(size * size)).map { $0 == index ? 255 : 0 }
  }
}
