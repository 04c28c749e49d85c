package import MienCore
import MienVision

/// A picture and its faces, as `mien detect --json` and the server write them. Part of both contracts.
package struct PictureJSON: Encodable, Sendable {
  private let file: String?
  private let width: Int?
  private let height: Int?
  private let faces: [FaceJSON]
  private let error: String?
  /// Only there where something is wrong with a picture that was read.
  private let warning: String?

  private enum Keys: String, CodingKey { case file, width, height, faces, error, warning }

  /// A picture that was read.
  ///
  /// - Parameters:
  ///   - landmarks: which points of each face to write; `nil` for none.
  ///   - warning: what is wrong with it, as ``Image/warning`` says.
  package init(
    file: String?, width: Int?, height: Int?, faces: [FaceReading], landmarks: LandmarkDetail? = nil,
    warning: String? = nil
  ) {
    (self.file, self.width, self.height, error, self.warning) = (file, width, height, nil, warning)
    self.faces = faces.map { FaceJSON($0, landmarks: landmarks) }
  }

  /// A picture that failed.
  package init(file: String?, error: String) {
    (self.file, self.error) = (file, error)
    (width, height, faces, warning) = (nil, nil, [], nil)
  }

  /// What came of a photo.
  package init(_ outcome: PhotoPipeline.Outcome, landmarks: LandmarkDetail? = nil) {
    if let error = outcome.error {
      self.init(file: outcome.name, error: error.message)
    } else {
      self.init(
        file: outcome.name, width: outcome.width, height: outcome.height, faces: outcome.faces, landmarks: landmarks,
        warning: outcome.warning)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    // Absent values are written as null.
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(file, forKey: .file)
    try container.encode(width, forKey: .width)
    try container.encode(height, forKey: .height)
    try container.encode(faces, forKey: .faces)
    try container.encode(error, forKey: .error)
    try container.encodeIfPresent(warning, forKey: .warning)
  }
}

/// A face and what it shows: an element of `faces` in ``PictureJSON``.
package struct FaceJSON: Encodable, Sendable {
  private let reading: FaceReading
  private let landmarks: LandmarkDetail?

  private enum Keys: String, CodingKey {
    case box, score, pose, emotion, probability, scores, confident, reason, landmarks, measures
  }

  /// Lays out `reading`.
  ///
  /// - Parameter landmarks: which points to write, with the measures that are made of them; `nil` for none.
  package init(_ reading: FaceReading, landmarks: LandmarkDetail? = nil) {
    self.reading = reading
    self.landmarks = landmarks
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(reading.box, forKey: .box)
    try container.encode(reading.score, forKey: .score)
    try container.encode(reading.pose, forKey: .pose)
    try container.encode(reading.emotion, forKey: .emotion)
    try container.encode(reading.probability, forKey: .probability)
    try container.encode(reading.distribution.scores, forKey: .scores)
    if let doubt = reading.doubt {
      try container.encode(false, forKey: .confident)
      try container.encode(doubt, forKey: .reason)
    }
    guard let landmarks else { return }
    let mesh = reading.face.landmarks
    switch landmarks {
    case .six: try container.encode(reading.face.points, forKey: .landmarks)
    case .all: try container.encode(mesh.map { $0.points.map { [$0.x, $0.y, $0.z] } }, forKey: .landmarks)
    }
    try container.encode(mesh?.measures, forKey: .measures)
  }
}

/// Which points of a face are written.
package enum LandmarkDetail: String, Sendable, CaseIterable {
  /// Eyes, nose, mouth and ears.
  case six
  /// The 468 points with their depth.
  case all
}

extension EmotionDistribution {
  /// The probabilities by emotion, 0…1.
  package var scores: [Emotion: Float] {
    Dictionary(uniqueKeysWithValues: zip(labels.emotions, probabilities))
  }
}
