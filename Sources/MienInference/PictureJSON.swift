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
  /// - Parameter warning: what is wrong with it, as ``Image/warning`` says.
  package init(file: String?, width: Int?, height: Int?, faces: [FaceReading], warning: String? = nil) {
    (self.file, self.width, self.height, error, self.warning) = (file, width, height, nil, warning)
    self.faces = faces.map { FaceJSON($0) }
  }

  /// A picture that failed.
  package init(file: String?, error: String) {
    (self.file, self.error) = (file, error)
    (width, height, faces, warning) = (nil, nil, [], nil)
  }

  /// What came of a photo.
  package init(_ outcome: PhotoPipeline.Outcome) {
    if let error = outcome.error {
      self.init(file: outcome.name, error: error.message)
    } else {
      self.init(
        file: outcome.name, width: outcome.width, height: outcome.height, faces: outcome.faces,
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
  private let box: Box
  private let emotion: Emotion
  private let probability: Float
  private let scores: [Emotion: Float]
  /// Only there where it is false.
  private let confident: Bool?

  /// Lays out `reading`.
  package init(_ reading: FaceReading) {
    box = reading.box
    emotion = reading.emotion
    probability = reading.probability
    scores = reading.distribution.scores
    confident = reading.isConfident ? nil : false
  }
}

extension EmotionDistribution {
  /// The probabilities by emotion, 0…1.
  package var scores: [Emotion: Float] {
    Dictionary(uniqueKeysWithValues: zip(labels.emotions, probabilities))
  }
}
