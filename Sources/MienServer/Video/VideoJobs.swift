import Foundation
import Logging
import MienCore
import MienInference
import MienVision
import ServiceLifecycle
import Synchronization

/// The videos that were sent to be read, one at a time. Those of several clients are read in turns of some seconds; those of
/// one client one after another.
final class VideoJobs: Service {
  /// A video that is open.
  private struct Reading {
    let task: Task<Void, any Error>
    let client: AccessTokens.Client
    /// Says about what it takes of memory; that of the largest frames as long as its own are not known.
    var bytes: @Sendable () -> Int
  }

  private struct State {
    var jobs: [String: VideoJob] = [:]
    /// The videos that are open, one of a client; those that were removed, too, until their decoders are done.
    var open: [String: Reading] = [:]
    /// When each client last had a video opened.
    var turns: [AccessTokens.Client: Int] = [:]
    var isStopping = false

    /// Whole seconds until the next result of `client` that is kept for `seconds` expires, or of anybody if it has none.
    func secondsUntilExpiry(of client: AccessTokens.Client, after seconds: Double) -> Int {
      let own = jobs.values.filter { $0.client == client }
      let ends = (own.isEmpty ? Array(jobs.values) : own).compactMap(\.finished)
      let age = ends.min().map { -$0.timeIntervalSinceNow } ?? 0
      return max(1, Int((seconds - age).rounded(.up)))
    }
  }

  private let folder: URL?
  private let program: String
  private let limits: ServerLimits
  private let engine: InferenceEngine
  private let metrics: Metrics
  private let logger: Logger
  private let state = Mutex(State())
  /// Which of the open videos is read.
  private let reading = Admission(places: 1, capacity: .max)
  /// An element when a video may have to be opened; which, ``openNext()`` says.
  private let changes: AsyncStream<Void>
  private let change: AsyncStream<Void>.Continuation
  /// Files are written and removed on threads of their own: a disk may be slow.
  private let files = NativeQueue(width: 2)
  private static let ended = "mien_videos_total"

  /// Servers that may end while they read a video; the next one does not try again: it may be the video that ends them.
  private static let maxAttempts = 2

