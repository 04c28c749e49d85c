package import MienVision

/// Frames one after another: a video file, or a camera.
package protocol FrameSource: Sendable {
  /// The next frame; nil at the end. Blocks.
  func next() throws -> VideoFrame?
  /// Passes over a frame; false at the end. Blocks.
  func skip() throws -> Bool
}

extension VideoReader: FrameSource {}

extension LiveFrames: FrameSource {
  /// Passes over the newest frame.
  package func skip() throws -> Bool { try next() != nil }
}
