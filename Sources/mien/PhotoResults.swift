import Foundation
import MienCore
import MienDatasets
import MienInference

/// Collects the outcomes of a run and writes them as JSON and CSV.
struct PhotoResults {
  private var json: [Data] = []
  private var csv: [String] = []
  private let emotions: [Emotion]
  private let encoder: JSONEncoder
  private let landmarks: LandmarkDetail?

  /// Collects readings over `labels`, with the points of each face where they are asked for.
  init(labels: LabelSet, landmarks: LandmarkDetail? = nil) {
    self.landmarks = landmarks
    emotions = labels.emotions.sorted()
    encoder = JSONText.encoder()
    encoder.landmarks = landmarks
    csv.append(
      CSVLine.text(
        ["file", "face", "x", "y", "width", "height", "emotion", "probability", "confident"]
          + emotions.map(\.rawValue) + FaceColumns.names + ["reason"]
          + (landmarks == nil ? [] : FaceColumns.measureNames) + ["error"]))
  }

  /// Adds a photo. What is kept are a few hundred bytes a face.
  mutating func add(_ outcome: PhotoPipeline.Outcome) throws {
    json.append(try encoder.encode(outcome.readings))
    for (index, face) in outcome.faces.enumerated() {
      let box = face.box
      let numbers = [index + 1, box.x, box.y, box.width, box.height].map(String.init)
      let scores = emotions.map { "\(face.distribution[$0] ?? 0)" }
      csv.append(
        CSVLine.text(
          [outcome.name] + numbers + [face.emotion.rawValue, "\(face.probability)", "\(face.isConfident)"] + scores
            + FaceColumns.values(face) + [face.doubt?.rawValue ?? ""]
            + (landmarks == nil ? [] : FaceColumns.measures(face)) + [""]))
    }
    if outcome.faces.isEmpty {
      let blanks = [String](repeating: "", count: csvColumns - 2)
      csv.append(CSVLine.text([outcome.name] + blanks + [outcome.error?.message ?? ""]))
    }
  }

  private var csvColumns: Int {
    11 + emotions.count + FaceColumns.names.count + (landmarks == nil ? 0 : FaceColumns.measureNames.count)
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

/// The columns of CSV that say how a face was found.
enum FaceColumns {
  /// Of every face.
  static let names = ["score", "yaw", "pitch", "roll"]
  /// Of faces whose points are asked for.
  static let measureNames = ["leftEyeOpenness", "rightEyeOpenness", "mouthOpenness", "mouthWidth", "browRaise"]

  /// The values of ``names``; empty where they are not known.
  static func values(_ face: FaceReading) -> [String] {
    [face.score, face.pose?.yaw, face.pose?.pitch, face.pose?.roll].map(text)
  }

  /// The values of ``measureNames``; empty where they are not known.
  static func measures(_ face: FaceReading) -> [String] {
    let measures = face.face.landmarks?.measures
    return [
      measures?.leftEyeOpenness, measures?.rightEyeOpenness, measures?.mouthOpenness, measures?.mouthWidth,
      measures?.browRaise,
    ].map(text)
  }

  private static func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
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
      let next = ranked.dropFirst().first.map { "\($0.0.rawValue) \(Self.percent($0.1))" } ?? ""
      let emotion = face.emotion.rawValue + (face.isConfident ? "" : "?")
      return row(name, "\(index + 1)", emotion, Self.percent(face.probability), next)
    }
  }

  private func row(_ file: String, _ face: String, _ emotion: String, _ probability: String, _ next: String) -> String {
    let columns = [
      Console.padded(file, fileWidth), Console.padded(face, 4), Console.padded(emotion, 10),
      Console.padded(probability, 11), next,
    ]
    return Console.trimmed(columns.joined(separator: "  "))
  }

  private static func percent(_ probability: Float) -> String {
    let tenths = Int((probability * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
