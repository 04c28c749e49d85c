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
    /// Jobs that were asked for and may be worked on when their upload is there.
    var isStopping = false
  }

  private let folder: StateFolder
  private let limits: ServerLimits
  private let engine: InferenceEngine
  private let logger: Logger
  private let state = Mutex(State())
  private let queue: AsyncStream<String>
  private let enqueue: AsyncStream<String>.Continuation
  /// Files are written on a thread of their own: a disk may be slow.
  private let files = NativeQueue(width: 2)

  /// Takes up what an earlier server left in `folder`: jobs that it did not finish have failed, and what was sent for
  /// them is removed. What is no job's is left alone.
  init(folder: StateFolder, limits: ServerLimits, engine: InferenceEngine, logger: Logger) throws {
    self.folder = folder
    self.limits = limits
    self.engine = engine
    self.logger = logger
    (queue, enqueue) = AsyncStream.makeStream()
    var jobs: [String: VideoJob] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.jobs.path)) ?? []
    where Identifier.isValid(name) {
      let place = VideoJobFolder(folder.jobs, id: name)
      guard var job = place.read(), job.id == name, job.state != .receiving else {
        place.removeRemains()
        continue
      }
      if !job.isFinished {
        Self.fail(&job, "The server stopped before the video was read.")
        try? FileManager.default.removeItem(at: place.upload)
        try? FileManager.default.removeItem(at: place.result)
        try place.write(job)
      }
      jobs[name] = job
    }
    state.withLock { [jobs] in $0.jobs = jobs }
  }

  /// How many there are in each state.
  func count(_ wanted: VideoJob.State) -> Int { state.withLock { $0.jobs.values.count { $0.state == wanted } } }

  /// Makes a job whose upload is written by `receive`, and puts it into the queue.
  ///
  /// - Throws: ``APIError`` where there are too many, or the disk is full.
  func add(
    _ options: VideoJob.Options, client: AccessTokens.Client,
    receive: (_ append: (Data) async throws -> Void) async throws -> Void
  ) async throws -> VideoJob {
    removeExpired()
    let job = VideoJob(id: Identifier.random(), client: client, options: options, created: Date())
    try state.withLock { state in
      guard state.jobs.values.count(where: { !$0.isFinished }) < limits.videos else {
        throw APIError.busy("Too many videos wait to be read.", retryAfter: 30)
      }
      // Results are kept for a while; they must not fill the disk.
      guard state.jobs.count < 16 * limits.videos else {
        throw APIError.busy("Too many results are kept; delete those that are no longer needed.", retryAfter: 60)
      }
      state.jobs[job.id] = job
    }
    let place = VideoJobFolder(folder.jobs, id: job.id)
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
    removeExpired()
    return try state.withLock { state in
      guard let job = state.jobs[id], job.client == client, job.state != .receiving else { throw APIError.noVideo }
      return job
    }
  }

  /// What came of the job `id`: JSON Lines.
  ///
  /// - Throws: ``APIError`` where it is not done.
  func result(_ id: String, client: AccessTokens.Client) async throws -> VideoResult {
    let job = try job(id, client: client)
    guard job.state == .done else {
      throw APIError(
        .conflict, job.state == .failed ? "failed" : "not_finished", job.error ?? "The video is not read yet.")
    }
    let place = VideoJobFolder(folder.jobs, id: id)
    return try await files.run { [files] in try VideoResult(place.result, queue: files) }
  }

  /// Removes the job `id` with its files; one that is being worked on stops.
  func remove(_ id: String, client: AccessTokens.Client) async throws {
    _ = try job(id, client: client)
    let running = state.withLock { state in
      state.jobs[id] = nil
      return state.running?.id == id ? state.running?.task : nil
    }
    running?.cancel()
    let place = VideoJobFolder(folder.jobs, id: id)
    try await files.run { place.remove() }
  }

  /// Removes results that were kept for long enough.
  func removeExpired() {
    let limit = Date(timeIntervalSinceNow: -limits.resultSeconds)
    let expired = state.withLock { state in
      let expired = state.jobs.values.filter { $0.finished.map { $0 < limit } ?? false }.map(\.id)
      for id in expired { state.jobs[id] = nil }
      return expired
    }
    for id in expired { VideoJobFolder(folder.jobs, id: id).remove() }
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
      finish(id, error: "The server stopped before the video was read.")
    }
  }

  private func work(_ id: String) async {
    let place = VideoJobFolder(folder.jobs, id: id)
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
    switch result {
    case .success: finish(id, error: nil)
    case .failure(let error as APIError): finish(id, error: error.message)
    case .failure(let error as MienError) where error.subject == place.upload.path && error.kind == .format:
      finish(id, error: "The video \(error.message).")
    case .failure(is CancellationError): finish(id, error: "The server stopped before the video was read.")
    case .failure(let error):
      logger.error("a video could not be read", metadata: ["video": "\(id)", "error": "\(error)"])
      finish(id, error: "The server failed to read the video.")
    }
  }

  private func read(_ job: VideoJob, _ place: VideoJobFolder) async throws {
    let output = try await files.run { try GrowingFile(place.result) }
    let reader = try await files.run { try VideoReader(contentsOf: place.upload) }
    let readings = try VideoReadings(
      source: reader, recognizer: engine.recognizer, options: job.options.videoOptions, isLive: false)
    var frames = 0
    for try await frame in readings {
      let lines = try VideoRow.rows(frame).map { try JSON.encode($0) + Data("\n".utf8) }
      try await files.run { try output.append(Data(lines.joined())) }
      frames += 1
      let progress = reader.frameCount.map { min(1, Double(frame.index + 1) / Double($0)) }
      state.withLock { [frames] state in
        state.jobs[job.id]?.frames = frames
        state.jobs[job.id]?.progress = progress
      }
    }
  }

  /// Notes the end of a job, unless it was removed meanwhile.
  private func finish(_ id: String, error: String?) {
    let place = VideoJobFolder(folder.jobs, id: id)
    try? FileManager.default.removeItem(at: place.upload)
    if error != nil { try? FileManager.default.removeItem(at: place.result) }
    let job: VideoJob? = state.withLock { state in
      guard var job = state.jobs[id] else { return nil }
      if let error {
        Self.fail(&job, error)
      } else {
        (job.state, job.finished, job.progress) = (.done, Date(), 1)
      }
      state.jobs[id] = job
      return job
    }
    guard let job else { return place.remove() }
    try? place.write(job)
  }

  private static func fail(_ job: inout VideoJob, _ error: String) {
    (job.state, job.finished, job.error) = (.failed, Date(), error)
  }

  private static func isDiskFull(_ place: VideoJobFolder) -> Bool {
    var status = statvfs()
    return statvfs(place.url.path, &status) == 0 && status.f_bavail == 0
  }
}

extension APIError {
  static let noVideo = APIError(.notFound, "no_video", "There is no such video; its result may have expired.")
}
