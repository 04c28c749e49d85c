/// A line of `mien video --json` and of the server's videos: a frame and a face, or a frame without one. Its JSON is
/// described in `docs/video.md` and part of both contracts.
public struct VideoRow: Codable, Sendable, Hashable {
  /// The frame's number in order of presentation, from 0.
  public let frame: Int
  /// When it is shown, in seconds after the first frame, to the microsecond.
  public let seconds: Double
  /// The face; `nil` if the frame has none.
  public let face: TrackedReading?

  private enum CodingKeys: String, CodingKey { case frame, seconds, track }

  init(_ frame: FrameReadings, _ face: TrackedReading?) {
    self.frame = frame.index
    seconds = (frame.seconds * 1e6).rounded() / 1e6
    self.face = face
  }

  /// Writes frame, time and the face's own keys on one level; without a face these are null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(frame, forKey: .frame)
    try container.encode(seconds, forKey: .seconds)
    try TrackedReading.encode(face, to: encoder)
  }

  /// Reads what ``encode(to:)`` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    frame = try container.decode(Int.self, forKey: .frame)
    seconds = try container.decode(Double.self, forKey: .seconds)
    let isFace = try container.decodeIfPresent(Int.self, forKey: .track) != nil
    face = isFace ? try TrackedReading(from: decoder) : nil
  }
}
