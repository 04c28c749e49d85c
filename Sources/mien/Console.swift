import Foundation

/// Writes lines for people; results for programs go to standard output by themselves.
enum Console {
  /// Writes a line to standard error.
  static func error(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
