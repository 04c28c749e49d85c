import Foundation
import MienCore
import MienTestSupport
import Testing

@Suite struct ExtractCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.file(name).path }

  /// The rows of faces.csv without its header.
  func rows(_ target: String) throws -> [[String]] {
    try String(contentsOf: folder.file(target + "/faces.csv"), encoding: .utf8).components(separatedBy: "\r\n")
      .dropFirst().filter { !$0.isEmpty }.map { $0.components(separatedBy: ",") }
  }

  /// Pictures have the video's name twice, once in the folder's and once in their own.
  @Test(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
  func videosWithLongNamesAreExtracted() throws {
    let long = String(repeating: "ä", count: 120) + ".y4m"
    try Sample.clip().write(to: folder.file(long))
    let made = try Command.mien("dataset", "extract", path(long), "-o", path("out"))
    #expect(made.status == 0 && made.errors.contains("2 written"), "\(made.errors)")
    #expect(try rows("out").map { $0[1] } == [path(long), path(long)])
  }

  @Test(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
  func facesOfVideosBecomeADataSet() throws {
    try Sample.clip().write(to: folder.file("clip.y4m"))
    try Data().write(to: folder.file("empty.mp4"))
    try Data("words".utf8).write(to: folder.file("words.mp4"))
    let made = try Command.mien(
      "dataset", "extract", path("empty.mp4"), path("clip.y4m"), path("words.mp4"), path("none.mp4"), "-o", path("out"))
    #expect(made.status == 1 && made.output.isEmpty)
    #expect(made.errors.contains("mien: error: \(path("empty.mp4")): is empty, expected a video\n"))
    #expect(made.errors.contains("mien: error: \(path("words.mp4")): is not a video"))
    #expect(made.errors.contains("mien: error: \(path("none.mp4")): no such file\n"))
    #expect(
      made.errors.contains(
        "\(path("clip.y4m")): 3 frames looked at, 3 faces, 1 near-identical left out, 2 written\n"))
    let rows = try rows("out")
    #expect(rows.map { $0[0] } == ["clip/clip_000000_1.png", "clip/clip_000008_1.png"])
    #expect(rows.allSatisfy { $0[1] == path("clip.y4m") && $0.count == 8 } && rows[1][2] == "8" && rows[1][3] == "2.0")

    for (row, name) in zip(rows, ["happy", "sad"]) {
      try FileManager.default.createDirectory(at: folder.file("out/\(name)"), withIntermediateDirectories: true)
      let picture = folder.file("out/" + row[0])
      try FileManager.default.moveItem(
        at: picture, to: folder.file("out/\(name)/\(picture.lastPathComponent)"))
    }
    try FileManager.default.removeItem(at: folder.file("out/clip"))
    let imported = try Command.mien("dataset", "import", "folders", path("out"), "-o", path("faces"))
    #expect(imported.status == 0, "\(imported.errors)")
    let faces = try FaceSet(contentsOf: folder.file("faces"))
    #expect(faces.count == 2 && faces.width == 48 && faces.channels == 1)
    #expect((0..<2).map { faces[$0].label } == [.happiness, .sadness])

    let again = try Command.mien("dataset", "extract", path("clip.y4m"), "-o", path("out"))
    let advice = "already exists, from an earlier extraction; give all videos in one command, or another folder"
    #expect(again.status == 1 && again.errors.contains(advice), "\(again.errors)")
  }

  @Test(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
  func aWrongNameDoesNotSpendTheFolder() throws {
    try Sample.clip().write(to: folder.file("clip.y4m"))
    let wrong = try Command.mien("dataset", "extract", path("nope.y4m"), "-o", path("out"))
    #expect(wrong.status == 1 && !wrong.errors.contains("wrote"), "\(wrong.errors)")
    #expect(!FileManager.default.fileExists(atPath: path("out")))
    let inside = try Command.mien("dataset", "extract", folder.url.path, "-o", path("out"))
    #expect(
      inside.errors.contains("is a folder, expected a video file; to read all videos in it, add --shard 1/1"),
      "\(inside.errors)")
    let corrected = try Command.mien("dataset", "extract", path("clip.y4m"), "-o", path("out"))
    #expect(corrected.status == 0, "\(corrected.errors)")
    #expect(try rows("out").count == 2)
  }

  @Test(.enabled(if: Shared.has("media/hamilton.mp4"), "needs ../shared/media"))
  func aRealClipGivesFacesOfItsShots() throws {
    let clip = Shared.url("media/hamilton.mp4").path
    let scenes = try Command.mien("dataset", "extract", clip, "--scenes", "--equalize", "-o", path("scenes"))
    #expect(scenes.status == 0, "\(scenes.errors)")
    #expect(scenes.errors.contains("4 frames looked at"))
    #expect(try Set(rows("scenes").map { $0[2] }).isSubset(of: ["0", "20", "82", "211"]))
    let cut = try Data(contentsOf: Shared.url("media/hamilton.mp4"))
    try cut.prefix(300_000).write(to: folder.file("cut.mp4"))
    let outcome = try Command.mien("dataset", "extract", path("cut.mp4"), clip, "-o", path("out"))
    #expect(outcome.status == 1 && outcome.errors.contains("cut.mp4: is a truncated or unfinished file"))
    #expect(try rows("out").count >= 5)
  }

  @Test(arguments: [
    ["a.mp4"], ["-o", "out"], ["a.mp4", "-o", "out", "--every", "0"],
    ["a.mp4", "-o", "out", "--every", "1", "--scenes"],
    ["a.mp4", "-o", "out", "--size", "0"], ["a.mp4", "-o", "out", "--min-face", "3"],
  ])
  func wrongUsageExitsWith64(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, ["dataset", "extract"] + arguments)
    #expect(outcome.status == 64 && outcome.errors.contains("mien: error: "), "\(outcome.errors)")
  }

  /// imgcodecs and videoio bring some hundred libraries with them, which nothing but the files that need them should wait for.
  @Test func theProgramLinksNeitherCodecsNorVideoLibraries() throws {
    let listed = try Command.run(
      "/bin/sh", ["-c", #"LD_TRACE_LOADED_OBJECTS=1 "$0""#, Command.mien.path])
    #expect(listed.output.contains("libopencv_imgproc") && !listed.output.contains("libopencv_imgcodecs"))
    #expect(!listed.output.contains("videoio") && !listed.output.contains("libMienVideoShim"))
  }
}
