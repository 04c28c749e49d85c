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
      // A file that was opened with `>>` holds something already; a pipe and a terminal say -1.
      length = max(0, lseek(STDOUT_FILENO, 0, SEEK_END))
      return
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(errno) }
  }

  /// Goes on with the file at `path` behind its first `length` bytes; what follows them is cut off.
  ///
  /// - Throws: ``MienError`` that names the file.
  init(_ path: String, after length: Int) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(errno) }
    try cut(to: length)
  }

  deinit { if descriptor > STDERR_FILENO { Glibc.close(descriptor) } }

  /// Adds whole lines, at once.
  ///
  /// - Throws: ``MienError`` where they could not be written; a part of a line is taken back.
  func write(_ lines: Data) throws {
    guard AtomicFile.writeAll(lines, to: descriptor) else {
      let reason = errno
      // Neither has an effect on a pipe or a terminal.
      _ = ftruncate(descriptor, length)
      _ = lseek(descriptor, length, SEEK_SET)
      throw failure(reason)
    }
    length += off_t(lines.count)
  }

  /// Cuts off what follows the first `length` bytes.
  ///
  /// - Throws: ``MienError`` if the system could not.
  func cut(to length: Int) throws {
    guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, off_t(length), SEEK_SET) >= 0 else {
      throw failure(errno)
    }
    self.length = off_t(length)
  }

  /// Puts what was written on the disk.
  ///
  /// - Throws: ``MienError`` if the system could not.
  func synchronize() throws {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure(errno) }
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
