public import MienCore

/// A face's reading with the track that it belongs to and what the track says of it over time.
public struct TrackedReading: Sendable, Hashable {
  /// The face's number, from 1 in order of appearance: it stays the same while the face is followed, through short losses
  /// too, and is never used again.
  public let track: Int
  /// The reading of this moment alone.
  public let reading: FaceReading
  /// The probabilities averaged over the track's last moments.
  public let smoothed: EmotionDistribution
  /// The track's label, by hysteresis; nil where ``smoothed`` gives it less than the set confidence: "unsure".
  public let emotion: Emotion?

  /// Makes a tracked reading.
  public init(track: Int, reading: FaceReading, smoothed: EmotionDistribution, emotion: Emotion?) {
    self.track = track
    self.reading = reading
    self.smoothed = smoothed
    self.emotion = emotion
  }

  /// The smoothed probability of the label; where unsure, of the most probable emotion.
  package var probability: Float { emotion.flatMap { smoothed[$0] } ?? smoothed.top.probability }
}
