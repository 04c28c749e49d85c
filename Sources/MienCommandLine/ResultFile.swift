package import Foundation
import MienCore
import Synchronization

/// Where results go.
package enum ResultFile {
  /// What this run wrote: files, and folders with the files in them, in the order of the first writing.
  private static let written = Mutex<[(place: String, files: Set<String>, isFolder: Bool)]>([])

  /// Writes `data` to the file at `path`, or to standard output for `-`.
  package static func write(_ data: Data, to path: String) throws {
    guard path != "-" else { return try Console.write(data) }
    try AtomicFile.write(data, to: URL(fileURLWithPath: path))
    wrote(path)
  }

  /// Remembers that the file at `path` was written, for ``nameWritten()``; standard output and devices are left out.
  ///
  /// - Parameter folder: the folder to name in its place, as one of many.
  package static func wrote(_ path: String, in folder: String? = nil) {
    guard path != "-", !AtomicFile.isSpecial(URL(fileURLWithPath: path)) else { return }
    let place = folder ?? path
    written.withLock { written in
      if let index = written.firstIndex(where: { $0.place == place }) {
        written[index].files.insert(path)
      } else {
        written.append((place, [path], folder != nil))
      }
    }
  }

  /// Names on standard error each file that was written, with its size; of folders how many files went there.
  package static func nameWritten() {
    for entry in written.withLock({ written in
      defer { written = [] }
      return written
    }) {
      let sizes = entry.files.compactMap {
        (try? FileManager.default.attributesOfItem(atPath: URL(fileURLWithPath: $0).resolvingSymlinksInPath().path))?[
          .size] as? Int
      }
      guard !sizes.isEmpty else { continue }
      let size = Spelling.size(sizes.reduce(0, +))
      let what = entry.isFolder ? "\(Spelling.counted(sizes.count, "file")) in \(entry.place)" : entry.place
      Console.error("wrote \(Console.printable(what)) (\(size))")
    }
  }

  /// What options write, and what names of such files end with, the usual one first.
  private static let kinds: [String: (name: String, extensions: [String])] = [
    "--report": ("HTML", ["html", "htm"]), "--timeline": ("HTML", ["html", "htm"]),
    "--html": ("HTML", ["html", "htm"]),
    "--svg": ("SVG", ["svg"]), "--json": ("JSON", ["json", "jsonl", "ndjson"]), "--csv": ("CSV", ["csv"]),
    "--predictions": ("CSV", ["csv"]), "--markdown": ("Markdown", ["md", "markdown"]),
  ]
  /// What names of other files end with, which programs would not open.
  private static let known =
    Set(kinds.values.flatMap(\.extensions)).union(["pdf", "png", "jpg", "jpeg", "gif", "webp", "xlsx", "docx", "mp4"])

  /// Refuses a name that promises another kind of file than `option` writes, as `report.pdf` for a page.
  private static func checkExtension(of path: String, _ option: String) throws {
    let url = URL(fileURLWithPath: path)
    let found = url.pathExtension.lowercased()
    guard let kind = kinds[option], known.contains(found), !kind.extensions.contains(found) else { return }
    let better = url.deletingPathExtension().lastPathComponent + "." + kind.extensions[0]
    throw MienError(.argument, "\(option) \(path)", "is written as \(kind.name); name it \(better)")
  }

  /// Checks before long work that files could be written at the paths of `outputs`, each given by an option, and that
  /// none of them is one of `inputs` or another output, by whatever name, or named as another kind of file. `-` is standard
  /// output.
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
      try checkExtension(of: path, option)
      do { try AtomicFile.checkWritable(URL(fileURLWithPath: path)) } catch let error as MienError {
        throw error.about(path)
      }
    }
  }
}
