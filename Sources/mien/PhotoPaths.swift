import Foundation
import Glibc
import MienCore
import MienInference

/// Turns the arguments of `mien detect` into photos: files, folders (recursive, sorted) and patterns.
struct PhotoPaths {
  /// A photo, or an argument that gives none and why, in the order of the arguments.
  enum Entry {
    case photo(PhotoPipeline.Photo, relativePath: String)
    case problem(MienError)
  }

  /// What is looked for in folders: what can be read, and what people have and need to be told how to convert.
  static let extensions: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "tif", "tiff", "pgm", "ppm", "pnm", "heic", "heif", "avif",
  ]

  /// The photos of `arguments`.
  ///
  /// - Parameter excluded: a folder whose pictures are results, not photos.
  static func expand(_ arguments: [String], excluding excluded: URL? = nil) -> [Entry] {
    let excluded = excluded?.standardizedFileURL.path
    return arguments.flatMap { argument -> [Entry] in
      if kind(of: argument) == nil, argument.contains(where: "*?[".contains) {
        let matches = matches(of: argument)
        if matches.isEmpty { return [.problem(MienError(.file, argument, "matches no file"))] }
        return matches.flatMap { entries(of: $0, excluded) }
      }
      return entries(of: argument, excluded)
    }
  }

  private static func entries(of path: String, _ excluded: String?) -> [Entry] {
    guard kind(of: path) == S_IFDIR else {
      // What is missing or unreadable is said when it is opened, with all other failures.
      let url = URL(fileURLWithPath: path)
      return [.photo(.init(name: path, url: url), relativePath: url.lastPathComponent)]
    }
    if isSame(path, excluded) {
      return [.problem(MienError(.file, path, "is the folder that results go to, which is not searched"))]
    }
    let stem = path.hasSuffix("/") ? path : path + "/"
    var problems: [MienError] = []
    let found = photos(in: path, under: "", excluded, &problems)
    let entries = found.map { relative in
      Entry.photo(.init(name: stem + relative, url: URL(fileURLWithPath: stem + relative)), relativePath: relative)
    }
    if entries.isEmpty && problems.isEmpty {
      return [.problem(MienError(.file, path, "is a folder without pictures"))]
    }
    return entries + problems.map(Entry.problem)
  }

  /// Paths of pictures relative to `root`, sorted. Links to folders are not followed, so that no loop is walked.
  private static func photos(
    in root: String, under relative: String, _ excluded: String?, _ problems: inout [MienError]
  ) -> [String] {
    let folder = relative.isEmpty ? root : "\(root)/\(relative)"
    if isSame(folder, excluded) { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      let reason = access(folder, R_OK | X_OK) == 0 ? "cannot be listed" : String(cString: strerror(errno))
      problems.append(MienError(.file, folder, "the folder may not be read: \(reason)"))
      return []
    }
    return names.sorted().filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
      let path = relative.isEmpty ? name : "\(relative)/\(name)"
      var status = stat()
      if lstat("\(root)/\(path)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        return photos(in: root, under: path, excluded, &problems)
      }
      guard kind(of: "\(root)/\(path)") != S_IFDIR else { return [] }
      return extensions.contains((name as NSString).pathExtension.lowercased()) ? [path] : []
    }
  }

  private static func isSame(_ folder: String, _ excluded: String?) -> Bool {
    excluded != nil && URL(fileURLWithPath: folder).standardizedFileURL.path == excluded
  }

  private static func matches(of pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }.sorted()
  }

  /// The file type that a path's status names, links followed; nil where there is nothing.
  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
