package import MienCore

/// The rows of `mien video --csv` and of the server's videos. Part of both contracts.
extension VideoRow {
  /// The header of the CSV form.
  package static func csvHeader(_ emotions: [Emotion]) -> String {
    CSVLine.text(
      ["frame", "seconds", "track", "x", "y", "width", "height", "emotion", "probability"] + emotions.map(\.rawValue)
        + emotions.map { "smoothed_\($0.rawValue)" } + FaceColumns.names)
  }

  /// The row as a line of CSV; what a frame without a face lacks is empty.
  package func csv(_ emotions: [Emotion]) -> String {
    let start = ["\(frame)", "\(seconds)"]
    guard let face else {
      return CSVLine.text(start + [String](repeating: "", count: 7 + 2 * emotions.count + FaceColumns.names.count))
    }
    let box = face.reading.box
    let scores = [face.reading.distribution, face.smoothed].flatMap { distribution in
      emotions.map { "\(distribution[$0] ?? 0)" }
    }
    return CSVLine.text(
      start + [face.track, box.x, box.y, box.width, box.height].map(String.init)
        + [face.emotion?.rawValue ?? "", "\(face.probability)"] + scores + FaceColumns.values(face.reading))
  }
}
