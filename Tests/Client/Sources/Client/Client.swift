import ArgumentParser
import Foundation
import MienInference
import SwiftProtobuf
import Yams

/// Uses Mien as a program of someone else does: reads photos and a video, trains, exports and evaluates.
@main struct Client: AsyncParsableCommand {
  @Argument(help: "A photo with one face.") var photo: String
  @Option(help: "A new folder for what is written.") var output: String

  func run() async throws {
    let folder = URL(fileURLWithPath: output)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let recognizer = try await Recognizer()
    let image = try Image(contentsOf: URL(fileURLWithPath: photo))

    try await readPhoto(image, recognizer)
    try await readFolder(image, recognizer, folder)
    try await readVideo(image, recognizer, folder)
    try await train(in: folder)
    // The client's own use of the packages that Mien depends on too.
    try require(Google_Protobuf_Duration(seconds: 2, nanos: 0).seconds == 2, "SwiftProtobuf works beside Mien")
    try require(try Yams.load(yaml: "mien: 1") as? [String: Int] == ["mien": 1], "Yams works beside Mien")
    print("client: all done")
  }

  private func readPhoto(_ image: Image, _ recognizer: Recognizer) async throws {
    let readings = try await recognizer.readings(in: image)
    try require(readings.count == 1, "one face in the photo, found \(readings.count)")
    try require(readings[0].emotion == .happiness, "happiness, found \(readings[0].emotion)")
    let json = try JSONEncoder().encode(
      PictureReadings(
        file: photo, width: image.width, height: image.height, faces: readings))
    let read = try JSONDecoder().decode(PictureReadings.self, from: json)
    try require(read.faces[0].distribution == readings[0].distribution, "a reading comes back from JSON")
    print("photo: \(String(decoding: try JSONEncoder().encode(readings[0]), as: UTF8.self))")
  }

  private func readFolder(_ image: Image, _ recognizer: Recognizer, _ folder: URL) async throws {
    let photos = folder.appendingPathComponent("photos")
    try FileManager.default.createDirectory(at: photos, withIntermediateDirectories: true)
    for name in ["a", "b"] { try image.write(to: photos.appendingPathComponent("\(name).jpg")) }
    try Data("no picture".utf8).write(to: photos.appendingPathComponent("readme.txt"))
    var names: [String] = []
    for try await photo in try PhotoPipeline(recognizer: recognizer).outcomes(ofFolder: photos) {
      names.append(photo.name)
      try require(photo.faces.count == 1, "one face in \(photo.name)")
    }
    try require(names == ["a.jpg", "b.jpg"], "the folder's photos, found \(names)")
  }

  private func readVideo(_ image: Image, _ recognizer: Recognizer, _ folder: URL) async throws {
    let video = folder.appendingPathComponent("clip.y4m")
    try clip(of: image, frames: 6).write(to: video)
    var frames = 0
    for try await frame in try await recognizer.readings(inVideo: video) {
      frames += 1
      try require(frame.faces.map(\.track) == [1], "person 1 in frame \(frame.index)")
      _ = try JSONEncoder().encode(frame)
    }
    try require(frames == 6, "6 frames, found \(frames)")
    print("video: \(frames) frames")
  }

  /// A grey video of one picture in YUV4MPEG2, which needs no encoder.
  private func clip(of image: Image, frames: Int) -> Data {
    let grey = image.grey
    var clip = Data("YUV4MPEG2 W\(grey.width) H\(grey.height) F4:1 Ip A1:1 Cmono\n".utf8)
    for _ in 0..<frames { clip += Data("FRAME\n".utf8) + Data(grey.pixels) }
    return clip
  }
}

/// What the client expects of Mien did not happen.
struct Surprise: Error, CustomStringConvertible {
  let description: String
}

func require(_ isMet: Bool, _ expectation: String) throws {
  guard isMet else { throw Surprise(description: "expected \(expectation)") }
}
