import Foundation
import MienTestSupport
import MienVision
import Testing

/// The videos that users report, through `mien video`; each file of which `truth.json` tells the faces is one.
@Suite(.enabled(if: Cases.exist, "\(Cases.missing)"))
struct VideoCaseCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let videos = ["video-rotation", "video-streams"].flatMap(Cases.paths).filter {
    Cases.truth(of: $0)["faceFrames"] != nil
  }

  static func box(_ value: Any?) -> Box? {
    guard let numbers = value as? [Int], numbers.count == 4 else { return nil }
    return Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
  }

  static func overlap(_ a: Box, _ b: Box) -> Double {
    let shared = a.intersectionArea(b)
    return Double(shared) / Double(a.width * a.height + b.width * b.height - shared)
  }

  @Test(arguments: videos) func facesAreFollowed(path: String) throws {
    let truth = Cases.truth(of: path)
    let made = try Command.mien("video", Cases.url(path).path, "--json", "-")
    #expect(made.status == 0, "\(made.errors)")
    let rows = try VideoCommandTests.rows(made.output)
    let faces = rows.filter { $0.box != nil }
    #expect(rows.count == truth["frames"] as? Int && faces.count == truth["faceFrames"] as? Int)
    #expect(rows.map(\.frame) == Array(0..<rows.count))
    for (row, key) in [(faces.first, "first"), (faces.last, "last")] {
      guard let expected = Self.box(truth[key]) else { continue }
      #expect(try Self.overlap(#require(row?.box), expected) > 0.6, "\(key)")
    }
  }

  static let sounds = Cases.paths(in: "video-streams").filter { Cases.truth(of: $0)["sound"] != nil }

  @Test(.enabled(if: VideoCommandTests.ffmpeg != nil, "needs ffmpeg"), arguments: sounds)
  func soundCostsNothingElse(path: String) throws {
    let keeps = Cases.truth(of: path)["sound"] as? Bool ?? false
    let copy = folder.file("copy.mp4")
    let made = try Command.mien("video", Cases.url(path).path, "--json", "-", "--annotate", copy.path)
    #expect(made.status == 0, "\(made.errors)")
    #expect(try VideoCommandTests.rows(made.output).count == 72)
    #expect(made.errors.contains("has no sound") == !keeps, "\(made.errors)")
    let probe = try Command.run(
      "/bin/sh", ["-c", "ffprobe -v error -show_entries stream=codec_name,duration -of csv=p=0 \"$0\"", copy.path])
    let streams = probe.output.split(separator: "\n").map { $0.split(separator: ",") }
    #expect(streams.map { $0[0] } == (keeps ? ["h264", "aac"] : ["h264"]), "\(probe.output)")
    for stream in streams { #expect(abs((Double(stream[1]) ?? 0) - 2.88) < 0.1, "\(probe.output)") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["copy.mp4"])
  }
}
