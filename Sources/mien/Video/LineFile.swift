import Foundation
import Glibc
import MienCore

/// A file of lines, written as they come, so that whatever stops the program leaves whole lines.
final class LineFile {
  private let path: String
  private var descriptor: Int32
  /// Bytes written so far: the end of the last whole line.
  private var length: off_t = 0

  /// Starts the file at `path` anew; `-` is standard output.
  ///
  /// - Throws: ``MienError`` that names the file.
  init(_ path: String) throws {
    self.path = path
    guard path != "-" else {
      descriptor = STDOUT_FILENO
      return
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(errno) }
  }

  deinit { if descriptor > STDERR_FILENO { Glibc.close(descriptor) } }

  /// Adds whole lines, at once.
  ///
  /// - Throws: ``MienError`` where they could not be written; a part of a line is taken back.
  func write(_ lines: Data) throws {
    guard AtomicFile.writeAll(lines, to: descriptor) else {
      let reason = errno
      // Has no effect on a pipe or a terminal.
      _ = ftruncate(descriptor, length)
      throw failure(reason)
    }
    length += off_t(lines.count)
  }

  /// Ends the file.
  ///
  /// - Throws: ``MienError`` where the system could not keep what was written.
  func close() throws {
    guard descriptor > STDERR_FILENO else { return }
    let status = Glibc.close(descriptor)
    descriptor = -1
    if status != 0 { throw failure(errno) }
  }

  private func failure(_ reason: Int32) -> MienError {
    MienError(
      .file, path == "-" ? "standard output" : path, "could not be written: \(String(cString: strerror(reason)))")
  }
}
