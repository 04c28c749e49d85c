package import Foundation

/// Writes lines for people; results for programs go to standard output by themselves.
package enum Console {
  /// Writes a line to standard error.
  package static func error(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Writes a line to standard output.
  package static func print(_ line: String) { write(Data((line + "\n").utf8)) }

  /// Writes bytes to standard output.
  package static func write(_ data: Data) { FileHandle.standardOutput.write(data) }
}
