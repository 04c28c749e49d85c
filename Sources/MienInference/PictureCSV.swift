package import MienCore

/// The rows of pictures in CSV, as `mien detect --csv` and the server write them. Part of both contracts.
package struct PictureCSV: Sendable {
  private let emotions: [Emotion]
  private let hasMeasures: Bool

  /// Lays out readings over `labels`.
  ///
  /// - Parameter landmarks: whether the points of each face are asked for: then the measures made of them are columns.
  package init(labels: LabelSet, landmarks: LandmarkDetail? = nil) {
    emotions = labels.emotions.sorted()
    hasMeasures = landmarks != nil
  }

  /// The header.
  package var header: String {
    CSVLine.text(
      ["file", "face", "x", "y", "width", "height", "emotion", "probability", "confident"] + emotions.map(\.rawValue)
        + FaceColumns.names + ["reason"] + (hasMeasures ? FaceColumns.measureNames : []) + ["error"])
  }

  /// One row per face; a picture without a face, and one that failed, has a row with empty fields.
  package func rows(_ picture: PictureReadings) -> String {
    let file = picture.file ?? ""
    guard !picture.faces.isEmpty else {
      let count =
        9 + emotions.count + FaceColumns.names.count + (hasMeasures ? FaceColumns.measureNames.count : 0)
      return CSVLine.text([file] + [String](repeating: "", count: count) + [picture.error ?? ""])
    }
    return picture.faces.enumerated().map { index, face in
      let box = face.box
      let numbers = [index + 1, box.x, box.y, box.width, box.height].map(String.init)
      let scores = emotions.map { "\(face.distribution[$0] ?? 0)" }
      return CSVLine.text(
        [file] + numbers + [face.emotion.rawValue, "\(face.probability)", "\(face.isConfident)"] + scores
          + FaceColumns.values(face) + [face.doubt?.rawValue ?? ""] + (hasMeasures ? FaceColumns.measures(face) : [])
          + [""])
    }.joined()
  }
}

/// The columns of CSV that say how a face was found.
enum FaceColumns {
  /// Of every face.
  static let names = ["score", "yaw", "pitch", "roll"]
  /// Of faces whose points are asked for.
  static let measureNames = ["leftEyeOpenness", "rightEyeOpenness", "mouthOpenness", "mouthWidth", "browRaise"]

  /// The values of ``names``; empty where they are not known.
  static func values(_ face: FaceReading) -> [String] {
    let pose = face.writtenPose
    return [face.writtenScore, pose?.yaw, pose?.pitch, pose?.roll].map(text)
  }

  /// The values of ``measureNames``; empty where they are not known.
  static func measures(_ face: FaceReading) -> [String] {
    let measures = face.writtenMeasures
    return [
      measures?.leftEyeOpenness, measures?.rightEyeOpenness, measures?.mouthOpenness, measures?.mouthWidth,
      measures?.browRaise,
    ].map(text)
  }

  private static func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
}