  /// Takes up what an earlier server left in `folder`: jobs that it did not finish are read from their beginning. What is
  /// no job's is left alone. Blocks.
  ///
  /// - Parameters:
  ///   - folder: nil if there is none; then no videos are taken.
  ///   - clients: the names of clients by those that earlier servers gave them.
  init(
    folder: StateFolder?, clients: [String: AccessTokens.Client], options: ServerOptions, engine: InferenceEngine,
    metrics: Metrics, logger: Logger
  ) throws {
    self.folder = folder?.jobs
    (program, limits) = (options.program, options.limits)
    self.engine = engine
    self.metrics = metrics
    self.logger = logger
    (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    metrics.declareCounter(Self.ended, "Videos that were worked on.", by: "outcome", ["done", "failed", "deleted"])
    guard let jobs = folder?.jobs else { return }
    var found: [String: VideoJob] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: jobs.path)) ?? []
    where Identifier.isValid(name) {
      let place = VideoJobFolder(jobs, id: name)
      guard var job = place.read(), job.id == name, job.state != .receiving else {
        if place.hasRecord, let aside = place.putAside() {
          logger.warning(
            "the record of a video is damaged; its files are kept apart, and no longer served",
            metadata: ["folder": "\(aside.path)"])
        } else if place.removeRemains() {
          logger.info(
            "video", metadata: ["video": "\(name)", "state": "deleted", "error": "its upload was not finished"])
        }
        continue
      }
      let isCut = !job.isFinished
      if isCut { Self.restart(&job, place) } else { place.tidy() }
      let renamed = clients[job.client]
      job.client = renamed ?? job.client
      if isCut || renamed != nil { try place.write(job) }
      found[name] = job
    }
    state.withLock { [found] in $0.jobs = found }
    change.yield()
  }

  /// Puts a job that was not finished back into the queue, if it can be read at all.
  private static func restart(_ job: inout VideoJob, _ place: VideoJobFolder) {
    if job.attempts ?? 0 >= maxAttempts {
      fail(&job, .video("The server stopped \(maxAttempts) times while it read the video."))
      place.tidy()
    } else if FileManager.default.fileExists(atPath: place.upload.path) {
      place.removeRows()
      (job.state, job.frames, job.progress) = (.queued, 0, nil)
    } else {
      fail(&job, .video("The server stopped before the video was read."))
    }
  }

  private static func isEarlier(_ one: VideoJob, _ other: VideoJob) -> Bool {
    (one.created, one.id) < (other.created, other.id)
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
      let unfinished = state.jobs.values.filter { !$0.isFinished }
      guard unfinished.count < limits.videos else {
        throw APIError.busy(.videos, "Too many videos are being received or wait to be read.", retryAfter: 30)
      }
      let own = unfinished.count { $0.client == client }
      guard AccessTokens.mayTake(own: own, others: unfinished.count - own, of: limits.videos, for: client) else {
        throw APIError.busy(
          .videos, "Too many of your videos are being received or wait to be read.", retryAfter: 30)
      }
      // Results are kept for a while; they must not fill the disk, nor those of one client all the room.
      let kept = state.jobs.values.count { $0.client == client }
      guard
        AccessTokens.mayTake(own: kept, others: state.jobs.count - kept, of: limits.keptVideos, for: client),
        state.jobs.count < limits.keptVideos
      else {
        throw APIError.busy(
          .results, "Too many results are kept; delete those that are no longer needed.",
          retryAfter: state.secondsUntilExpiry(of: client, after: limits.resultSeconds))
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
        do { try place.write(queued) } catch { throw APIError.isDiskFull(at: place.url) ? APIError.diskFull : error }
      }
      try state.withLock { state in
        if state.isStopping { throw CancellationError() }
        state.jobs[job.id]?.state = .queued
      }
      change.yield()
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
      .sorted(by: Self.isEarlier)
  }

  /// Whether a job is whole and has not expired.
  private func isShown(_ job: VideoJob) -> Bool { job.state != .receiving && !isExpired(job) }

  private func isExpired(_ job: VideoJob) -> Bool {
    job.finished.map { -$0.timeIntervalSinceNow > limits.resultSeconds } ?? false
  }

  /// What came of the job `id`: JSON Lines or CSV.
  ///
  /// - Parameter isPartial: whether the rows so far will do, of a job that is not done or has failed.
  /// - Throws: ``APIError`` where it is not done.
  func result(
    _ id: String, client: AccessTokens.Client, format: AnswerFormat, isPartial: Bool
  ) async throws -> VideoResult? {
    guard let folder else { throw APIError.noVideos }
    let job = try job(id, client: client)
    guard isPartial || job.state == .done else {
      throw APIError(
        .conflict, job.state == .failed ? "failed" : "not_finished", job.error ?? "The video is not read yet.")
    }
    let place = VideoJobFolder(folder, id: id)
    let file = format == .csv ? place.table : place.result
    return try await files.run { [files] in
      if !FileManager.default.fileExists(atPath: file.path) {
        if isPartial { return nil }
        // A version before this one wrote no CSV, and of a video without a frame there are no rows.
        if format == .csv, FileManager.default.fileExists(atPath: place.result.path) { throw APIError.noTable }
      }
      return try VideoResult(file, isPartial: job.state != .done, queue: files)
    }
  }

  /// Removes the job `id` with its files; one that is being worked on stops.
  func remove(_ id: String, client: AccessTokens.Client) async throws {
    guard let folder else { throw APIError.noVideos }
    let job = try job(id, client: client)
    let task = state.withLock { state in
      state.jobs[id] = nil
      return state.open[id]?.task
    }
    if !job.isFinished { metrics.add(to: Self.ended, "deleted") }
    task?.cancel()
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

  /// Removes the jobs of all but `clients` that are not finished. Results stay until they expire.
  func removeUnfinished(allBut clients: Set<AccessTokens.Client>) async {
    let others = state.withLock { state in
      state.jobs.values.filter { !$0.isFinished && isShown($0) && !clients.contains($0.client) }
    }
    for job in others {
      logger.info("video", metadata: ["video": "\(job.id)", "state": "deleted", "error": "its token was withdrawn"])
      try? await remove(job.id, client: job.client)
    }
  }

  // MARK: - Work

  /// Works on jobs until the server stops and those that were accepted are done, or it may wait no longer.
  func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for await _ in changes {
          while let (id, task) = openNext() {
            group.addTask {
              await self.work(id, task)
              self.change.yield()
            }
          }
          if state.withLock({ $0.isStopping && $0.open.isEmpty }) { break }
        }
      }
    } onGracefulShutdown: {
      self.state.withLock { $0.isStopping = true }
      self.change.yield()
    }
    // What is left waits for the next server.
  }

  /// Opens the next video, if there is one and those that are open leave memory for it: of the clients that have none open
  /// that whose turn was longest ago, and of its videos the first.
  private func openNext() -> (id: String, task: Task<Void, any Error>)? {
    guard let folder, !Task.isCancelled else { return nil }
    return state.withLock { state in
      guard state.open.values.reduce(0, { $0 + $1.bytes() }) <= limits.openVideoBytes else { return nil }
      let clients = Set(state.open.values.map(\.client))
      let queued = state.jobs.values.filter { $0.state == .queued && !clients.contains($0.client) }
      func turn(_ job: VideoJob) -> Int { state.turns[job.client] ?? 0 }
      guard let next = queued.min(by: { (turn($0), $0.created, $0.id) < (turn($1), $1.created, $1.id) }) else {
        return nil
      }
      state.turns[next.client] = 1 + (state.turns.values.max() ?? 0)
      // In one step, so that whoever removes a job that is being read finds the task to cancel.
      let task = Task { try await read(next, VideoJobFolder(folder, id: next.id)) }
      state.open[next.id] = Reading(
        task: task, client: next.client,
        bytes: { [limits] in OpenVideo.bytes(pixels: min(limits.videoPixels, 1 << 40)) })
      return (next.id, task)
    }
  }

  /// Waits for the end of an open video, and notes it.
  private func work(_ id: String, _ task: Task<Void, any Error>) async {
    guard let folder else { return }
    let start = ContinuousClock.now
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    // Of a video that was removed, the decoder may find no file.
    if case .failure(let error) = result, error is CancellationError || task.isCancelled {
      await postpone(id)
    } else {
      let problem = problem(of: result, id, VideoJobFolder(folder, id: id))
      await finish(id, error: problem, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
    state.withLock { $0.open[id] = nil }
  }

  /// Leaves a job to the next server, unless it was removed.
  private func postpone(_ id: String) async {
    guard let folder else { return }
    let place = VideoJobFolder(folder, id: id)
    let job: VideoJob? = state.withLock { state in
      guard var job = state.jobs[id] else { return nil }
      job.state = .queued
      state.jobs[id] = job
      return job
    }
    try? await files.run {
      guard let job else { return place.remove() }
      try place.write(job)
    }
    if job != nil { logger.info("video", metadata: ["video": "\(id)", "state": "postponed"]) }
  }

  /// Why a video could not be read; nil if it could.
  private func problem(of result: Result<Void, any Error>, _ id: String, _ place: VideoJobFolder) -> APIError? {
    switch result {
    case .success: return nil
    case .failure(let error as APIError): return error
    case .failure where APIError.isDiskFull(at: place.url): return APIError.diskFull
    case .failure(let error as MienError)
    where error.isAbout(place.upload) && [.file, .format, .limit, .native].contains(error.kind):
      return APIError(.unprocessableContent, APIError.unreadableVideo, "The video \(error.message).")
    case .failure(let error):
      logger.error("a video could not be read", metadata: ["video": "\(id)", "error": "\(error)"])
      return .video("The server failed to read the video.")
    }
  }

  /// Reads a video in turns with those of other clients: between them it stays open. A turn ends on time though a frame takes
  /// longer; what was begun of it goes on beside the next client's turn.
  private func read(_ job: VideoJob, _ place: VideoJobFolder) async throws {
    var video: OpenVideo?
    var isAtEnd = false
    while !isAtEnd {
      isAtEnd = try await reading.withPlace(for: job.client, patience: nil) { turn in
        let clock = Task { try await end(turn) }
        defer { clock.cancel() }
        // The next server has to know, whatever ends this one.
        try await persistRunning(job.id, place, adding: 1)
        defer { addAttempts(-1, to: job.id) }
        return try await withTaskCancellationHandler {
          if video == nil {
            let opened = try await open(job, place)
            let bytes = opened.bytes
            video = opened
            state.withLock { $0.open[job.id]?.bytes = bytes }
            change.yield()
          }
          // A frame at least: turns that are shorter than what goes before it would lead nowhere.
          repeat {
            guard let progress = try await video?.next() else {
              state.withLock { $0.jobs[job.id]?.warning = video?.warning }
              return true
            }
            state.withLock { state in
              state.jobs[job.id]?.frames = progress.count
              state.jobs[job.id]?.progress = progress.share
            }
          } while !turn.isOver
          return false
        } onCancel: {
          turn.end()
        }
      }
      // Whatever ends the server now, it was another client's video.
      if !isAtEnd { try await persistRunning(job.id, place, adding: 0) }
    }
  }

  /// Ends a turn after its time, as soon as another client waits.
  private func end(_ turn: Admission.Turn) async throws {
    try await Task.sleep(for: .seconds(limits.videoTurnSeconds))
    while reading.waitingCount == 0 { try await Task.sleep(for: .milliseconds(50)) }
    turn.end()
  }

  /// Adds to the number of servers that a video may have ended.
  private func addAttempts(_ attempts: Int, to id: String) {
    state.withLock { state in
      let sum = (state.jobs[id]?.attempts ?? 0) + attempts
      state.jobs[id]?.attempts = sum > 0 ? sum : nil
    }
  }

  /// Notes in the record of a job that it is being read, once more if `attempts` is 1.
  private func persistRunning(_ id: String, _ place: VideoJobFolder, adding attempts: Int) async throws {
    addAttempts(attempts, to: id)
    let job: VideoJob? = state.withLock { state in
      state.jobs[id]?.state = .running
      return state.jobs[id]
    }
    guard let job else { throw CancellationError() }
    try await files.run { try place.write(job) }
  }

  private func open(_ job: VideoJob, _ place: VideoJobFolder) async throws -> OpenVideo {
    let choice = job.options.choice ?? ReadingChoice()
    let reader: InferenceEngine.Reader
    do { reader = try await engine.reader(choice, client: job.client) } catch let error as APIError
      where error.code == APIError.noProfile.code
    {
      throw APIError(
        .notFound, error.code, "The profile \(choice.profile ?? "") was deleted before the video was read.")
    }
    return try await OpenVideo(
      place, by: reader, options: job.options.videoOptions, program: program, limits: limits, files: files)
  }

  /// Notes the end of a job, unless it was removed meanwhile. The rows of one that failed are kept as they are.
  private func finish(_ id: String, error: APIError?, seconds: Double = 0) async {
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
      do {
        // In this order: a server that is killed in between leaves an upload too many, not a result too few.
        try place.write(job)
        place.tidy()
      } catch {
        // The next server reads the video again.
        self.logger.error("the end of a video could not be noted", metadata: ["video": "\(id)", "error": "\(error)"])
      }
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
      "video": "\(id)", "state": "\(job.state.rawValue)", "frames": .stringConvertible(job.frames),
      "seconds": .stringConvertible((seconds * 10).rounded() / 10),
    ]
    if let error { metadata["error"] = "\(error.message)" }
    logger.info("video", metadata: metadata)
  }

  private static func fail(_ job: inout VideoJob, _ error: APIError) {
    (job.state, job.finished, job.error, job.errorCode) = (.failed, Date(), error.message, error.code)
  }
}
