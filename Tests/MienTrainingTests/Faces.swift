import Foundation
import MienCore
import MienTestSupport
import MienTraining

/// Faces drawn by code, a pattern a class, for tests that need data but no data set.
enum DrawnFaces {
  /// `count` faces of 48x48, of FER2013's classes in turn: a bar whose angle is the class, with noise. Each person shows
  /// every class once; only faces that `keep` holds for are in the set.
  static func set(
    count: Int, split: (Int) -> Split, votes: Bool = true, seed: UInt64 = 5, keep: (Int) -> Bool = { _ in true }
  ) throws -> FaceSet {
    var random = SeededRandom(seed: seed)
    var pixels: [UInt8] = []
    var rows: [FaceSet.Row] = []
    for index in 0..<count where keep(index) {
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
          label: emotion, split: split(index), votes: votes ? Self.votes(emotion) : nil,
          subject: "s\(index / LabelSet.fer2013.count)", sourceRow: index))
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

/// Faces of FER2013 where the development data is there, else drawn ones: inputs of a network in 0…1.
enum ManyFaces {
  /// `count` grey faces, `[count, 1, 48, 48]`.
  static func inputs(count: Int) throws -> [Float] {
    let file = Shared.url("data/fer2013/fer2013.csv.xz")
    guard Shared.has("data/fer2013/fer2013.csv.xz") else {
      let set = try DrawnFaces.set(count: count, split: { _ in .test }, seed: 11)
      return try (0..<count).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) }
    }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "xz -dc \"$0\" | head -n \(count + 1)", file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let values = text.split(separator: "\n").dropFirst().flatMap { row in
      row.split(separator: ",")[1].split(separator: " ").compactMap { Float($0.filter(\.isNumber)) }
    }
    return values.map { $0 / 255 }
  }
}
