public import MienVision

/// A frame of a video and what its faces show.
public struct FrameReadings: Sendable {
  /// The frame's number in order of presentation, from 0; frames that were passed over count.
  public let index: Int
  /// When it is shown, in seconds after the first frame.
  public let seconds: Double
  /// Upright, RGB.
  public let image: Image
  /// Whether it is the first frame, or the first after a cut.
  public let startsScene: Bool
  /// The faces, in the order in which they were found.
  public let faces: [TrackedReading]
}
