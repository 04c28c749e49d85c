package import Foundation
import MienCore

/// Where results go.
package enum ResultFile {
  /// Writes `data` to the file at `path`, or to standard output for `-`.
  package static func write(_ data: Data, to path: String) throws {
    if path == "-" { Console.write(data) } else { try AtomicFile.write(data, to: URL(fileURLWithPath: path)) }
  }

  /// Checks before long work that a file could be written at `path`.
  package static func check(_ path: String?) throws {
    guard let path, path != "-" else { return }
    do { try AtomicFile.checkWritable(URL(fileURLWithPath: path)) } catch let error as MienError {
      throw error.about(path)
    }
  }

  /// Checks as ``check(_:)`` does, and that `path`, given by `option`, is another file than `input`, by whatever name.
  package static func check(_ path: String, isNot input: String, option: String) throws {
    try check(path)
    let (target, source) = (URL(fileURLWithPath: path), URL(fileURLWithPath: input))
    guard target.resolvingSymlinksInPath().standardizedFileURL != source.resolvingSymlinksInPath().standardizedFileURL
    else { throw MienError(.argument, "\(option) \(path)", "is the input, expected another file") }
  }
}
