import Foundation
import MienVision
import Testing

/// Recall and false faces on the hand-made boxes. `MIEN_DETECTOR_TABLE=1 make test
/// FILTER=DetectionQualityTests` prints the table of `docs/detection.md`.
@Suite("Detection quality", .enabled(if: Shared.hasMedia, "needs ../shared/media"))
struct DetectionQualityTests {
  static let printsTable = ProcessInfo.processInfo.environment["MIEN_DETECTOR_TABLE"] != nil

  @Test("The defaults keep their recall on the clip", .enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func clip() throws {
    let boxes = try FaceBoxes.load()
    let marked = Dictionary(uniqueKeysWithValues: boxes.clip.frames.map { ($0.frame, $0) })
    #expect(marked.count >= 60)
    var frames: [(FaceBoxes.Frame, Image)] = []
    let count = try Clip.forEachFrame(
      of: Shared.media(boxes.clip.file), width: boxes.clip.width, height: boxes.clip.height, wanted: Set(marked.keys)
    ) { number, image in
      if let frame = marked[number] { frames.append((frame, image)) }
    }
    try #require(count == boxes.clip.frameCount, "the boxes are numbered for \(boxes.clip.frameCount) frames")
    func score(minFace: Int? = nil) throws -> DetectorScore {
      let detector = try FaceDetector(minFace: minFace)
      var score = DetectorScore()
      for (frame, image) in frames {
        score.add(try detector.faces(in: image), faces: frame.faces, ignored: frame.ignored)
      }
      return score
    }
    let defaults = try score()
    #expect(defaults.frontalRecall >= 0.8, "\(defaults)")
    #expect(defaults.falseFaces <= 3, "\(defaults)")
    guard Self.printsTable else { return }
    print("| smallest face | frontal | profile | false | recall of all |")
    for minFace in [20, 24, 30, 36, 48] {
      let result = try score(minFace: minFace)
      print(
        "| \(minFace) | \(result.frontalFound) of \(result.frontal) | \(result.profileFound) of \(result.profile) "
          + "| \(result.falseFaces) | \(String(format: "%.0f", result.recall * 100)) % |")
    }
  }
}
