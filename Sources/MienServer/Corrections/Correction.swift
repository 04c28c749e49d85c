package import Foundation
package import MienCore
package import MienInference

/// A face whose emotion a user has corrected or confirmed.
package struct Correction: Sendable, Equatable {
  /// The number that it is deleted by; 0 until it is stored.
  package var id: Int64 = 0
  /// Whose correction it is.
  package var profile: ProfileName
  /// The client that sent it; empty where clients are not told apart.
  package var owner = ""
  /// When it was made, to the millisecond.
  package var created: Date
  /// What the user says that the face shows.
  package var emotion: Emotion
  /// What the model said.
  package var readEmotion: Emotion
  /// The probability of that, 0…1.
  package var readProbability: Float
  /// The model's label set.
  package var labels: String
  /// The weights that made the embedding: those of another model mean something else.
  package var weightsSHA256: String
  /// The model's embedding of the face, [D].
  package var embedding: [Float]
  /// The face as the model saw it, as a PNG file; nil where it was not asked for.
  package var crop: Data?

  /// Describes a correction, not stored yet.
  package init(
    profile: ProfileName, owner: String = "", created: Date = Date(), emotion: Emotion, readEmotion: Emotion,
    readProbability: Float, labels: String, weightsSHA256: String, embedding: [Float], crop: Data? = nil
  ) {
    self.profile = profile
    self.owner = owner
    self.created = Date(timeIntervalSince1970: (created.timeIntervalSince1970 * 1000).rounded() / 1000)
    self.emotion = emotion
    self.readEmotion = readEmotion
    self.readProbability = readProbability
    self.labels = labels
    self.weightsSHA256 = weightsSHA256
    self.embedding = embedding
    self.crop = crop
  }
}
