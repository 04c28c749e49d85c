import MienCore

/// What is written to a terminal.
extension Console {
  /// `text` with spaces up to `width` characters.
  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `text` without spaces at its end.
  static func trimmed(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }

  /// Writes texts, which may hold names out of files, to standard output, each from a line of its own on.
  static func printLines(_ texts: [String]) throws {
    for text in texts {
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) { try print(printable(String(line))) }
    }
  }
}
