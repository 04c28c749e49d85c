public import MienVision

/// A frame of a video or a camera and what its faces show.
public struct FrameReadings: Sendable {
  /// The frame's number in order of presentation, from 0; frames that were passed over count.
  public let index: Int
  /// When it is shown, in seconds after the first frame.
  public let seconds: Double
  /// The upright frame's width in pixels.
  public let width: Int
  /// The upright frame's height in pixels.
  public let height: Int
  /// The frame, upright, RGB; `nil` if the readings come from JSON or a server's session.
  public let image: Image?
  /// Whether it is the first frame, or the first after a cut.
  public let startsScene: Bool
  /// What is wrong with a picture of a server's session, as ``Image/warning`` says; `nil` if nothing is.
  public let warning: String?
  /// The faces, in the order in which they were found.
  public let faces: [TrackedReading]

  init(index: Int, seconds: Double, image: Image, startsScene: Bool, faces: [TrackedReading]) {
    (self.index, self.seconds, self.image, self.startsScene) = (index, seconds, image, startsScene)
    (width, height, warning) = (image.wholeWidth, image.wholeHeight, nil)
    self.faces = faces
  }

  /// A frame whose picture is not kept.
  public init(
    index: Int, seconds: Double, width: Int, height: Int, startsScene: Bool = false, warning: String? = nil,
    faces: [TrackedReading]
  ) {
    (self.index, self.seconds, self.width, self.height) = (index, seconds, width, height)
    (image, self.startsScene, self.warning, self.faces) = (nil, startsScene, warning, faces)
  }

  /// The frame as lines of `mien video --json`: one row per face, or one of nulls if it has none.
  public var rows: [VideoRow] { faces.isEmpty ? [VideoRow(self, nil)] : faces.map { VideoRow(self, $0) } }
}

/// The JSON of a frame, as the server's sessions answer with it, described in `docs/server.md`. Part of that contract.
///
/// Reading it back gives an equal value but for the picture and ``startsScene``, which JSON does not hold.
extension FrameReadings: Codable {
  private enum CodingKeys: String, CodingKey {
    case index = "frame"
    case seconds, width, height, warning, faces
  }

  /// Writes number, time, size and faces; `warning` is there only if there is one.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(index, forKey: .index)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(width, forKey: .width)
    try container.encode(height, forKey: .height)
    try container.encodeIfPresent(warning, forKey: .warning)
    try container.encode(faces, forKey: .faces)
  }

  /// Reads what ``encode(to:)`` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      index: try container.decode(Int.self, forKey: .index),
      seconds: try container.decode(Double.self, forKey: .seconds),
      width: try container.decode(Int.self, forKey: .width), height: try container.decode(Int.self, forKey: .height),
      warning: try container.decodeIfPresent(String.self, forKey: .warning),
      faces: try container.decode([TrackedReading].self, forKey: .faces))
  }
}
