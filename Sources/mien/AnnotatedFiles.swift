import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienVision

/// Where annotated pictures go: one file a photo, laid out as the photos are inside the folders given.
struct AnnotatedFiles {
  private let targets: [FilePath: URL]
  private let folder: String

  /// Names of files have 255 bytes at most.
  private static let longestName = 255

  /// Chooses a file for every photo. Two photos of one relative path get different files, and none replaces a photo.
  ///
  /// Names count byte by byte: an é of one character and an é of two make different files. A name that is not UTF-8 gets
  /// its other bytes replaced, as in the results.
  ///
  /// - Throws: ``MienError`` where the folder cannot be made.
  init(folder: URL, entries: [PhotoPaths.Entry]) throws {
    try Folders.make(folder)
    func key(_ url: URL) -> [UInt8] { Array(url.resolvingSymlinksInPath().path.utf8) }
    var taken = Set(entries.photos.map { key($0.url) })
    var targets: [FilePath: URL] = [:]
    for case .photo(let photo, let relativePath) in entries where targets[photo.path] == nil {
      var inner = relativePath.text.split(separator: "/").map(String.init)
      let (stem, fileExtension) = Self.parts(inner.popLast() ?? "")
      let place = inner.reduce(folder) { $0.appendingPathComponent($1) }
      // Formats that are read but not written become PNG.
      let writable = ImageFormat(fileExtension: fileExtension) == nil ? "png" : fileExtension
      var number = 1
      var target: URL
      repeat {
        let end = (number == 1 ? "" : "-\(number)") + ".\(writable)"
        target = place.appendingPathComponent(Self.shortened(stem, to: Self.longestName - end.utf8.count) + end)
        number += 1
      } while !taken.insert(key(target)).inserted
      targets[photo.path] = target
    }
    self.targets = targets
    self.folder = folder.relativePath
  }

  /// A name's part before its last dot and the part behind it.
  private static func parts(_ name: String) -> (stem: String, fileExtension: String) {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return (name, "") }
    return (String(name[..<dot]), String(name[name.utf8.index(after: dot)...]))
  }

  private static func shortened(_ text: String, to count: Int) -> String {
    var scalars = text.unicodeScalars
    while String(scalars).utf8.count > count { scalars.removeLast() }
    return String(scalars)
  }

  /// Writes a photo with its faces marked.
  ///
  /// - Parameter faces: in pixels of the whole picture; the copy has the size of `image`.
  /// - Throws: ``MienError`` that names the copy, or a folder for it, which could not be written.
  func write(_ image: Image, _ faces: [FaceReading], of photo: PhotoPipeline.Photo) throws {
    guard let target = targets[photo.path] else { return }
    // Several faces have the numbers of the table, which stand alone where a whole label would cover a face.
    let marks = faces.enumerated().map { index, face in
      Annotator.Mark(
        box: image.reduced(face.box), emotion: face.emotion, probability: Double(face.probability),
        isConfident: face.isConfident, number: faces.count > 1 ? index + 1 : nil)
    }
    try Folders.make(target.deletingLastPathComponent())
    do { try Annotator().annotated(image, marks: marks).write(to: target) } catch let error as MienError {
      throw error.about(target.relativePath)
    }
    ResultFile.wrote(target.path, in: folder)
  }
}
