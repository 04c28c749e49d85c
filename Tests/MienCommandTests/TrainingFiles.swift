import Foundation
import MienCore
import MienTestSupport

/// A small data set and a recipe for a network that trains on it in a second.
enum TrainingFiles {
  /// What makes the network small.
  static let settings = [
    "model.options={stem: 4, widths: [8, 12], blocks: [1, 1]}", "batchSize=16", "optimizer.learningRate=0.05",
    "averageDecay=0.9",
  ].flatMap { ["--set", $0] }

  /// Faces of noise over a level that tells the class: 49 to train on, 21 to validate, and `tests` held out.
  static func faces(in folder: TemporaryFolder, tests: Int = 0) throws -> String {
    var random = SeededRandom(seed: 3)
    var pixels: [UInt8] = []
    let rows = (0..<(70 + tests)).map { index -> FaceSet.Row in
      let label = index % LabelSet.fer2013.count
      for _ in 0..<(48 * 48) { pixels.append(UInt8(Float(label * 30 + 20) + random.uniform(in: -10...10))) }
      return FaceSet.Row(
        label: LabelSet.fer2013.emotions[label], split: index < 49 ? .train : index < 70 ? .validation : .test,
        sourceRow: index)
    }
    let set = try FaceSet(
      source: "levels", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows, pixels: Data(pixels))
    let url = folder.file("faces.safetensors")
    try set.write(to: url)
    return url.path
  }

  /// A recipe of two epochs.
  static func recipe(in folder: TemporaryFolder) throws -> String {
    let url = folder.file("recipe.yaml")
    try Data("name: levels\nepochs: 2\n".utf8).write(to: url)
    return url.path
  }
}
