package import Foundation
import Glibc

/// Standard output, for results, and standard error, for people.
package enum Console {
  /// Writes a line to standard error.
  package static func error(_ line: String) { draw(line + "\n") }

  /// Writes text to standard error as it is. What cannot be written is left out: a full disk under a log stops no work.
  package static func draw(_ text: String) { _ = AtomicFile.writeAll(Data(text.utf8), to: STDERR_FILENO) }

  /// Writes a line to standard output.
  ///
  /// - Throws: ``MienError`` where it cannot be written.
  package static func print(_ line: String) throws { try write(Data((line + "\n").utf8)) }

  /// Writes bytes to standard output.
  ///
  /// - Throws: ``MienError`` where they cannot be written.
  package static func write(_ data: Data) throws {
    guard AtomicFile.writeAll(data, to: STDOUT_FILENO) else {
      throw MienError(.file, "standard output", "could not be written: \(String(cString: strerror(errno)))")
    }
  }
}
