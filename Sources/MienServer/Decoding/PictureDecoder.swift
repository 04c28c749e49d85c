package import Foundation
package import Logging
import MienCore
import MienInference
package import MienVision
import Synchronization

/// Decodes pictures in a process of its own, which is started with the first and stays for the next, unless one has left it
/// large. One caller at a time.
package final class PictureDecoder: Sendable {
  private let program: String
  private let limits: ServerLimits
  private let niceness: Int
  private let process = Mutex<DecoderProcess?>(nil)
  private let logger: Logger
  /// A process that keeps more memory than that is replaced by the next one, in bytes.
  private static let keptBytes = 300_000_000
  /// Seconds that a picture may take, whatever else the machine does.
  private static let seconds = 60.0

  /// Starts nothing yet.
  ///
  /// - Parameters:
  ///   - program: `mien-server`.
  ///   - limits: what a picture may take.
  ///   - niceness: how much the process leaves the processors to others, from 0 to 19.
  package init(program: String, limits: ServerLimits, niceness: Int = 0, logger: Logger) {
    self.program = program
    self.limits = limits
    self.niceness = niceness
    self.logger = logger
  }

  /// Decodes a file's bytes. Blocks.
  ///
  /// - Returns: the picture; `nil` if it takes more time than it may take.
  /// - Throws: ``MienError`` as ``Image`` does, or where it ends the process; `CancellationError` if the task that waits for
  ///   it was cancelled.
  package func image(_ data: Data) throws -> Image? {
    try NativeQueue.checkCancellation()
    let kept = process.withLock { $0.take() }
    let decoder = try kept ?? DecoderProcess(program: program, niceness: niceness)
    let answer: (DecoderAnswer, pixels: [UInt8])
    do {
      answer = try data.withUnsafeBytes { try decoder.exchange(.picture(limits), $0, within: Self.seconds) }
    } catch is DecoderProcess.TakesTooLong {
      return nil
    } catch let error as MienError {
      if decoder.isRunning {
        keep(decoder)
      } else {
        logger.warning("a decoder ended", metadata: ["error": "\(error)"])
        // It may have ended before, and not by this picture.
        if kept != nil { return try image(data) }
      }
      throw error
    }
    keep(decoder)
    guard case .picture(let header) = answer.0 else { throw MienError(.native, nil, "was answered by another message") }
    return try header.image(answer.pixels)
  }

  private func keep(_ decoder: DecoderProcess) {
    if decoder.ownBytes < Self.keptBytes { process.withLock { $0 = decoder } }
  }
}
