package import Foundation
import MienCore

/// Where results go.
package enum ResultFile {
  /// Writes `data` to the file at `path`, or to standard output for `-`.
  package static func write(_ data: Data, to path: String) throws {
    if path == "-" { try Console.write(data) } else { try AtomicFile.write(data, to: URL(fileURLWithPath: path)) }
  }

  /// Checks before long work that files could be written at the paths of `outputs`, each given by an option, and that
  /// none of them is one of `inputs` or another output, by whatever name. `-` is standard output.
  ///
  /// - Throws: ``MienError`` that names the option and the path.
  package static func check(_ outputs: KeyValuePairs<String, String?>, inputs: [String?] = []) throws {
    func file(_ path: String) -> String {
      path == "-" ? path : URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    let given = outputs.compactMap { option, path in path.map { (option: option, path: $0) } }
    guard !given.isEmpty else { return }
    let sources = Set(inputs.compactMap(\.self).filter { $0 != "-" }.map(file))
    var taken: [String: String] = [:]
    for (option, path) in given {
      // A device takes what it is given, twice as well.
      if path != "-", AtomicFile.isSpecial(URL(fileURLWithPath: path)) { continue }
      guard !sources.contains(file(path)) else {
        throw MienError(.argument, "\(option) \(path)", "is the input, expected another file")
      }
      if let other = taken.updateValue(option, forKey: file(path)) {
        guard path != "-" else {
          throw MienError(.argument, nil, "only one of \(other) and \(option) can go to standard output")
        }
        throw MienError(.argument, "\(option) \(path)", "is what \(other) writes, expected another file")
      }
      guard path != "-" else { continue }
      do { try AtomicFile.checkWritable(URL(fileURLWithPath: path)) } catch let error as MienError {
        throw error.about(path)
      }
    }
  }
}
