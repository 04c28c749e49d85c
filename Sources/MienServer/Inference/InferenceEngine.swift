package import Foundation
import MienCore
package import MienInference
import MienVision

/// Reads the pictures of all requests: decoding and the search for faces on threads of its own, the network in batches
/// across requests.
package final class InferenceEngine: Sendable {
  /// What finds faces.
  package enum Detector: String, Sendable, CaseIterable {
    /// The networks inside the program.
    case blazeface
    /// OpenCV's cascade of Haar features.
    case haar
    /// Nothing: the picture is one face.
    case none
  }

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

  /// The network and its labels.
  package let recognizer: Recognizer
  let admission: Admission
  private let limits: ServerLimits
  private let finders: [Detector: FaceFinder]
  private let queue: NativeQueue
  private let batcher: FaceBatcher
  private let metrics: Metrics

  /// Prepares to read pictures by `classifier`.
  ///
  /// - Throws: ``MienError`` where the detector cannot be loaded.
  init(classifier: EmotionClassifier, limits: ServerLimits, metrics: Metrics) throws {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    var finders: [Detector: FaceFinder] = [:]
    for detector in Detector.allCases {
      finders[detector] = FaceFinder(card: classifier.card, detector: try FaceDetectors.named(detector.rawValue))
    }
    self.finders = finders
    // Each request has a threshold of its own.
    recognizer = try Recognizer(
      classifier: classifier,
      finder: finders[.blazeface] ?? FaceFinder(card: classifier.card, detector: NetworkDetector()), minConfidence: 0)
    queue = NativeQueue(width: cores)
    batcher = FaceBatcher(recognizer: recognizer, runs: max(1, cores / 2), metrics: metrics)
    // Twice the threads, so that the next picture is there when one is done.
    let admission = Admission(places: 2 * cores, capacity: limits.waiting)
    self.admission = admission
    self.limits = limits
    self.metrics = metrics
    metrics.declareCounter("mien_pictures_total", "Pictures read.")
    metrics.declareGauge("mien_pictures_waiting", "Pictures that wait for their turn.") {
      Double(admission.waitingCount)
    }
    metrics.declareGauge("mien_pictures_active", "Pictures that are worked on.") { Double(admission.activeCount) }
  }

  /// Reads an encoded picture.
  ///
  /// - Parameters:
  ///   - isAccepted: whether it belongs to work that was accepted before, and waits as long as it takes.
  ///   - minConfidence: readings of a lower top probability are marked, 0…1.
  /// - Throws: ``APIError`` where there is no room or the picture cannot be read.
  package func read(
    _ data: Data, detector: Detector = .blazeface, minConfidence: Float = FaceReading.standardMinConfidence,
    isAccepted: Bool = false
  ) async throws -> Reading {
    guard let finder = finders[detector] else { throw MienError(.argument, detector.rawValue, "no such detector") }
    let (reading, _) = try await read(data, isAccepted: isAccepted) { (try finder.prepare($0), ()) }
    return Reading(
      width: reading.width, height: reading.height, warning: reading.warning,
      faces: reading.faces.map { $0.marked(minConfidence: minConfidence) })
  }

  /// Starts on the pictures of a camera.
  func sequence() -> FaceSequence { recognizer.sequence() }

  /// Reads the next encoded picture of a camera. One at a time of each camera.
  ///
  /// - Parameters:
  ///   - seconds: the picture's time on the camera's clock.
  ///   - sequence: the camera's pictures so far.
  /// - Returns: the reading, and whether the picture is the first after a cut.
  /// - Throws: ``APIError`` where there is no room or the picture cannot be read.
  func read(_ data: Data, seconds: Double, in sequence: FaceSequence) async throws -> (Reading, startsScene: Bool) {
    try await read(data, isAccepted: false) { image in
      let step = try sequence.next(image, seconds: seconds)
      return (step.prepared, step.startsScene)
    }
  }

  /// Decodes a picture, lets `search` find its faces, and classifies them.
  private func read<Answer: Sendable>(
    _ data: Data, isAccepted: Bool, search: @escaping @Sendable (Image) throws -> (FaceFinder.PreparedFaces, Answer)
  ) async throws -> (Reading, Answer) {
    try Self.checkKind(data)
    let clock = ContinuousClock()
    let arrival = clock.now
    return try await admission.withPlace(patience: isAccepted ? nil : limits.waitingSeconds) {
      metrics.time(.wait, clock.now - arrival)
      let (width, height, warning, prepared, answer) = try await queue.run {
        let start = clock.now
        let image = try self.decode(data)
        let decoded = clock.now
        let (prepared, answer) = try search(image)
        self.metrics.time(.decode, decoded - start)
        self.metrics.time(.find, clock.now - decoded)
        return (image.wholeWidth, image.wholeHeight, image.warning, prepared.inWholePicture(of: image), answer)
      }
      let found = clock.now
      let faces = try await batcher.readings(of: prepared)
      metrics.time(.classify, clock.now - found)
      metrics.add(to: "mien_pictures_total")
      return (Reading(width: width, height: height, warning: warning, faces: faces), answer)
    }
  }

  /// Cuts one face out of an encoded picture and works on it.
  ///
  /// - Parameters:
  ///   - box: where the face is, in pixels of the upright picture; nil where it fills the picture.
  ///   - body: blocks; takes the face as the model sees it, and what of the picture that is.
  /// - Throws: ``APIError`` where there is no room, the picture cannot be read, or the box is not inside it.
  func framed<Result: Sendable>(
    _ data: Data, box: Box?, _ body: @escaping @Sendable (Image, TurnedSquare) throws -> Result
  ) async throws -> Result {
    try Self.checkKind(data)
    let frame = FaceFrame(card: recognizer.classifier.card)
    return try await admission.withPlace(patience: limits.waitingSeconds) {
      try await queue.run {
        let image = try self.decode(data)
        guard let box else { return try body(try frame.face(whole: image), frame.square(whole: image)) }
        guard box.x + box.width <= image.wholeWidth, box.y + box.height <= image.wholeHeight else {
          throw APIError.badRequest(
            "The box is not inside the picture of \(image.wholeWidth)x\(image.wholeHeight) pixels.")
        }
        let face = DetectedFace(box: image.reduced(box), score: 1)
        return try body(try frame.face(face, of: image), frame.square(around: face))
      }
    }
  }

  /// Decodes a picture that a client sent. Blocks.
  ///
  /// - Throws: ``APIError`` where it is damaged or too large.
  private func decode(_ data: Data) throws -> Image {
    let limits = ImageLimits(maxPixels: limits.pixels, maxFileBytes: limits.bodyBytes)
    do { return try Image(encoded: data, limits: limits) } catch let error as MienError {
      throw APIError.unreadable(error) ?? error
    }
  }

  /// Whether `data` starts as JPEG, PNG and WebP files do: the server decodes no other kind.
  static func isPicture(_ data: Data) -> Bool {
    func has(_ pattern: [UInt8], at offset: Int = 0) -> Bool { data.dropFirst(offset).starts(with: pattern) }
    return has([0xFF, 0xD8, 0xFF]) || has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      || has(Array("RIFF".utf8)) && has(Array("WEBP".utf8), at: 8)
  }

  /// Refuses what is no picture that the server decodes.
  ///
  /// - Throws: ``APIError``.
  private static func checkKind(_ data: Data) throws {
    guard isPicture(data) else { throw APIError.unsupportedType("The picture is no JPEG, PNG or WebP file.") }
  }
}
