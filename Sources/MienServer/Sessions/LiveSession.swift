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

  /// One is worked on while the next one is on its way.
  private static let maxInFlight = 2

  /// Seconds after which nothing of a face before counts any more.
  private static let maxGap = 10.0

  /// Who listens to the answers.
  nonisolated let events = FrameEvents()
  private let engine: InferenceEngine
  private let reader: InferenceEngine.Reader
  /// The last picture's time on the client's clock, and on the session's.
  private var lastSeconds: Double?
  private var clock = 0.0
  /// The pictures so far.
  private let sequence: FaceSequence
  private let start = ContinuousClock.now
  private var tracker: ReadingTracker
  private var inFlight = 0
  private var frames = 0
  private var last: Task<Void, Never>?

  init(_ options: Options, by reader: InferenceEngine.Reader, engine: InferenceEngine) {
    self.engine = engine
    self.reader = reader
    sequence = FaceSequence(finder: reader.finder)
    tracker = ReadingTracker(options: options.tracking)
  }

  /// Reads the next picture, after those that came before it.
  ///
  /// - Parameter seconds: the picture's time on the client's clock; nil for the time of its arrival.
  /// - Throws: ``APIError`` where two are under way already, or the picture cannot be read.
  func read(_ data: Data, seconds: Double?) async throws -> FrameReadings {
    guard inFlight < Self.maxInFlight else {
      throw APIError.busy(.frames, "Two pictures of this session are being read; wait for an answer.")
    }
    inFlight += 1
    defer { inFlight -= 1 }
    let seconds = seconds ?? (ContinuousClock.now - start) / .seconds(1)
    let frame = frames
    frames += 1
    let time = time(of: seconds)
    let (before, engine, reader, sequence) = (last, engine, reader, sequence)
    let task = Task { () throws -> FrameReadings in
      await before?.value
      let (reading, startsScene) = try await engine.read(data, seconds: time, by: reader, in: sequence)
      let answer = FrameReadings(
        index: frame, seconds: seconds, width: reading.width, height: reading.height, startsScene: startsScene,
        warning: reading.warning,
        faces: tracker.update(reading.faces, seconds: time, sceneChanged: startsScene))
      events.send(answer)
      return answer
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
}
