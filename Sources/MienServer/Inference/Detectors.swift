import Logging
import MienCore
import MienInference
import MienVision
import Synchronization

/// The detectors that requests choose among. Each is loaded when it is first asked for, so that a server needs only the
/// files of those that are used.
final class Detectors: Sendable {
  /// A detector's name or file, and the side of the smallest face in pixels.
  struct Choice: Hashable, Sendable {
    var name = FaceDetectors.standard
    var minFace: Int?
  }

  /// Detectors that are kept; of networks, one serves all sizes.
  private static let capacity = 16

  private let standard: Choice
  private let logger: Logger
  private let loaded = Mutex<[Choice: any FaceDetector]>([:])
  private let files = NativeQueue(width: 1)

  /// - Parameter standard: used where a request names none.
  /// - Throws: ``MienError`` if it cannot be loaded.
  init(standard: Choice, logger: Logger) throws {
    self.standard = standard
    self.logger = logger
    let detector = try FaceDetectors.named(standard.name, minFace: standard.minFace)
    loaded.withLock { $0[standard] = detector }
  }

  /// The name of the detector that `choice` means.
  func name(of choice: ReadingChoice) -> String { choice.detector ?? standard.name }

  /// The size that `choice` means: the server's own is one of its own detector.
  func minFace(of choice: ReadingChoice) -> Int? {
    choice.minFace ?? (name(of: choice) == standard.name ? standard.minFace : nil)
  }

  /// The detector that `choice` means.
  ///
  /// - Throws: ``APIError`` if it has no such size, or its files are missing.
  func detector(_ choice: ReadingChoice) async throws -> any FaceDetector {
    let name = name(of: choice)
    if name == "none", choice.minFace != nil { throw APIError.badRequest("minFace needs a detector other than none.") }
    let wanted = Choice(name: name, minFace: minFace(of: choice))
    do {
      if let known = try known(wanted) { return known }
      return try await files.run { try self.load(wanted) }
    } catch let error as MienError where error.kind == .argument {
      throw APIError.badRequest("minFace: \(error.message).")
    } catch let error as MienError where [.file, .missing].contains(error.kind) {
      logger.warning("a detector cannot be loaded", metadata: ["detector": "\(name)", "error": "\(error)"])
      throw APIError.badRequest("The detector \(name) is not installed on this server.")
    }
  }

  /// A detector that is loaded, or shares the networks of one that is.
  private func known(_ wanted: Choice) throws -> (any FaceDetector)? {
    let found = loaded.withLock { loaded in
      loaded[wanted] ?? loaded.first { $0.key.name == wanted.name && $0.value is NetworkDetector }?.value
    }
    guard let network = found as? NetworkDetector, network.minFace != wanted.minFace else { return found }
    return try network.finding(minFace: wanted.minFace)
  }

  /// Loads a detector. Blocks.
  private func load(_ wanted: Choice) throws -> any FaceDetector {
    if let known = try known(wanted) { return known }
    let detector = try FaceDetectors.named(wanted.name, minFace: wanted.minFace)
    loaded.withLock { loaded in
      if loaded.count >= Self.capacity { loaded = loaded.filter { $0.key == standard } }
      loaded[wanted] = detector
    }
    return detector
  }
}
