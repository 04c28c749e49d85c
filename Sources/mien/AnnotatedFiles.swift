import Foundation
import MienCore
import MienInference
import MienVision

/// Where annotated pictures go: one file a photo, laid out as the photos are inside the folders given.
struct AnnotatedFiles {
  private let targets: [String: URL]

  /// Chooses a file for every photo. Two photos of one relative path get different files, and none replaces a photo.
  ///
  /// - Throws: ``MienError`` where the folder cannot be made.
  init(folder: URL, entries: [PhotoPaths.Entry]) throws {
    try Self.makeFolder(folder)
    var taken = Set(entries.photos.map { $0.url.resolvingSymlinksInPath().path })
    var targets: [String: URL] = [:]
    for case .photo(let photo, let relativePath) in entries where targets[photo.name] == nil {
      let wanted = folder.appendingPathComponent(relativePath)
      let stem = wanted.deletingPathExtension()
      // Formats that are read but not written become PNG.
      let fileExtension = ImageFormat(fileExtension: wanted.pathExtension) == nil ? "png" : wanted.pathExtension
      var target = stem.appendingPathExtension(fileExtension)
      var number = 2
      while !taken.insert(target.resolvingSymlinksInPath().path).inserted {
        target = stem.deletingLastPathComponent()
          .appendingPathComponent("\(stem.lastPathComponent)-\(number)").appendingPathExtension(fileExtension)
        number += 1
      }
      targets[photo.name] = target
    }
    self.targets = targets
  }

  /// Writes a photo with its faces marked.
  func write(_ image: Image, _ faces: [FaceReading], name: String) throws {
    guard let target = targets[name] else { return }
    let marks = faces.map { face in
      Annotator.Mark(box: face.box, emotion: face.emotion, probability: Double(face.probability))
    }
    try Self.makeFolder(target.deletingLastPathComponent())
    try Annotator().annotated(image, marks: marks).write(to: target)
  }

  private static func makeFolder(_ folder: URL) throws {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw MienError(.file, folder.path, "the folder cannot be made")
    }
  }
}
