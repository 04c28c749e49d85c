import Foundation
import MienCore
import MienModels
import MienTorch

/// Measures a network on the validation split, one pass, no averaging.
@TorchActor enum Validation {
  static func measure(_ network: FaceNetwork, data: TrainingData, batchSize: Int) throws -> [EpochResult.Head] {
    var probabilities = [[Float]](repeating: [], count: data.labels.count)
    try Tensor.withGradients(false) {
      for start in stride(from: 0, to: data.validation.count, by: batchSize) {
        let batch = Array(data.validation[start..<min(start + batchSize, data.validation.count)])
        let logits = try network.logits(data.faces(Tensor(indices: batch)), .inference)
        for (head, logits) in logits.enumerated() { probabilities[head] += try logits.softmax(1).floats() }
      }
    }
    return try zip(data.labels, zip(probabilities, data.targets)).map { labels, pair in
      try result(labels, probabilities: pair.0, truth: data.validation.map { pair.1.truth[$0] })
    }
  }

  private static func result(_ labels: LabelSet, probabilities: [Float], truth: [Int?]) throws -> EpochResult.Head {
    var (count, correct, loss) = (0, 0, 0.0)
    var support = [Int](repeating: 0, count: labels.count)
    var hits = support
    for (row, label) in truth.enumerated() {
      guard let label else { continue }
      let values = probabilities[(row * labels.count)..<((row + 1) * labels.count)]
      let top = values.indices.max { (values[$0], $1) < (values[$1], $0) }.map { $0 - values.startIndex }
      count += 1
      support[label] += 1
      loss -= log(Double(max(values[values.startIndex + label], .leastNormalMagnitude)))
      if top == label {
        correct += 1
        hits[label] += 1
      }
    }
    let recalls = zip(hits, support).filter { $0.1 > 0 }.map { Double($0.0) / Double($0.1) }
    return EpochResult.Head(
      labels: labels.name, count: count, loss: loss / Double(max(1, count)),
      accuracy: Double(correct) / Double(max(1, count)),
      balancedAccuracy: recalls.reduce(0, +) / Double(max(1, recalls.count)))
  }
}
