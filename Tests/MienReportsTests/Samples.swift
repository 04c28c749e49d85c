import Foundation
import MienCore
import MienReports

/// Made-up measurements.
enum Samples {
  /// `count` faces of FER2013's classes: right about two times in three.
  static func metrics(count: Int, seed: UInt64 = 1) throws -> ClassificationMetrics {
    var random = SeededRandom(seed: seed)
    let labels = LabelSet.fer2013
    let truth = (0..<count).map { $0 % labels.count }
    let probabilities = truth.flatMap { label -> [Float] in
      let values = (0..<labels.count).map { random.uniform() + ($0 == label ? random.uniform() * 1.2 : 0) }.map {
        $0 * $0
      }
      let sum = values.reduce(0, +)
      return values.map { $0 / sum }
    }
    return try ClassificationMetrics(labels: labels, truth: truth, probabilities: probabilities)
  }

  /// Faces of one grey each, labelled as in ``metrics(count:seed:)``.
  static func faces(count: Int, source: String = "made-up") throws -> FaceSet {
    try FaceSet(
      source: source, labelSet: .fer2013, height: 4, width: 4, channels: 1,
      rows: (0..<count).map {
        .init(label: LabelSet.fer2013.emotions[$0 % 7], split: .test, sourceRow: $0)
      }, pixels: Data((0..<count).flatMap { [UInt8](repeating: UInt8($0 % 256), count: 16) }))
  }

  /// What a run of two heads writes, with a column that this version does not know.
  static let csv = """
    epoch,step,learning_rate,train_loss,validation_ferplus_loss,validation_ferplus_accuracy,\
    validation_ferplus_balanced_accuracy,train_ferplus_accuracy,moon_phase,seconds
    1,10,0.05,3.5,1.25,0.55,0.25,0.5,full,30
    2,20,0.04,2.5,0.9,0.75,0.35,0.7,,61.5
    3,30,0.03,2.0,nan,0.75,0.4,0.9,new,92

    """
}
