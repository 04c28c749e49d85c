import Dispatch
package import Foundation
import MienCore
import Synchronization

/// The frames of a camera, or of a file at its own pace as if it were one: always the newest. A frame that comes before the
/// last was fetched takes its place, so that nothing that is seen grows old, however long others take over a frame.
package final class LiveFrames: Sendable {
  private let mailbox = Mailbox()
  /// Upright size in pixels.
  package let width: Int
  /// Upright height in pixels.
  package let height: Int

  /// Plays a file, or a network's address, in real time. A stream without an end is taken as it comes.
  package init(contentsOf url: URL) throws {
    let reader = try VideoReader(contentsOf: url, isLive: true, limits: VideoLimits())
    (width, height) = (reader.width, reader.height)
    if !url.isFileURL, reader.frameCount == nil {
      start(asTheyCome: reader)
    } else {
      start { mailbox, start, clock in
        // Frames whose time has passed are not even converted.
        guard let frame = try reader.next(notBefore: (clock.now - start) / .seconds(1)) else { return nil }
        let due = start + .seconds(frame.seconds)
        while clock.now < due, !mailbox.isStopped {
          Thread.sleep(forTimeInterval: min(0.05, max(0, (due - clock.now) / .seconds(1))))
        }
        return frame
      }
    }
  }

  /// Opens a camera: its number, from 0 on, or its device's path. Times are seconds since the first frame came.
  package init(camera: String) throws {
    let reader = try VideoReader(camera: camera)
    (width, height) = (reader.width, reader.height)
    start(asTheyCome: reader)
  }

  private func start(asTheyCome reader: VideoReader) {
    start { _, start, clock in
      guard let frame = try reader.next() else { return nil }
      return VideoFrame(index: frame.index, seconds: (clock.now - start) / .seconds(1), image: frame.image)
    }
  }

  deinit { mailbox.stop() }

  /// Fetches frames on a thread of its own until there are no more, or nobody wants them.
  private func start(
    _ next: @escaping @Sendable (Mailbox, ContinuousClock.Instant, ContinuousClock) throws -> VideoFrame?
  ) {
    let mailbox = mailbox
    Thread.detachNewThread {
      let clock = ContinuousClock()
      let start = clock.now
      while !mailbox.isStopped {
        do {
          guard let frame = try next(mailbox, start, clock) else { break }
          mailbox.put(frame)
        } catch {
          mailbox.fail(error)
        }
      }
      mailbox.stop()
    }
  }

  /// The newest frame that was not fetched yet; waits for it. Nil at the end.
  package func next() throws -> VideoFrame? { try mailbox.take() }

  /// Frames that nobody fetched.
  package var dropped: Int { mailbox.dropped }
}

/// Room for one frame.
private final class Mailbox: Sendable {
  private struct State {
    var frame: VideoFrame?
    var failure: (any Error)?
    var isStopped = false
    var dropped = 0
  }

  private let state = Mutex(State())
  private let arrivals = DispatchSemaphore(value: 0)

  var isStopped: Bool { state.withLock(\.isStopped) }
  var dropped: Int { state.withLock(\.dropped) }

  func put(_ frame: VideoFrame) {
    state.withLock { state in
      if state.frame != nil { state.dropped += 1 }
      state.frame = frame
    }
    arrivals.signal()
  }

  func fail(_ error: any Error) {
    state.withLock { $0.failure = error }
    stop()
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    arrivals.signal()
  }

  func take() throws -> VideoFrame? {
    while true {
      arrivals.wait()
      let (frame, isStopped, failure) = state.withLock { state in
        defer { state.frame = nil }
        return (state.frame, state.isStopped, state.failure)
      }
      if let frame { return frame }
      guard isStopped else { continue }
      // For whoever asks again.
      arrivals.signal()
      if let failure { throw failure }
      return nil
    }
  }
}
