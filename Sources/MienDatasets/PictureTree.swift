import Foundation
import Glibc
import MienCore
import MienVision

/// The files below a folder, without what operating systems leave behind.
struct PictureTree {
  /// What lies in a folder.
  struct Entry {
    let url: URL
    let isFolder: Bool
    var name: String { url.lastPathComponent }
  }

  private static let litter: Set<String> = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"]
  /// What picture files are called, whether they can be read here or not.
  private static let extensions = FileKind.pictureExtensions.union(["jxl", "psd", "dng", "cr2", "nef", "arw"])

  /// What lies in `folder`, by name, without hidden files and litter.
  ///
  /// - Throws: ``MienError`` if it cannot be listed.
  static func entries(of folder: URL) throws -> [Entry] {
    guard let path = FilePath.resolving(folder.path), let names = path.contents() else {
      throw encodingProblem(folder)
        ?? MienError(FileProblem.error(reading: folder).kind, folder.relativePath, problem(with: folder))
    }
    let entries = names.map { name in
      var status = stat()
      let exists = path.appending(name).withCString { stat($0, &status) } == 0
      // A name that is not UTF-8 is resolved again when its file is read.
      return Entry(
        url: folder.appendingPathComponent(name.text), isFolder: exists && status.st_mode & S_IFMT == S_IFDIR)
    }
    return entries.sorted { $0.name < $1.name }
      .filter { !$0.name.hasPrefix(".") && !litter.contains($0.name.lowercased()) }
  }

  /// Why a file cannot be told whose name, in an older encoding, is not UTF-8; `nil` for other files.
  static func encodingProblem(_ url: URL) -> MienError? {
    guard FilePath.resolving(url.path) == nil else { return nil }
    let folder = ShellWord.quoted(url.deletingLastPathComponent().relativePath)
    return MienError(
      .file, url.relativePath,
      "its name is not UTF-8, as in old archives, and reads like another one; rename it, for example with: "
        + "convmv -f latin1 -t utf8 --notest -r \(folder)"
    )
  }

  /// The folders in `folder`, by name.
  static func folders(in folder: URL) throws -> [URL] { try entries(of: folder).filter(\.isFolder).map(\.url) }

  /// The files below `folder` at any depth, in the order of their paths.
  static func files(below folder: URL) throws -> [URL] {
    try entries(of: folder).flatMap { entry -> [URL] in
      guard entry.isFolder else { return [entry.url] }
      // A link to a folder above would never end.
      let type = try? FileManager.default.attributesOfItem(atPath: entry.url.path)[.type] as? FileAttributeType
      return type == .typeSymbolicLink ? [] : try files(below: entry.url)
    }
  }

  /// Whether a file is a picture, whether it can be read here or not: by its extension, else by its first bytes.
  static func isPicture(_ url: URL) -> Bool {
    hasPictureExtension(url) || FileSignature(contentsOf: url)?.kind == .picture
  }

  /// Whether a file is named like a picture.
  static func hasPictureExtension(_ url: URL) -> Bool { extensions.contains(url.pathExtension.lowercased()) }

  private static func problem(with folder: URL) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else { return "no such folder" }
    guard !isFolder.boolValue else { return "may not be listed" }
    let name = ShellWord.quoted(folder.relativePath)
    guard let signature = FileSignature(contentsOf: folder) else { return "is a file, expected a folder" }
    let advice =
      switch signature.kind {
      case .faces: "; it is imported already: `mien dataset inspect \(name)` shows what is in it"
      case .gzip: "; unpack it first: tar xzf \(name)"
      case .archive: "; unpack it first: \(signature.unpacking ?? "") \(name)"
      case .table: "; a CSV of pixels is read by `mien dataset import fer2013`"
      case .picture, .document: ""
      }
    return "is \(signature.name), expected a folder\(advice)"
  }
}
