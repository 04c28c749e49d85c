import Foundation
import MienCore
import MienInference

/// Collects the outcomes of a run and writes them as JSON and CSV.
struct PhotoResults {
  private var json: [Data] = []
  private var csv: [String] = []
  private let layout: PictureCSV
  private let encoder: JSONEncoder
  private let landmarks: LandmarkDetail?

  /// Collects readings over `labels`, with the points of each face where they are asked for.
  init(labels: LabelSet, landmarks: LandmarkDetail? = nil) {
    self.landmarks = landmarks
    layout = PictureCSV(labels: labels, landmarks: landmarks)
    encoder = JSONText.encoder()
    encoder.landmarks = landmarks
    csv.append(layout.header)
  }

  /// Adds a photo. What is kept are a few hundred bytes a face.
  mutating func add(_ outcome: PhotoPipeline.Outcome) throws {
    json.append(try encoder.encode(outcome.readings))
    csv.append(layout.rows(outcome.readings))
  }

  /// All photos: one JSON array, an element a line.
  var jsonDocument: Data {
    var document = Data("[".utf8)
    for (index, element) in json.enumerated() {
      document += Data((index == 0 ? "\n" : ",\n").utf8)
      document += element
    }
    return document + Data("\n]\n".utf8)
  }

  /// A header and a row a face; a photo without a face, and one that failed, have a row with empty fields.
  var csvDocument: Data { Data(csv.joined().utf8) }
}

/// The rows of the table that people read, printed as they come.
struct PhotoTable {
  private let fileWidth: Int

  /// Lays the table out for files of these names.
  init(names: [String]) { fileWidth = min(60, max(4, names.map(\.count).max() ?? 4)) }

  /// The column titles.
  var header: String { row("file", "face", "emotion", "probability", "next best") }

  /// A row a face; one for a photo without.
  func rows(_ outcome: PhotoPipeline.Outcome) -> [String] {
    let name = Console.printable(outcome.name)
    if outcome.error != nil { return [row(name, "-", "failed", "", "")] }
    if outcome.faces.isEmpty { return [row(name, "-", "no face", "", "")] }
    return outcome.faces.enumerated().map { index, face in
      let ranked = zip(face.distribution.labels.emotions, face.distribution.probabilities)
        .sorted { $0.1 > $1.1 }
      let next = ranked.dropFirst().first.map { "\($0.0.rawValue) \(NumberText.probability($0.1, 1))" } ?? ""
      let emotion = face.emotion.rawValue + (face.isConfident ? "" : "?")
      return row(name, "\(index + 1)", emotion, NumberText.probability(face.probability, 1), next)
    }
  }

  private func row(_ file: String, _ face: String, _ emotion: String, _ probability: String, _ next: String) -> String {
    let columns = [
      Console.padded(file, fileWidth), Console.padded(face, 4), Console.padded(emotion, 10),
      Console.padded(probability, 11), next,
    ]
    return Console.trimmed(columns.joined(separator: "  "))
  }
}
