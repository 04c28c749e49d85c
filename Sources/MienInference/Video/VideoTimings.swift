import Synchronization

/// Where the time of a video went, summed over threads.
package struct VideoTimings: Sendable {
  /// Decoding frames and turning them into RGB.
  package var decoding: Duration = .zero
  /// Finding cuts, finding and following faces.
  package var searching: Duration = .zero
  /// Cutting faces out and preprocessing them.
  package var framing: Duration = .zero
  /// Running the network.
  package var classifying: Duration = .zero
}

/// Adds up times from several threads.
final class VideoMeter: Sendable {
  private let sums = Mutex(VideoTimings())

  var timings: VideoTimings { sums.withLock(\.self) }

  /// Runs `body` and adds the time that it takes to `part`.
  func measure<Result>(
    _ part: any WritableKeyPath<VideoTimings, Duration> & Sendable, _ body: () throws -> Result
  ) rethrows -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    defer { add(clock.now - start, to: part) }
    return try body()
  }

  /// Adds a time that was measured elsewhere.
  func add(_ elapsed: Duration, to part: any WritableKeyPath<VideoTimings, Duration> & Sendable) {
    sums.withLock { $0[keyPath: part] += elapsed }
  }
}
