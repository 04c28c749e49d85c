/// A line of `mien video --json` and of the server's videos: a frame and a face, or a frame without one. Part of both
/// contracts.
package struct VideoRow: Encodable, Sendable {
  /// The frame's number in order of presentation, from 0.
  package let frame: Int
  /// When it is shown, in seconds after the first frame, to the microsecond.
  package let seconds: Double
  /// The face; nil where the frame has none.
  package let face: TrackedReading?

  private enum Keys: String, CodingKey { case frame, seconds }

  private init(_ frame: FrameReadings, _ face: TrackedReading?) {
    self.frame = frame.index
    seconds = (frame.seconds * 1e6).rounded() / 1e6
    self.face = face
  }

  /// The rows of a frame: one a face, or one of nulls.
  package static func rows(_ frame: FrameReadings) -> [VideoRow] {
    frame.faces.isEmpty ? [VideoRow(frame, nil)] : frame.faces.map { VideoRow(frame, $0) }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(frame, forKey: .frame)
    try container.encode(seconds, forKey: .seconds)
    try TrackedFaceJSON(face).encode(to: encoder)
  }
}
