import Foundation
import Logging
import MienCore
import MienInference
import MienVision
import ServiceLifecycle
import Synchronization

/// The videos that were sent to be read, one at a time.
final class VideoJobs: Service {
  private struct State {
    var jobs: [String: VideoJob] = [:]
    var running: (id: String, task: Task<Void, any Error>)?
  }

  private let folder: URL?
  private let limits: ServerLimits
  private let engine: InferenceEngine
  private let metrics: Metrics
  private let logger: Logger
  private let state = Mutex(State())
  private let queue: AsyncStream<String>
  private let enqueue: AsyncStream<String>.Continuation
  /// Files are written and removed on threads of their own: a disk may be slow.
  private let files = NativeQueue(width: 2)
  private static let ended = "mien_videos_total"

  /// Takes up what an earlier server left in `folder`: jobs that it did not finish have failed, and what was sent for
  /// them is removed. What is no job's is left alone. Blocks.
  ///
  /// - Parameters:
  ///   - folder: nil if there is none; then no videos are taken.
  ///   - clients: the names of clients by those that earlier servers gave them.
  init(
    folder: StateFolder?, clients: [String: AccessTokens.Client], limits: ServerLimits, engine: InferenceEngine,
    metrics: Metrics, logger: Logger
  ) throws {
    self.folder = folder?.jobs
    self.limits = limits
    self.engine = engine
    self.metrics = metrics
    self.logger = logger
    (queue, enqueue) = AsyncStream.makeStream()
    metrics.declareCounter(Self.ended, "Videos that were worked on.", by: "outcome", ["done", "failed", "deleted"])
    guard let jobs = folder?.jobs else { return }
    var found: [String: VideoJob] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: jobs.path)) ?? []
    where Identifier.isValid(name) {
      let place = VideoJobFolder(jobs, id: name)
      guard var job = place.read(), job.id == name, job.state != .receiving else {
        place.removeRemains()
        continue
      }
      let isCut = !job.isFinished
      if isCut {
        Self.fail(&job, "The server stopped before the video was read.")
        try? FileManager.default.removeItem(at: place.upload)
        try? FileManager.default.removeItem(at: place.result)
      }
      let renamed = clients[job.client]
      job.client = renamed ?? job.client
      if isCut || renamed != nil { try place.write(job) }
      found[name] = job
    }
    state.withLock { [found] in $0.jobs = found }
  }

  /// Whether videos are taken.
  var isOpen: Bool { folder != nil }

  /// How many there are in each state.
  func count(_ wanted: VideoJob.State) -> Int { state.withLock { $0.jobs.values.count { $0.state == wanted } } }

  /// Makes a job whose upload is written by `receive`, and puts it into the queue.
  ///
  /// - Throws: ``APIError`` where there are too many, or the disk is full.
  func add(
    _ options: VideoJob.Options, client: AccessTokens.Client,
    receive: (_ append: (Data) async throws -> Void) async throws -> Void
  ) async throws -> VideoJob {
    guard let folder else { throw APIError.noVideos }
    let job = VideoJob(id: Identifier.random(), client: client, options: options, created: Date())
    try state.withLock { state in
      guard state.jobs.values.count(where: { !$0.isFinished }) < limits.videos else {
        throw APIError.busy(.videos, "Too many videos wait to be read.", retryAfter: 30)
      }
      // Results are kept for a while; they must not fill the disk.
      guard state.jobs.count < 16 * limits.videos else {
        throw APIError.busy(
          .results, "Too many results are kept; delete those that are no longer needed.", retryAfter: 60)
      }
      state.jobs[job.id] = job
    }
    let place = VideoJobFolder(folder, id: job.id)
    do {
      let file = try await files.run { () throws -> GrowingFile in
        try place.make()
        return try GrowingFile(place.upload)
      }
      try await receive { data in try await self.files.run { try file.append(data) } }
      var queued = job
      queued.state = .queued
      try await files.run { [queued] in
        do { try place.write(queued) } catch { throw Self.isDiskFull(place) ? APIError.diskFull : error }
      }
      state.withLock { $0.jobs[job.id]?.state = .queued }
      guard case .enqueued = enqueue.yield(job.id) else { throw CancellationError() }
      return queued
    } catch {
      state.withLock { $0.jobs[job.id] = nil }
      try await files.run { place.remove() }
      throw error
    }
  }

  /// The job `id`.
  ///
  /// - Throws: ``APIError`` where there is none, or it is another client's.
  func job(_ id: String, client: AccessTokens.Client) throws -> VideoJob {
    try state.withLock { state in
      guard let job = state.jobs[id], job.client == client, isShown(job) else { throw APIError.noVideo }
      return job
    }
  }

  /// The jobs of `client`, in the order in which they were made.
  func jobs(of client: AccessTokens.Client) -> [VideoJob] {
    state.withLock { $0.jobs.values.filter { $0.client == client && isShown($0) } }
      .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
  }

  /// Whether a job is whole and has not expired.
  private func isShown(_ job: VideoJob) -> Bool { job.state != .receiving && !isExpired(job) }

  private func isExpired(_ job: VideoJob) -> Bool {
    job.finished.map { -$0.timeIntervalSinceNow > limits.resultSeconds } ?? false
  }

  /// What came of the job `id`: JSON Lines.
  ///
  /// - Parameter isPartial: whether the rows so far will do, of a job that is not done or has failed.
  /// - Throws: ``APIError`` where it is not done.
  func result(_ id: String, client: AccessTokens.Client, isPartial: Bool) async throws -> VideoResult? {
    guard let folder else { throw APIError.noVideos }
    let job = try job(id, client: client)
    guard isPartial || job.state == .done else {
      throw APIError(
        .conflict, job.state == .failed ? "failed" : "not_finished", job.error ?? "The video is not read yet.")
    }
    let place = VideoJobFolder(folder, id: id)
    return try await files.run { [files] in
      if isPartial, !FileManager.default.fileExists(atPath: place.result.path) { return nil }
      return try VideoResult(place.result, isPartial: job.state != .done, queue: files)
    }
  }

  /// Removes the job `id` with its files; one that is being worked on stops.
  func remove(_ id: String, client: AccessTokens.Client) async throws {
    guard let folder else { throw APIError.noVideos }
    let job = try job(id, client: client)
    let running = state.withLock { state in
      state.jobs[id] = nil
      return state.running?.id == id ? state.running?.task : nil
    }
    if !job.isFinished { metrics.add(to: Self.ended, "deleted") }
    running?.cancel()
    let place = VideoJobFolder(folder, id: id)
    try await files.run { place.remove() }
  }

  /// Removes results that were kept for long enough.
  func removeExpired() async {
    guard let folder else { return }
    let expired = state.withLock { state in
      let expired = state.jobs.values.filter(isExpired).map(\.id)
      for id in expired { state.jobs[id] = nil }
      return expired
    }
    if expired.isEmpty { return }
    try? await files.run { for id in expired { VideoJobFolder(folder, id: id).remove() } }
  }

  // MARK: - Work

  /// Works on jobs until the server stops and those that were accepted are done, or it may wait no longer.
  func run() async throws {
    await withGracefulShutdownHandler {
      for await id in queue { await work(id) }
    } onGracefulShutdown: {
      self.enqueue.finish()
    }
    // What is left was cut short.
    for id in state.withLock({ $0.jobs.values.filter { $0.state == .queued }.map(\.id) }) {
      await finish(id, error: "The server stopped before the video was read.")
    }
  }

  private func work(_ id: String) async {
    guard let folder else { return }
    let start = ContinuousClock.now
    let place = VideoJobFolder(folder, id: id)
    // In one step, so that whoever removes a job that is being read finds the task to cancel.
    let task: Task<Void, any Error>? = state.withLock { state in
      guard let job = state.jobs[id] else { return nil }
      state.jobs[id]?.state = .running
      let task = Task { try await read(job, place) }
      state.running = (id, task)
      return task
    }
    guard let task else { return }
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    state.withLock { $0.running = nil }
    await finish(id, error: message(of: result, id, place), seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  /// Why a video could not be read, as a sentence for the client; nil if it could.
  private func message(of result: Result<Void, any Error>, _ id: String, _ place: VideoJobFolder) -> String? {
    switch result {
    case .success: return nil
    case .failure(let error as APIError): return error.message
    case .failure(let error as MienError) where error.subject == place.upload.path && error.kind == .format:
      return "The video \(error.message)."
    case .failure(is CancellationError): return "The server stopped before the video was read."
    case .failure(let error):
      logger.error("a video could not be read", metadata: ["video": "\(id)", "error": "\(error)"])
      return "The server failed to read the video."
    }
  }

  private func read(_ job: VideoJob, _ place: VideoJobFolder) async throws {
    let output = try await files.run { try GrowingFile(place.result) }
    let (recognizer, options) = (engine.recognizer, job.options.videoOptions)
    let (reader, readings) = try await files.run {
      let reader = try VideoReader(contentsOf: place.upload)
      return (reader, try VideoReadings(source: reader, recognizer: recognizer, options: options, isLive: false))
    }
    var frames = 0
    for try await frame in readings {
      let lines = try frame.rows.map { try JSON.encode($0) + Data("\n".utf8) }
      try await files.run { try output.append(Data(lines.joined())) }
      frames += 1
      let progress = reader.frameCount.map { min(1, Double(frame.index + 1) / Double($0)) }
      state.withLock { [frames] state in
        state.jobs[job.id]?.frames = frames
        state.jobs[job.id]?.progress = progress
      }
    }
  }

  /// Notes the end of a job, unless it was removed meanwhile. The rows of one that failed are kept as they are.
  private func finish(_ id: String, error: String?, seconds: Double = 0) async {
    guard let folder else { return }
    let place = VideoJobFolder(folder, id: id)
    let job: VideoJob? = state.withLock { state in
      guard var job = state.jobs[id] else { return nil }
      if let error {
        Self.fail(&job, error)
      } else {
        (job.state, job.finished, job.progress) = (.done, Date(), 1)
      }
      return job
    }
    try? await files.run {
      guard let job else { return place.remove() }
      place.tidy()
      try? place.write(job)
    }
    guard let job else { return }
    // Clients hear of the end when the files are as they will stay.
    let isThere = state.withLock { state in
      guard state.jobs[id] != nil else { return false }
      state.jobs[id] = job
      return true
    }
    guard isThere else {
      try? await files.run { place.remove() }
      return
    }
    metrics.add(to: Self.ended, job.state.rawValue)
    var metadata: Logger.Metadata = [
      "video": "\(id)", "state": "\(job.state.rawValue)", "frames": "\(job.frames)",
      "seconds": "\((seconds * 10).rounded() / 10)",
    ]
    if let error { metadata["error"] = "\(error)" }
    logger.info("video", metadata: metadata)
  }

  private static func isDiskFull(_ place: VideoJobFolder) -> Bool {
    var status = statvfs()
    return statvfs(place.url.path, &status) == 0 && status.f_bavail == 0
  }

  private static func fail(_ job: inout VideoJob, _ error: String) {
    (job.state, job.finished, job.error) = (.failed, Date(), error)
  }
}

extension APIError {
  static let noVideos = APIError(
    .notFound, "not_kept", "This server reads no videos: it has no folder for them, which --state-dir names.")
  static let noVideo = APIError(.notFound, "no_video", "There is no such video; its result may have expired.")
}
