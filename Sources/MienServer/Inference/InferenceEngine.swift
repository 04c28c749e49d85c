package import Foundation
import MienCore
package import MienInference
package import MienVision

/// Reads the pictures of all requests: decoding and the search for faces on threads of its own, the network in batches
/// across requests.
package final class InferenceEngine: Sendable {
  /// What finds faces.
  package enum Detector: String, Sendable, CaseIterable {
    /// The cascade of Haar features.
    case haar
    /// Nothing: the picture is one face.
    case none
  }

  /// What came of a picture.
  package struct Reading: Sendable {
    /// The upright picture's width in pixels.
    package let width: Int
    /// The upright picture's height in pixels.
    package let height: Int
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
    let finder = FaceFinder(card: classifier.card, detector: try FaceDetector())
    recognizer = try Recognizer(classifier: classifier, finder: finder)
    finders = [.haar: finder, .none: FaceFinder(card: classifier.card, detector: nil)]
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
    _ data: Data, detector: Detector = .haar, minConfidence: Float = 0, isAccepted: Bool = false
  ) async throws -> Reading {
    guard Self.isPicture(data) else {
      throw APIError.unsupportedType("The picture is no JPEG, PNG or WebP file.")
    }
    let limits = ImageLimits(maxPixels: limits.pixels, maxFileBytes: limits.bodyBytes)
    return try await read(detector, minConfidence, isAccepted) {
      do { return try Image(encoded: data, limits: limits) } catch let error as MienError {
        throw APIError.unreadable(error) ?? error
      }
    }
  }

  /// Reads a decoded picture, as part of work that was accepted before.
  package func read(_ image: Image, detector: Detector = .haar, minConfidence: Float = 0) async throws -> Reading {
    try await read(detector, minConfidence, true) { image }
  }

  private func read(
    _ detector: Detector, _ minConfidence: Float, _ isAccepted: Bool, _ image: @escaping @Sendable () throws -> Image
  ) async throws -> Reading {
    try await admission.withPlace(patience: isAccepted ? nil : limits.waitingSeconds) {
      guard let finder = finders[detector] else { throw MienError(.argument, detector.rawValue, "no such detector") }
      let (width, height, prepared) = try await queue.run {
        let image = try image()
        return (image.width, image.height, try finder.prepare(image))
      }
      let faces = try await batcher.readings(of: prepared)
      metrics.add(to: "mien_pictures_total")
      return Reading(
        width: width, height: height,
        faces: faces.map { face in
          FaceReading(
            box: face.box, detectionScore: detector == .none ? nil : face.detectionScore,
            distribution: face.distribution, isConfident: face.probability >= minConfidence)
        })
    }
  }

  /// Whether a file starts as JPEG, PNG or WebP files do: the server decodes no other kind.
  static func isPicture(_ data: Data) -> Bool {
    func has(_ pattern: [UInt8], at offset: Int = 0) -> Bool { data.dropFirst(offset).starts(with: pattern) }
    return has([0xFF, 0xD8, 0xFF]) || has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      || has(Array("RIFF".utf8)) && has(Array("WEBP".utf8), at: 8)
  }
}
