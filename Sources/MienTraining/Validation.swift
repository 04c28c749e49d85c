import Foundation
package import MienCore
import MienModels
import MienRuns
import MienTorch

/// Measures a network, one pass, no averaging.
@TorchActor enum Validation {
  private static let batchSize = 256

  /// Each head on `part` of the faces.
  ///
  /// - Throws: ``MienError`` where a head has no labelled face there.
  static func measure(_ network: FaceNetwork, data: TrainingData, part: [Int]) throws -> [EpochResult.Head] {
    try logits(network, data: data, part: part).map { try $0.result() }
  }

  /// What each head says of the faces in `part` that have a hard label for it.
  static func logits(
    _ network: FaceNetwork, data: TrainingData, part: [Int], pass: ForwardPass = .inference
  ) throws -> [HeadLogits] {
    var logits = [[Float]](repeating: [], count: data.labels.count)
    try Tensor.withGradients(false) {
      for start in stride(from: 0, to: part.count, by: batchSize) {
        let batch = Array(part[start..<min(start + batchSize, part.count)])
        let outputs = try network.logits(data.faces(Tensor(indices: batch)), pass)
        for (head, output) in outputs.enumerated() { logits[head] += try output.floats() }
      }
    }
    return zip(data.labels, zip(logits, data.targets)).map { labels, pair in
      HeadLogits(labels: labels, allLogits: pair.0, truth: part.map { pair.1.truth[$0] })
    }
  }
}

/// The logits of one head on labelled faces.
package struct HeadLogits: Sendable {
  package let labels: LabelSet
  /// Which of the measured faces have a label, rising.
  package let rows: [Int]
  /// One index of `labels` for each of them.
  package let truth: [Int]
  /// `[N, K]`, row-major.
  package let logits: [Float]

  /// Keeps the rows whose `truth` is not nil.
  package init(labels: LabelSet, allLogits: [Float], truth: [Int?]) {
    self.labels = labels
    rows = truth.indices.filter { truth[$0] != nil }
    self.truth = truth.compactMap(\.self)
    logits = rows.flatMap { allLogits[($0 * labels.count)..<(($0 + 1) * labels.count)] }
  }

  /// Softmax of the logits divided by `temperature`, `[N, K]`.
  package func probabilities(temperature: Float = 1) -> [Float] {
    stride(from: 0, to: logits.count, by: labels.count).flatMap { start -> [Float] in
      let row = logits[start..<(start + labels.count)]
      let peak = row.max() ?? 0
      let exponentials = row.map { exp(($0 - peak) / temperature) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    }
  }

  func metrics() throws -> ClassificationMetrics {
    try ClassificationMetrics(labels: labels, truth: truth, probabilities: probabilities())
  }

  func result() throws -> EpochResult.Head {
    let metrics = try metrics()
    return EpochResult.Head(
      labels: labels.name, count: truth.count, loss: metrics.logLoss, accuracy: metrics.accuracy,
      balancedAccuracy: metrics.balancedAccuracy)
  }

  /// The temperature of least cross-entropy (Guo et al. 2017), by golden-section search over 0.25…4 in its logarithm.
  package func fittedTemperature() -> Float {
    func loss(_ logarithm: Float) -> Double {
      let values = probabilities(temperature: exp(logarithm))
      return truth.enumerated().reduce(0) { sum, face in
        sum - log(Double(max(values[face.offset * labels.count + face.element], .leastNormalMagnitude)))
      }
    }
    let ratio: Float = 0.618034
    var (low, high) = (log(Float(0.25)), log(Float(4)))
    while high - low > 1e-3 {
      let (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
      if loss(a) < loss(b) { high = b } else { low = a }
    }
    return exp((low + high) / 2)
  }

  /// The expected calibration error, 0…1, where the temperature of each face was fitted without it: on four fifths of the
  /// faces for the last fifth, five times (cross-fitting).
  ///
  /// - Parameter groups: of each face in ``rows``, who it is: no person is in two fifths.
  /// - Returns: `nil` if there are fewer than five groups.
  package func crossFittedCalibrationError(groups: [Int]) throws -> Double? {
    let folds = 5
    guard Set(groups).count >= folds else { return nil }
    let parts = Partition.grouped(
      groups: groups, classes: truth, shares: [Double](repeating: 1 / Double(folds), count: folds), seed: 1)
    var values = probabilities()
    for part in parts {
      let held = Set(part)
      let others = HeadLogits(
        labels: labels, allLogits: logits, truth: truth.indices.map { held.contains($0) ? nil : truth[$0] })
      let scaled = probabilities(temperature: others.fittedTemperature())
      for face in part {
        let row = (face * labels.count)..<((face + 1) * labels.count)
        values.replaceSubrange(row, with: scaled[row])
      }
    }
    return try ClassificationMetrics(labels: labels, truth: truth, probabilities: values).calibration.ece
  }
}
