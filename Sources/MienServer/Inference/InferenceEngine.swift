import Foundation
import Glibc
import Logging
import MienCore
package import MienInference
import MienVision
import Synchronization

/// Reads the pictures of all requests: decoding and the search for faces on threads of its own, the network in batches
/// across requests.
package final class InferenceEngine: Sendable {
  /// What came of a picture.
  package struct Reading: Sendable {
    /// The whole upright picture's width in pixels.
    package let width: Int
    /// The whole upright picture's height in pixels.
    package let height: Int
    /// What is wrong with a picture that was read, as ``Image/warning`` says.
    package let warning: String?
    /// The faces, the largest first.
    package let faces: [FaceReading]
  }

  /// A model, a detector and the mix of emotions to expect, as a request has chosen them.
  struct Reader: Sendable {
    let model: ModelReader
    let finder: FaceFinder
    /// The detector's name.
    let detector: String
    let prior: ClassPrior
    /// Whose requests it serves.
    let client: AccessTokens.Client

    /// All that as the library puts it together. Blocks.
    func recognizer() throws -> Recognizer {
      try Recognizer(classifier: model.classifier(prior: prior), finder: finder, minConfidence: 0)
    }

    /// A reading for the mix of emotions that is expected: the network's batches serve requests of any mix.
    func reweighted(_ reading: FaceReading) throws -> FaceReading {
      if prior.changesNothing { return reading }
      return FaceReading(
        face: reading.face, distribution: try reweighted(reading.distribution), doubt: reading.doubt)
    }

    /// The same for probabilities.
    func reweighted(_ distribution: EmotionDistribution) throws -> EmotionDistribution {
      prior.changesNothing ? distribution : try model.card.reweighted(distribution, to: prior)
    }

    /// The face that a client means by a box: a detected one that overlaps the box by at least half (intersection over
    /// union), framed as ``FaceFinder`` frames it; else the box itself, upright. Blocks.
    ///
    /// - Parameter box: in pixels of `image`.
    fileprivate func face(at box: Box, of image: Image) throws -> DetectedFace {
      let found = try finder.detector.faces(in: image).max { $0.box.overlap(box) < $1.box.overlap(box) }
      if let found, found.box.overlap(box) >= 0.5 { return found }
      return DetectedFace(box: box, score: 1)
    }
  }

  /// The models and their profiles.
  let models: ModelRegistry
  let admission: Admission
  private let limits: ServerLimits
  private let detectors: Detectors
  /// The mix of emotions that is expected where a request does not say.
  let prior: ClassPrior
  private let queue: NativeQueue
  /// Where pictures are decoded that others are not to wait for.
  private let lanes: [Lane]

  /// Where pictures are decoded in a process of their own, one at a time, in turns of the clients. A turn is a place of its own.
  private struct Lane {
    /// Pictures that are decoded, or wait for a thread after that: of each client one, as its threads may be busy for long.
    let pictures: Admission
    let turns: Admission
    let decoder: PictureDecoder
    let queue = NativeQueue(width: 1)
    /// Seconds that a picture waits for its turn at least.
    let patience: Double

    init(
      patience: Double, _ options: ServerOptions, decodingSeconds: Double, niceness: Int, use: RecentUse,
      _ logger: Logger
    ) {
      self.patience = patience
      let late = APIError.busy(
        .wait, "Other pictures that take long to decode wait; try again in some seconds, or send JPEG or PNG.",
        retryAfter: 5)
      // Each may keep 100 MB.
      pictures = Admission(
        places: 6, share: options.tokens == nil ? nil : 1, capacity: options.limits.waiting, use: use, late: late)
      turns = Admission(places: 1, capacity: options.limits.waiting, late: late)
      var limits = options.limits
      limits.decodingSeconds = decodingSeconds
      decoder = PictureDecoder(program: options.program, limits: limits, niceness: niceness, logger: logger)
    }
  }

  /// Files of more bytes take long to decode whatever they hold, but for JPEG and PNG.
  private static let quickBytes = 16 << 20
  private let metrics: Metrics
  private let logger: Logger

  /// Prepares to read pictures.
  ///
  /// - Parameters:
  ///   - profiles: the operator's profiles.
  ///   - fitted: where the profiles are that clients fit.
  /// - Throws: ``MienError`` if a model, a profile or the detector cannot be used.
  init(
    models: [ServerModel], profiles: ProfileStore, fitted: ProfileStore, options: ServerOptions, metrics: Metrics,
    logger: Logger
  ) throws {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let limits = options.limits
    metrics.declareCounter("mien_pictures_total", "Pictures read.")
    metrics.declareCounter("mien_batches_total", "Runs of the network.")
    metrics.declareCounter("mien_faces_total", "Faces classified.")
    self.models = try ModelRegistry(
      models, profiles: options.profiles.map { try ProfileName($0) }, in: profiles, fitted: fitted,
      isOpen: options.tokens == nil, runs: max(1, cores / 2), metrics: metrics, logger: logger)
    prior = options.prior
    for model in self.models.readers { try model.card.check(options.prior, for: model.labels) }
    detectors = try Detectors(
      standard: .init(name: options.detector, minFace: options.minFace), logger: logger)
    // A search takes seconds at worst, and nothing interrupts it. One client's keep all cores busy, but another one finds a
    // thread that shares them at once. Without tokens, all are one client.
    let use = RecentUse()
    queue = NativeQueue(width: options.tokens == nil ? cores : cores + 1, share: cores, use: use)
    // Twice the cores for one client, so that its next picture is there when one is done.
    let admission = Admission(places: 4 * cores, share: 2 * cores, capacity: limits.waiting, use: use)
    // Where most are decoded, which take little time; and those that turned out to take more, and much more, which do not keep a
    // core from the others either.
    let lanes = [
      Lane(patience: 20, options, decodingSeconds: limits.quickDecodingSeconds, niceness: 0, use: use, logger),
      Lane(patience: 40, options, decodingSeconds: limits.slowDecodingSeconds, niceness: 5, use: use, logger),
      Lane(patience: 60, options, decodingSeconds: limits.decodingSeconds, niceness: 10, use: use, logger),
    ]
    (self.admission, self.lanes) = (admission, lanes)
    self.limits = limits
    self.metrics = metrics
    self.logger = logger
    metrics.declareGauge("mien_pictures_waiting", "Pictures that wait for their turn.") {
      Double(lanes.reduce(admission.waitingCount) { $0 + $1.pictures.waitingCount + $1.turns.waitingCount })
    }
    metrics.declareGauge("mien_pictures_active", "Pictures that are worked on.") { [weak self] in
      Double(self?.activeCount ?? 0)
    }
  }

  /// How many pictures are worked on.
  var activeCount: Int { lanes.reduce(admission.activeCount) { $0 + $1.turns.activeCount } }

  /// The model and the detector that a request chooses.
  ///
  /// - Throws: ``APIError`` if there is none of these names.
  func reader(_ choice: ReadingChoice, client: AccessTokens.Client) async throws -> Reader {
    let model = try await models.reader(choice, client: client)
    let detector = try await detectors.detector(choice)
    let prior: ClassPrior
    do {
      prior = try choice.classPrior(self.prior)
      try model.card.check(prior, for: model.labels)
    } catch let error as MienError {
      throw APIError.badRequest("prior: \(model.name) \(error.message).")
    }
    return Reader(
      model: model, finder: FaceFinder(card: model.card, detector: detector), detector: detectors.name(of: choice),
      prior: prior, client: client)
  }

  /// The side in pixels of the smallest face that a request's choice finds; `nil` for the detector's own.
  func minFace(of choice: ReadingChoice) -> Int? { detectors.minFace(of: choice) }

  /// Reads an encoded picture.
  ///
  /// - Parameters:
  ///   - isAccepted: whether it belongs to work that was accepted before, and waits as long as it takes.
  ///   - minConfidence: readings of a lower top probability are marked, 0…1.
  /// - Throws: ``APIError`` where there is no room or the picture cannot be read.
  func read(
    _ data: Data, by reader: Reader, minConfidence: Float = FaceReading.standardMinConfidence, isAccepted: Bool = false
  ) async throws -> Reading {
    let (reading, _) = try await read(data, by: reader, isAccepted: isAccepted) {
      (try reader.finder.prepare($0), ())
    }
    return Reading(
      width: reading.width, height: reading.height, warning: reading.warning,
      faces: reading.faces.map { $0.marked(minConfidence: minConfidence) })
  }

  /// Reads the next encoded picture of a camera. One at a time of each camera.
  ///
  /// - Parameters:
  ///   - seconds: the picture's time on the camera's clock.
  ///   - reader: what reads the faces.
  ///   - sequence: the camera's pictures so far.
  /// - Returns: the reading, and whether the picture is the first after a cut.
  /// - Throws: ``APIError`` where there is no room or the picture cannot be read.
  func read(
    _ data: Data, seconds: Double, by reader: Reader, in sequence: FaceSequence
  ) async throws -> (Reading, startsScene: Bool) {
    try await read(data, by: reader, isAccepted: false) { image in
      let step = try sequence.next(image, seconds: seconds)
      return (step.prepared, step.startsScene)
    }
  }

  /// Decodes a picture, lets `search` find its faces, and classifies them.
  private func read<Answer: Sendable>(
    _ data: Data, by reader: Reader, isAccepted: Bool,
    search: @escaping @Sendable (Image) throws -> (FaceFinder.PreparedFaces, Answer)
  ) async throws -> (Reading, Answer) {
    let clock = ContinuousClock()
    return try await withImage(data, for: reader.client, patience: isAccepted ? nil : limits.waitingSeconds) { image in
      try self.checkSearch(of: image, by: reader)
      let start = clock.now
      let (prepared, answer) = try search(image)
      self.metrics.time(.find, clock.now - start)
      return (
        image.wholeWidth, image.wholeHeight, image.warning.map(Self.withRoute), prepared.inWholePicture(of: image),
        answer
      )
    } then: { width, height, warning, prepared, answer in
      let found = clock.now
      let faces = try await reader.model.batcher.readings(of: prepared, for: reader.client)
        .map { try reader.reweighted($0) }
      metrics.time(.classify, clock.now - found)
      metrics.add(to: "mien_pictures_total")
      return (Reading(width: width, height: height, warning: warning, faces: faces), answer)
    }
  }

  /// Waits for a place, decodes a picture and works on it.
  ///
  /// - Parameters:
  ///   - patience: seconds to wait at most; nil for as long as it takes.
  ///   - body: blocks; works on the picture.
  ///   - then: goes on with what `body` has found, in the same place.
  /// - Throws: ``APIError`` where there is no room or the picture cannot be read.
  private func withImage<Found: Sendable, Result>(
    _ data: Data, for client: AccessTokens.Client, patience: Double?,
    _ body: @escaping @Sendable (Image) throws -> Found, then: (Found) async throws -> Result
  ) async throws -> Result {
    try Self.checkKind(data)
    let clock = ContinuousClock()
    // Its arrival, or the end of the attempt before.
    let waiting = Mutex(clock.now)
    let decode: @Sendable ((Data) throws -> Image?) throws -> Image? = { decoder in
      let start = clock.now
      self.metrics.time(.wait, start - waiting.withLock { $0 })
      let image = try self.decode(data, by: decoder)
      let end = clock.now
      waiting.withLock { $0 = end }
      self.metrics.time(.decode, end - start)
      return image
    }
    let isWhole = Image.isDecodedWhole(data)
    if !isWhole {
      let result: Result? = try await admission.withPlace(for: client, patience: patience) {
        let found = try await queue.run(for: client) { try decode(self.image).map(body) }
        guard let found else { return nil }
        return try await then(found)
      }
      if let result { return result }
    }
    for lane in lanes[(isWhole && data.count <= Self.quickBytes ? 0 : 1)...] {
      let patienceForTurn = patience.map { max($0, lane.patience) }
      let result: Result? = try await lane.pictures.withPlace(for: client, patience: patienceForTurn) { place in
        let decoded = try await lane.turns.withPlace(for: client, patience: patienceForTurn) {
          try await lane.queue.run { try decode(lane.decoder.image) }
        }
        guard let decoded else { return nil }
        let found = try await queue.run(for: client) {
          // The client's next one may be decoded now, and not before: a decoded picture that waits for a thread takes memory, too.
          place.end()
          return try body(decoded)
        }
        return try await then(found)
      }
      if let result { return result }
    }
    let error = DecoderProcess.TakesTooLong().error
    throw APIError.unreadable(error) ?? error
  }

  /// Decodes a JPEG or PNG picture on this thread.
  ///
  /// - Returns: the picture; `nil` if it takes so long that others are not to wait for the thread, or more than the server's own
  ///   process is to hold.
  /// - Throws: ``MienError`` as ``Image`` does; `CancellationError` if nobody waits for it any longer.
  private func image(_ data: Data) throws -> Image? {
    let end = Self.threadSeconds + limits.quickDecodingSeconds
    do {
      return try Image(
        encoded: data, limits: limits.ownPicture,
        shouldStop: { NativeQueue.isCancelled || Self.threadSeconds > end })
    } catch is CancellationError where !NativeQueue.isCancelled { return nil }
  }

  /// Seconds of processor time that this thread has taken.
  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  /// Refuses a search that takes too long, as others wait for it.
  ///
  /// - Throws: ``APIError`` that says for which faces the picture can be searched.
  private func checkSearch(of image: Image, by reader: Reader) throws {
    guard let least = reader.finder.leastMinFace(in: image, searching: limits.searchedPixels) else { return }
    throw APIError(
      .contentTooLarge, "too_large",
      "minFace is too small for a picture of \(image.wholeWidth)x\(image.wholeHeight) pixels: at least \(least) here; "
        + "for smaller faces, send parts of the picture.")
  }

  /// Cuts one face out of an encoded picture, as ``read(_:by:minConfidence:isAccepted:)`` does, and works on it.
  ///
  /// - Parameters:
  ///   - box: where the face is, in pixels of the upright picture, as a reading gives it; `nil` if it fills the picture.
  ///   - reader: how the model sees faces, and the detector that finds the face again.
  ///   - body: blocks; takes the face as the model sees it, and what of the picture that is, in pixels of the upright picture.
  /// - Throws: ``APIError`` where there is no room, the picture cannot be read, or the box is not inside it.
  func framed<Result: Sendable>(
    _ data: Data, box: Box?, by reader: Reader, _ body: @escaping @Sendable (Image, TurnedSquare) throws -> Result
  ) async throws -> Result {
    let frame = FaceFrame(card: reader.model.card)
    return try await withImage(data, for: reader.client, patience: limits.waitingSeconds) { image in
      guard let box else {
        let whole = Box(x: 0, y: 0, width: image.wholeWidth, height: image.wholeHeight)
        return try body(try frame.face(whole: image), TurnedSquare(around: whole))
      }
      guard box.x + box.width <= image.wholeWidth, box.y + box.height <= image.wholeHeight else {
        throw APIError.badRequest(
          "The box is not inside the picture of \(image.wholeWidth)x\(image.wholeHeight) pixels.")
      }
      try self.checkSearch(of: image, by: reader)
      let start = ContinuousClock.now
      let face = try reader.face(at: image.reduced(box), of: image)
      self.metrics.time(.find, ContinuousClock.now - start)
      let square = frame.square(around: face.inWholePicture(of: image))
      return try body(try frame.face(face, of: image), square)
    } then: {
      $0
    }
  }

  /// Decodes a picture that a client sent, unless that client has gone. Blocks.
  ///
  /// - Returns: what `decoder` does.
  /// - Throws: ``APIError`` if it is damaged, too large, or of a kind that this machine has no library for.
  private func decode(_ data: Data, by decoder: (Data) throws -> Image?) throws -> Image? {
    do { return try decoder(data) } catch let error as DecoderProcess.CannotStart {
      logger.error("a decoder cannot be started", metadata: ["error": "\(error.reason)"])
      throw APIError.busy(
        .memory, "The server cannot start a decoder for this picture; try again in some seconds.", retryAfter: 5)
    } catch let error as MienError {
      if error.kind == .native, case .picture(let format) = FileKind(of: data), [.heic, .avif].contains(format) {
        logger.warning("a picture cannot be read", metadata: ["error": "\(error)"])
        throw APIError.unsupportedType(
          "The picture is a \(format.rawValue) file, which this server has no decoder for; send it as JPEG or PNG.")
      }
      throw APIError.unreadable(MienError(error.kind, nil, Self.withRoute(error.message))) ?? error
    }
  }

  /// What is said of a picture, with the route that reads animations.
  private static func withRoute(_ text: String) -> String {
    text.replacing(Image.videoAdvice, with: "POST /v1/video reads all")
  }

  /// Refuses what is no picture that is read.
  ///
  /// - Throws: ``APIError``.
  private static func checkKind(_ data: Data) throws {
    if let refusal = FileKind(of: data).refusal { throw refusal }
  }
}
