public import MienCore
public import MienVision

/// A face in a picture and what it shows.
public struct FaceReading: Sendable, Hashable {
  /// Where the face is, in pixels of the whole upright picture.
  public let box: Box
  /// How sure the detector is; nil where no detector was used.
  public let detectionScore: Double?
  /// The probabilities of the emotions.
  public let distribution: EmotionDistribution
  /// Whether ``probability`` reaches the recognizer's threshold.
  public let isConfident: Bool

  /// Makes a reading.
  public init(box: Box, detectionScore: Double?, distribution: EmotionDistribution, isConfident: Bool = true) {
    self.box = box
    self.detectionScore = detectionScore
    self.distribution = distribution
    self.isConfident = isConfident
  }

  /// The most probable emotion.
  public var emotion: Emotion { distribution.top.emotion }
  /// Its probability, 0…1.
  public var probability: Float { distribution.top.probability }
}
