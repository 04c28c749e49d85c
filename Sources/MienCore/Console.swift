package import Foundation
import Glibc

/// Standard output, for results, and standard error, for people.
package enum Console {
  /// Whether standard error is a terminal, where a line may be drawn over.
  package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes a line to standard error. What cannot be written is left out: a full disk under a log stops no work.
  package static func error(_ line: String) { note(line + "\n") }

  /// Draws `line` over the terminal's last one; an empty one takes that off.
  package static func redraw(_ line: String) { note("\r\u{1B}[K\(line)") }

  private static func note(_ text: String) { _ = AtomicFile.writeAll(Data(text.utf8), to: STDERR_FILENO) }

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
