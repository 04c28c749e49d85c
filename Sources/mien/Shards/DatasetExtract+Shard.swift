import Foundation
import MienCore
import MienDatasets
import MienInference
import MienModelOptions
import MienVision

extension DatasetExtract {
  /// Extracts the faces of a shard's videos, or what a run before left of them.
  ///
  /// - Parameter framing: how faces are cropped, for the manifest.
  func extractShard(by extractor: FaceExtractor, framing: ModelCard.Framing) throws {
    let shard = try shard.resolved()
    let target = URL(fileURLWithPath: output, isDirectory: true)
    let found = PhotoPaths(videos, of: .videos)
    try ShardFiles.check(found)
    let encoder = JSONText.encoder()
    var settings = detector.settings
    settings["framing"] = String(decoding: try encoder.encode(framing), as: UTF8.self)
    settings["--every"] = scenes ? nil : "\(every ?? 1)"
    settings["--scenes"] = "\(scenes)"
    settings["--size"] = "\(size)"
    settings["--equalize"] = "\(equalize)"
    let output = try ShardOutput(folder: target, shard: shard, command: "dataset extract", settings: settings)
    let files = ShardFiles(found, for: output)
    var progress = ShardProgress(output, files, noun: "video", errorKey: "video")
    Interrupt.listen()
    for file in files.remaining where !Interrupt.isRaised {
      let video = file.photo
      let folder = Self.folder(of: file.relativePath, in: target)
      try output.begin(folder)
      func add(_ face: FaceExtractor.Face) throws {
        let picture = try ExtractedFaces.write(face, folder: folder, in: target)
        try output.write(encoder.encode(ExtractedRow(picture, video: video.name, face)) + Data("\n".utf8))
      }
      let outcome = try extractor.extract(video.url, shouldStop: { Interrupt.isRaised }, add)
      // A video that was stopped is not done.
      if Interrupt.isRaised { break }
      if let error = outcome.error, !error.isAbout(video.url) { throw error }
      try progress.finish(video, error: outcome.error)
    }
    try progress.end(stopped: Interrupt.isRaised)
  }

  /// A folder for the pictures of the video at a relative path, which no other shard names: videos of one checksum are in one
  /// shard.
  private static func folder(of relativePath: FilePath, in target: URL) -> String {
    let checksum = String(Checksum.of(Data(relativePath.bytes)), radix: 16)
    let stem = ExtractedFaces.folderName(ofVideo: relativePath.name.text)
    let name = "\(stem)-" + String(repeating: "0", count: 8 - checksum.count) + checksum
    var (unique, number) = (name, 2)
    while FileManager.default.fileExists(atPath: target.appendingPathComponent(unique).path) {
      unique = "\(name)-\(number)"
      number += 1
    }
    return unique
  }
}

/// A line of the list: a picture, and the face that it shows.
private struct ExtractedRow: Encodable {
  let file: String
  let video: String
  let frame: Int
  let seconds: Double
  let box: Box

  init(_ file: String, video: String, _ face: FaceExtractor.Face) {
    (self.file, self.video, frame, box) = (file, video, face.frame, face.box)
    seconds = (face.seconds * 1000).rounded() / 1000
  }
}
