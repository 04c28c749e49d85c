package import Foundation
import MienCore
import MienInference
package import MienVision
import Synchronization

/// Reads the frames of a video as ``VideoReader`` does, in a process of its own.
package final class VideoDecoder: FrameSource {
  private let process: DecoderProcess
  private let header: DecoderAnswer.VideoHeader
  private let path: String
  private let ending = Mutex<[String]>([])

  /// Opens a file. Blocks.
  ///
  /// - Parameter program: `mien-server`.
  /// - Throws: ``MienError`` that names the file, as ``VideoReader`` does; `CancellationError` if the task was cancelled.
  package init(contentsOf url: URL, program: String, limits: ServerLimits) throws {
    process = try DecoderProcess(program: program)
    path = url.path
    guard case (.video(let header), _) = try Self.exchange(.video(path: path, limits), process, path) else {
      throw Self.other(path)
    }
    self.header = header
  }

  /// Pixels of a frame, as it is stored.
  var pixels: Int { header.width * header.height }
  package var framesPerSecond: Double? { header.framesPerSecond }
  /// How many frames the file says it has; `nil` if it does not tell.
  var frameCount: Int? { header.frameCount }
  /// ``VideoReader/warnings``, once there is no further frame.
  package var warnings: [String] { ending.withLock { $0 } }
  /// What it takes of memory now, in bytes.
  var ownBytes: Int { process.ownBytes }

  package func next() throws -> VideoFrame? {
    switch try Self.exchange(.next, process, path) {
    case (.frame(let index, let seconds, let picture), let pixels):
      return VideoFrame(index: index, seconds: seconds, image: try picture.image(pixels))
    case (.end(let warnings), _):
      ending.withLock { $0 = warnings }
      return nil
    default: throw Self.other(path)
    }
  }

  package func skip() throws -> Bool {
    switch try Self.exchange(.skip, process, path) {
    case (.skipped, _): return true
    case (.end(let warnings), _):
      ending.withLock { $0 = warnings }
      return false
    default: throw Self.other(path)
    }
  }

  /// Ends the call that is under way on another thread: it throws `CancellationError`, as all further ones do.
  package func stop() { process.end() }

  private static func exchange(
    _ request: DecoderRequest, _ process: DecoderProcess, _ path: String
  ) throws -> (DecoderAnswer, [UInt8]) {
    do { return try process.exchange(request) } catch let error as DecoderProcess.TakesTooLong {
      throw error.error.about(path)
    } catch let error as MienError where error.subject == nil {
      throw error.about(path)
    }
  }

  private static func other(_ path: String) -> MienError { MienError(.native, path, "was answered by another message") }
}
