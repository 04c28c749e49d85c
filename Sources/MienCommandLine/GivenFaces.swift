import Foundation
package import MienCore

extension [FaceSet] {
  /// An error about sets by the names in them, as one about the files that were given.
  package func named(_ error: MienError, as files: [String]) -> MienError {
    let sources = map(\.info.source)
    if error.subject == sources.joined(separator: ", ") { return error.about(files.joined(separator: ", ")) }
    let file = zip(sources, files).first { $0.0 == error.subject }?.1
    return file.map(error.about) ?? error
  }
}

extension FaceSet {
  /// Opens the set of faces that was given on the command line.
  ///
  /// - Throws: ``MienError`` naming `path`; of a file that can be made into a set it says by which command.
  package static func given(_ path: String) throws -> FaceSet {
    let url = URL(fileURLWithPath: path)
    do { return try FaceSet(contentsOf: url) } catch let error as MienError {
      guard let remedy = remedy(for: url, path, error) else { throw error }
      throw MienError(error.kind, error.subject, "\(error.message); \(remedy)")
    }
  }

  /// The way from what `url` is, a folder, a table or a picture, to a set; `nil` if it is missing or cannot be read.
  private static func remedy(for url: URL, _ path: String, _ error: MienError) -> String? {
    func command(_ format: String) -> String {
      "make one with `mien dataset import \(format) \(ShellWord.quoted(path)) -o faces.safetensors`"
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return nil }
    if isFolder.boolValue { return command("folders") }
    let general = "`mien dataset import` makes a file of faces from a data set"
    guard let signature = FileSignature(contentsOf: url) else { return error.kind == .format ? general : nil }
    return switch signature.kind {
    case .table: command("fer2013")
    case .gzip: "if it holds FER2013's CSV, \(command("fer2013"))"
    case .archive: "unpack it, then use `mien dataset import`"
    case .picture: "`mien dataset import folders` makes one from class folders of pictures"
    case .faces: nil
    case .document: general
    }
  }
}
