import MienCore
import MienVision

/// A followed face, as `mien video --json` and the server write it. Part of both contracts.
package struct TrackedFaceJSON: Encodable, Sendable {
  private let face: TrackedReading?

  private enum Keys: String, CodingKey { case track, box, score, pose, emotion, probability, scores, smoothed }

  /// Lays out `face`; nil is a moment without a face, whose values are null.
  package init(_ face: TrackedReading?) { self.face = face }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(face?.track, forKey: .track)
    try container.encode(face?.reading.box, forKey: .box)
    try container.encode(face?.reading.score, forKey: .score)
    try container.encode(face?.reading.pose, forKey: .pose)
    try container.encode(face?.emotion, forKey: .emotion)
    try container.encode(face?.probability, forKey: .probability)
    try container.encode(face?.reading.distribution.scores, forKey: .scores)
    try container.encode(face?.smoothed.scores, forKey: .smoothed)
  }
}
