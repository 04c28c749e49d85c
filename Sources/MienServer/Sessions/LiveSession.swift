import Foundation
import MienInference

/// The pictures of one camera, one after another: faces keep their numbers and their readings are smoothed.
actor LiveSession {
  /// What a session is made with.
  struct Options: Codable, Sendable {
    /// Under this smoothed probability a face's emotion is unsure, 0…1.
    var minConfidence = FaceReading.standardMinConfidence
    /// Whether readings are averaged over time.
    var smoothing = true

    /// The tracker's options.
    var tracking: ReadingTrackerOptions {
      var options = smoothing ? ReadingTrackerOptions() : .unsmoothed
      options.minConfidence = minConfidence
      return options
    }
  }

  /// What came of a picture.
  struct Answer: Sendable {
    let frame: Int
    let seconds: Double
    let width: Int
    let height: Int
    let faces: [TrackedReading]
  }

  /// One is worked on while the next one is on its way.
  private static let maxInFlight = 2

  /// Seconds after which nothing of a face before counts any more.
  private static let maxGap = 10.0

  private let engine: InferenceEngine
  /// The last picture's time on the client's clock, and on the session's.
  private var lastSeconds: Double?
  private var clock = 0.0
  /// The pictures so far; its cascades are loaded for the first.
  private var sequence: FaceSequence?
  private let start = ContinuousClock.now
  private var tracker: ReadingTracker
  private var inFlight = 0
  private var frames = 0
  private var last: Task<Void, Never>?

  init(_ options: Options, engine: InferenceEngine) {
    self.engine = engine
    tracker = ReadingTracker(options: options.tracking)
  }

  /// Reads the next picture, after those that came before it.
  ///
  /// - Parameter seconds: the picture's time on the client's clock; nil for the time of its arrival.
  /// - Throws: ``APIError`` where two are under way already, or the picture cannot be read.
  func read(_ data: Data, seconds: Double?) async throws -> Answer {
    guard inFlight < Self.maxInFlight else {
      throw APIError.busy(.frames, "Two pictures of this session are being read; wait for an answer.")
    }
    inFlight += 1
    defer { inFlight -= 1 }
    let seconds = seconds ?? (ContinuousClock.now - start) / .seconds(1)
    let frame = frames
    frames += 1
    let time = time(of: seconds)
    let (before, engine) = (last, engine)
    let task = Task { () throws -> Answer in
      await before?.value
      let sequence = opened()
      let (reading, startsScene) = try await engine.read(data, seconds: time, in: sequence)
      return Answer(
        frame: frame, seconds: seconds, width: reading.width, height: reading.height,
        faces: tracker.update(reading.faces, seconds: time, sceneChanged: startsScene))
    }
    last = Task { _ = await task.result }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// The time of a picture on the session's own clock. A client's clock that is set, or one wrong time, moves it by
  /// ``maxGap`` at most: the pictures after it are smoothed as before.
  private func time(of seconds: Double) -> Double {
    let (step, before) = (lastSeconds.map { seconds - $0 } ?? 0, clock)
    lastSeconds = seconds
    clock = before + min(max(step, 0), Self.maxGap)
    return clock
  }

  private func opened() -> FaceSequence {
    if let sequence { return sequence }
    let made = engine.sequence()
    sequence = made
    return made
  }
}
