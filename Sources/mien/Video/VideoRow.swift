import Foundation
import MienCore
import MienDatasets
import MienInference
import MienVision

/// A line of `mien video --json`: a frame and a face, or a frame without one. Part of the command's contract.
struct VideoRow: Encodable {
  let frame: FrameReadings
  let face: TrackedReading?

  /// The rows of a frame: one a face, or one of nulls.
  static func rows(_ frame: FrameReadings) -> [VideoRow] {
    frame.faces.isEmpty ? [VideoRow(frame: frame, face: nil)] : frame.faces.map { VideoRow(frame: frame, face: $0) }
  }

  private enum Keys: String, CodingKey { case frame, seconds }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(frame.index, forKey: .frame)
    try container.encode(Self.rounded(frame.seconds), forKey: .seconds)
    try TrackedFaceJSON(face).encode(to: encoder)
  }

  /// Time stamps to the microsecond.
  private static func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }

  /// The header of the CSV form.
  static func csvHeader(_ emotions: [Emotion]) -> String {
    CSVLine.text(
      ["frame", "seconds", "track", "x", "y", "width", "height", "emotion", "probability"] + emotions.map(\.rawValue)
        + emotions.map { "smoothed_\($0.rawValue)" })
  }

  /// The row as a line of CSV; what a frame without a face lacks is empty.
  func csv(_ emotions: [Emotion]) -> String {
    let start = ["\(frame.index)", "\(Self.rounded(frame.seconds))"]
    guard let face else { return CSVLine.text(start + [String](repeating: "", count: 7 + 2 * emotions.count)) }
    let box = face.reading.box
    let scores = [face.reading.distribution, face.smoothed].flatMap { distribution in
      emotions.map { "\(distribution[$0] ?? 0)" }
    }
    return CSVLine.text(
      start + [face.track, box.x, box.y, box.width, box.height].map(String.init)
        + [face.emotion?.rawValue ?? "", "\(face.probability)"] + scores)
  }
}
