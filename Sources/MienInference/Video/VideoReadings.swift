public import Foundation
import MienCore
import MienVision

/// The frames of a video with what their faces show, one after another:
///
/// ```swift
/// for try await frame in try await recognizer.readings(inVideo: url) {
///   for face in frame.faces { print(frame.seconds, face.track, face.emotion?.rawValue ?? "unsure") }
/// }
/// ```
///
/// - Faces are found and followed as `docs/video.md` says, read in batches, and numbered and smoothed by
///   ``ReadingTracker``. Frames without a face come too, with no faces.
/// - A video is read once, by one iterator.
/// - At most some twenty frames are in memory. Work goes a little ahead of the caller, off the cooperative pool, and ends
///   where the iterator or the caller's task does: then iteration throws `CancellationError`.
/// - A file that is cut off gives its whole frames, then throws ``MienError``.
public struct VideoReadings: AsyncSequence, Sendable {
  /// One frame.
  public typealias Element = FrameReadings
  private let session: VideoSession
  private let meter: VideoMeter
  private let isLive: Bool

  /// Reads a source.
  ///
  /// - Parameter isLive: whether frames come from a camera: then each is read before the next is fetched.
  package init(source: any FrameSource, recognizer: Recognizer, options: VideoOptions = .init(), isLive: Bool) throws {
    try options.validate()
    var options = options
    // A track must last from one frame that is read to the one after the next.
    let pace = Double(options.every) / (source.framesPerSecond ?? 25)
    options.tracking.maxGap = Swift.min(10, Swift.max(options.tracking.maxGap, 2.5 * pace))
    meter = VideoMeter()
    self.isLive = isLive
    session = VideoSession(
      source: source, recognizer: recognizer, options: options, isLive: isLive, meter: meter)
  }

  /// Where the time went so far.
  package var timings: VideoTimings { meter.timings }

  /// Starts to read.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(session: session, isLive: isLive) }

  /// Hands out frames, and keeps the next ones coming meanwhile.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private let session: VideoSession
    private let isLive: Bool
    private let lookahead = Lookahead()
    private var ready: ArraySlice<FrameReadings> = []

    init(session: VideoSession, isLive: Bool) {
      self.session = session
      self.isLive = isLive
    }

    /// The next frame; nil at the end.
    ///
    /// - Throws: ``MienError`` where the video cannot be read to its end or a native library fails, `CancellationError`
    ///   where the task was cancelled.
    public mutating func next() async throws -> FrameReadings? {
      try Task.checkCancellation()
      if let frame = ready.popFirst() { return frame }
      let task = lookahead.task ?? Self.start(session)
      lookahead.task = nil
      let frames = try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
      guard let frames else { return nil }
      if !isLive { lookahead.task = Self.start(session) }
      ready = frames[...]
      return ready.popFirst()
    }

    private static func start(_ session: VideoSession) -> Task<[FrameReadings]?, any Error> {
      Task { try await session.next() }
    }
  }

  /// The work that is under way; cancelled with the iterator.
  private final class Lookahead {
    var task: Task<[FrameReadings]?, any Error>?
    deinit { task?.cancel() }
  }
}

extension Recognizer {
  /// The frames of a video file with what their faces show; see ``VideoReadings``. The file is opened off the cooperative
  /// pool, and its faces are found by this recognizer's detector.
  ///
  /// - Throws: ``MienError`` that names the file: it is missing, no video, has no video stream, or its codec cannot be
  ///   decoded here; or an option is out of range.
  public func readings(inVideo url: URL, options: VideoOptions = .init()) async throws -> VideoReadings {
    try await NativeQueue.shared.run {
      try VideoReadings(source: VideoReader(contentsOf: url), recognizer: self, options: options, isLive: false)
    }
  }
}
