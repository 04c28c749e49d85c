public import Foundation
import MienCore

/// A folder that extracted faces are written to: a folder a video, named after it, and `faces.csv`, which says where each
/// face comes from.
///
/// Every face's row follows its picture at once, so an interrupted run leaves a folder that is right as far as it goes.
public final class ExtractedFaces {
  /// The columns of `faces.csv`.
  public static let columns = ["file", "video", "frame", "seconds", "x", "y", "width", "height"]
  /// The name of the list.
  public static let listName = "faces.csv"

  private let folder: URL
  private let isOwnFolder: Bool
  private let list: FileHandle
  private var taken: Set<String> = []

  /// Makes the folder, and the list with its header.
  ///
  /// - Throws: ``MienError`` if there is a list that holds more than a header, or something cannot be written.
  public init(folder: URL) throws {
    self.folder = folder
    let path = folder.appendingPathComponent(Self.listName).path
    isOwnFolder = !FileManager.default.fileExists(atPath: folder.path)
    try Folders.make(folder)
    if FileManager.default.fileExists(atPath: path) {
      // An extraction that found no face leaves a header.
      guard let earlier = FileManager.default.contents(atPath: path),
        CSVLine.text(Self.columns).utf8.starts(with: earlier)
      else {
        throw MienError(
          .file, path,
          "already exists, from an earlier extraction; give all videos in one command, or another folder with -o")
      }
    }
    guard FileManager.default.createFile(atPath: path, contents: nil), let list = FileHandle(forWritingAtPath: path)
    else { throw MienError(.file, path, "could not be written: \(String(cString: strerror(errno)))") }
    self.list = list
    try append(Self.columns)
  }

  deinit { try? list.close() }

  /// Removes the list, and the folder if it was not there before: no video could be read.
  package func discard() {
    unlink(folder.appendingPathComponent(Self.listName).path)
    if isOwnFolder { rmdir(folder.path) }
  }

  /// The name of the folder for the faces of the video called `name`: that without extension, of 200 bytes at most. Names of
  /// files have 255 at most, and each picture's has the folder's in it.
  package static func folderName(ofVideo name: String) -> String {
    var stem = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
    while stem.utf8.count > 200 { stem.removeLast() }
    return stem
  }

  /// Makes a folder for the faces of `video`.
  ///
  /// - Returns: its name: the video's without extension, of 200 bytes at most, with a number where that is taken.
  public func addVideo(_ video: URL) throws -> String {
    let stem = Self.folderName(ofVideo: video.lastPathComponent)
    var name = stem
    var number = 2
    while !taken.insert(name).inserted
      || FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
    {
      name = "\(stem)-\(number)"
      number += 1
    }
    return name
  }

  /// Writes `face` of the video called `video` into the folder that ``addVideo(_:)`` named, and its row.
  ///
  /// - Returns: the picture's path inside the folder.
  /// - Throws: ``MienError`` that names the file that could not be written.
  @discardableResult
  public func add(_ face: FaceExtractor.Face, video: String, folder name: String) throws -> String {
    let file = try Self.write(face, folder: name, in: folder)
    let milliseconds = (face.seconds * 1000).rounded() / 1000
    let box = [face.box.x, face.box.y, face.box.width, face.box.height].map(String.init)
    try append([file, video, "\(face.frame)", "\(milliseconds)"] + box)
    return file
  }

  /// Writes the picture of `face` into the folder `name` inside `folder`, which is made.
  ///
  /// - Returns: the picture's path below `folder`.
  /// - Throws: ``MienError`` that names the file that could not be written.
  package static func write(_ face: FaceExtractor.Face, folder name: String, in folder: URL) throws -> String {
    try Folders.make(folder.appendingPathComponent(name))
    let frame = String(face.frame)
    let digits = String(repeating: "0", count: max(0, 6 - frame.count)) + frame
    let file = "\(name)/\(name)_\(digits)_\(face.number).png"
    try face.image.write(to: folder.appendingPathComponent(file))
    return file
  }

  private func append(_ fields: [String]) throws {
    do { try list.write(contentsOf: Data(CSVLine.text(fields).utf8)) } catch {
      throw MienError(
        .file, folder.appendingPathComponent(Self.listName).relativePath,
        "could not be written: \((error as NSError).localizedDescription)")
    }
  }
}
