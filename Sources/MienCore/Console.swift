package import Foundation
import Glibc

/// Standard output, for results, and standard error, for people.
package enum Console {
  /// Whether standard error is a terminal, where a line may be drawn over.
  package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// One of the two streams.
  package enum Stream: Sendable {
    case output, errors

    /// Whether colours and bold letters may be written to it: a terminal that knows them, and `NO_COLOR` is not set.
    package var isStyled: Bool {
      func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
      return isatty(self == .output ? STDOUT_FILENO : STDERR_FILENO) == 1 && value("NO_COLOR").isEmpty
        && !["", "dumb"].contains(value("TERM"))
    }
  }

  /// How a text looks on a terminal; the number is SGR's.
  package enum Style: Int, Sendable {
    case bold = 1
    case red = 31
    case yellow = 33
    case green = 32
  }

  /// `text` in `style` if the stream takes styles, else as it is.
  package static func styled(_ text: String, _ style: Style, on stream: Stream) -> String {
    stream.isStyled ? "\u{1B}[1;\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Writes a line to standard error. What cannot be written is left out: a full disk under a log stops no work.
  package static func error(_ line: String) { note(line + "\n") }

  /// Says on standard error that something failed: `mien: error: TEXT`. Control characters, which names out of files may
  /// hold, become `?`.
  package static func failure(_ text: String) {
    error("mien: \(styled("error:", .red, on: .errors)) \(printable(text))")
  }

  /// Warns on standard error: `mien: warning: TEXT`.
  package static func warning(_ text: String) {
    error("mien: \(styled("warning:", .yellow, on: .errors)) \(printable(text))")
  }

  /// `text` without characters that move a terminal's cursor: a file's name may hold any.
  package static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }

  /// Draws `line` over the terminal's last one, cut to the terminal's width; an empty one takes that off.
  package static func redraw(_ line: String) { note("\r\u{1B}[K\(fitted(line, to: columns(of: STDERR_FILENO)))") }

  /// How many columns the terminal `descriptor` has; nil if it is none, or does not know.
  package static func columns(of descriptor: CInt) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// `line`, cut with an ellipsis if it is as long as a terminal's line or longer: a line that wraps cannot be drawn over.
  ///
  /// - Parameter columns: the terminal's width; nil for any length.
  package static func fitted(_ line: String, to columns: Int?) -> String {
    /// Characters of East Asian scripts and pictures take two columns.
    func width(_ text: some StringProtocol) -> Int {
      text.reduce(0) { sum, character in
        let first = character.unicodeScalars.first?.value ?? 0
        return sum + ((0x1100..<0x1200).contains(first) || first >= 0x2E80 ? 2 : 1)
      }
    }
    guard let columns, width(line) >= columns else { return line }
    var kept = line[...]
    while !kept.isEmpty, width(kept) + 1 >= columns { kept.removeLast() }
    return columns > 1 ? kept + "…" : ""
  }

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
