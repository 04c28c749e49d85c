import Dispatch
package import MienVision
import Synchronization

/// Frames one after another: a video file, or a camera.
package protocol FrameSource: Sendable {
  /// Frames a second on the average; nil where it is not known.
  var framesPerSecond: Double? { get }
  /// The next frame; nil at the end. Blocks.
  func next() throws -> VideoFrame?
  /// Passes over a frame; false at the end. Blocks.
  func skip() throws -> Bool
}

extension VideoReader: FrameSource {}

extension LiveFrames: FrameSource {
  package var framesPerSecond: Double? { nil }
  /// Passes over the newest frame.
  package func skip() throws -> Bool { try next() != nil }
}

/// The frames of a source that are to be read. Of a file, the next is decoded while the caller works on the last.
final class FrameQueue: Sendable {
  private typealias Decoded = Result<VideoFrame?, any Error>

  private let source: any FrameSource
  private let every: Int
  private let isLive: Bool
  private let meter: VideoMeter
  private let thread = NativeQueue(width: 1)
  private let isDecoded = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  private struct State {
    /// How many frames to pass over before the next: none before the first.
    var skips = 0
    var decoded: Decoded?
  }

  /// - Parameters:
  ///   - every: every how many frames one is read.
  ///   - isLive: whether frames come from a camera: one that is fetched early grows old.
  init(source: any FrameSource, every: Int, isLive: Bool, meter: VideoMeter) {
    self.source = source
    self.every = every
    self.isLive = isLive
    self.meter = meter
    if !isLive { decodeAhead() }
  }

  /// The next frame; nil at the end. Blocks. One caller at a time.
  func next() throws -> VideoFrame? {
    if isLive { return try decode().get() }
    isDecoded.wait()
    guard case .success(let frame?) = state.withLock({ $0.decoded }) else {
      // The end stays the end.
      isDecoded.signal()
      return try state.withLock { $0.decoded }?.get()
    }
    decodeAhead()
    return frame
  }

  private func decodeAhead() {
    thread.start {
      let decoded = self.decode()
      self.state.withLock { $0.decoded = decoded }
      self.isDecoded.signal()
    }
  }

  private func decode() -> Decoded {
    let skips = state.withLock { state in
      defer { state.skips = every - 1 }
      return state.skips
    }
    return meter.measure(\.decoding) {
      Result {
        for _ in 0..<skips where try !source.skip() { return nil }
        return try source.next()
      }
    }
  }
}
