import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienVision

/// Where annotated pictures go: one file a photo, laid out as the photos are inside the folders given; or, for one photo,
/// the file named.
struct AnnotatedFiles {
  private let targets: [FilePath: URL]
  /// The folder of the copies; nil for the file of one.
  private let folder: String?

  /// Names of files have 255 bytes at most.
  private static let longestName = 255

  /// Takes what a command was given for the copies: the name of a picture for that of one photo, else of a folder.
  ///
  /// - Throws: ``MienError`` for the name of a picture where there are several photos, where it is the photo itself or
  ///   has a format that Mien does not write; or where the folder cannot be made.
  init(_ place: String, entries: [PhotoPaths.Entry]) throws {
    let url = URL(fileURLWithPath: place)
    guard !url.hasDirectoryPath, PhotoPaths.isPictureName(place) else {
      self = try AnnotatedFiles(folder: URL(fileURLWithPath: place, isDirectory: true), entries: entries)
      return
    }
    let photos = entries.photos
    let count = Set(photos.map(\.path)).count
    guard ImageFormat(fileExtension: url.pathExtension) != nil, count <= 1 else {
      throw MienError(
        .argument, "--annotate \(place)",
        count > 1
          ? "is the name of one picture, and there are \(count) photos: expected a folder"
          : "expected a name that ends in .jpg or .png, or a folder")
    }
    try ResultFile.check(["--annotate": place], inputs: photos.map { $0.url.path })
    targets = Dictionary(photos.map { ($0.path, url) }) { first, _ in first }
    folder = nil
  }

  /// Chooses a file for every photo. Two photos of one relative path get different files, and none replaces a photo.
  ///
  /// Names count byte by byte: an é of one character and an é of two make different files. A name that is not UTF-8 gets
  /// its other bytes replaced, as in the results.
  ///
  /// - Throws: ``MienError`` where the folder cannot be made.
  private init(folder: URL, entries: [PhotoPaths.Entry]) throws {
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
    ResultFile.wrote(folder == nil ? target.relativePath : target.path, in: folder)
  }
}
