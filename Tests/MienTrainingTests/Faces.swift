import Foundation
import MienCore
import MienTraining

/// Faces drawn by code, a pattern a class, for tests that need data but no data set.
enum DrawnFaces {
  /// `count` faces of 48x48, of FER2013's classes in turn: a bar whose angle is the class, with noise.
  static func set(count: Int, split: (Int) -> Split, votes: Bool = true, seed: UInt64 = 5) throws -> FaceSet {
    var random = SeededRandom(seed: seed)
    var pixels: [UInt8] = []
    var rows: [FaceSet.Row] = []
    for index in 0..<count {
      let label = index % LabelSet.fer2013.count
      let angle = Float(label) * .pi / Float(LabelSet.fer2013.count)
      for y in 0..<48 {
        for x in 0..<48 {
          let distance = abs((Float(x) - 23.5) * sin(angle) - (Float(y) - 23.5) * cos(angle))
          pixels.append(UInt8((distance < 6 ? 200 : 50) + random.uniform(in: -40...40)))
        }
      }
      let emotion = LabelSet.fer2013.emotions[label]
      rows.append(
        FaceSet.Row(
          label: emotion, split: split(index), votes: votes ? Self.votes(emotion) : nil, sourceRow: index))
    }
    return try FaceSet(
      source: "drawn", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows, pixels: Data(pixels))
  }

  /// Eight votes for `emotion` and two for contempt.
  private static func votes(_ emotion: Emotion) -> [UInt8] {
    LabelSet.ferplus.emotions.map { $0 == emotion ? 8 : $0 == .contempt ? 2 : 0 } + [0, 0]
  }

  /// A recipe for a network small enough to train in a second.
  static func recipe(epochs: Int, settings: [String] = []) throws -> Recipe {
    let text = """
      name: tiny
      model: {options: {stem: 4, widths: [8, 12], blocks: [1, 1]}}
      heads: [{labels: ferplus, weight: 1}, {labels: fer2013, weight: 1}]
      epochs: \(epochs)
      batchSize: 16
      averageDecay: 0.9
      optimizer: {learningRate: 0.05}
      schedule: {warmupEpochs: 0.5}
      """
    return try RecipeFile.parse(text, file: "tiny", settings: settings)
  }
}

/// A folder that is removed with the test.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appending(path: "mien-test-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}
