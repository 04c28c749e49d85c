public import MienCore
import MienVision

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

  /// The smoothed probability of the label; if unsure, of the most probable emotion.
  public var probability: Float { emotion.flatMap { smoothed[$0] } ?? smoothed.top.probability }
}

/// The JSON of a followed face, as `mien video --json` and the server write it, described in `docs/video.md`. Part of both
/// contracts.
///
/// Reading it back gives an equal value but for what JSON does not hold: ``FaceReading/doubt``, the face's points, and digits
/// of the score and the pose beyond those written.
extension TrackedReading: Codable {
  private enum CodingKeys: String, CodingKey { case track, box, score, pose, emotion, probability, scores, smoothed }

  /// Writes the face; what is not known is written as null.
  public func encode(to encoder: any Encoder) throws { try Self.encode(self, to: encoder) }

  /// Writes a face, or for a moment without one the same keys with null.
  static func encode(_ face: TrackedReading?, to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(face?.track, forKey: .track)
    try container.encode(face?.reading.box, forKey: .box)
    try container.encode(face?.reading.writtenScore, forKey: .score)
    try container.encode(face?.reading.writtenPose, forKey: .pose)
    try container.encode(face?.emotion, forKey: .emotion)
    try container.encode(face?.probability, forKey: .probability)
    try container.encode(face?.reading.distribution, forKey: .scores)
    try container.encode(face?.smoothed, forKey: .smoothed)
  }

  /// Reads what ``encode(to:)`` writes.
  ///
  /// - Throws: `DecodingError`, or ``MienError`` if the scores are no probabilities.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let face = DetectedFace(
      box: try container.decode(Box.self, forKey: .box),
      score: try container.decodeIfPresent(Double.self, forKey: .score))
    self.init(
      track: try container.decode(Int.self, forKey: .track),
      reading: FaceReading(
        face: face, distribution: try container.decode(EmotionDistribution.self, forKey: .scores), doubt: nil,
        pose: try container.decodeIfPresent(FacePose.self, forKey: .pose)),
      smoothed: try container.decode(EmotionDistribution.self, forKey: .smoothed),
      emotion: try container.decodeIfPresent(Emotion.self, forKey: .emotion))
  }
}
