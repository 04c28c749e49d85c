import MienCore
import MienInference
import MienVision

/// A followed face, as sessions and videos write it; the keys are those of `mien video --json`.
struct TrackedFaceJSON: Encodable {
  /// Nil for a moment without a face, whose values are null.
  let face: TrackedReading?

  private enum Keys: String, CodingKey { case track, box, emotion, probability, scores, smoothed }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(face?.track, forKey: .track)
    try container.encode(face?.reading.box, forKey: .box)
    try container.encode(face?.emotion, forKey: .emotion)
    try container.encode(face?.probability, forKey: .probability)
    try container.encode(face?.reading.distribution.scores, forKey: .scores)
    try container.encode(face?.smoothed.scores, forKey: .smoothed)
  }
}

extension TrackedReading {
  /// The smoothed probability of the label; where unsure, of the most probable emotion.
  fileprivate var probability: Float { emotion.flatMap { smoothed[$0] } ?? smoothed.top.probability }
}
