import Foundation
import MienVision
import Testing

/// Recall and false faces on the hand-made boxes. `MIEN_DETECTOR_TABLE=1 swift test -c release --filter
/// DetectionQualityTests` prints the table of `docs/detection.md`.
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
    func score(_ options: FaceDetectorOptions) throws -> DetectorScore {
      let detector = try FaceDetector(options: options)
      var score = DetectorScore()
      for (frame, image) in frames {
        score.add(try detector.faces(in: image), faces: frame.faces, ignored: frame.ignored)
      }
      return score
    }
    let defaults = try score(.init())
    #expect(defaults.frontalRecall >= 0.7, "\(defaults)")
    #expect(defaults.falseFaces <= 3, "\(defaults)")
    guard Self.printsTable else { return }
    print("| scale factor | neighbours | smallest face | frontal | profile | false | recall of all |")
    for scaleFactor in [1.05, 1.1, 1.2] {
      for minNeighbors in [2, 3, 4] {
        for minFace in [nil, 36] {
          let options = FaceDetectorOptions(minFace: minFace, scaleFactor: scaleFactor, minNeighbors: minNeighbors)
          let result = try score(options)
          print(
            "| \(scaleFactor) | \(minNeighbors) | \(minFace ?? 24) | \(result.frontalFound) of \(result.frontal) "
              + "| \(result.profileFound) of \(result.profile) | \(result.falseFaces) "
              + "| \(String(format: "%.0f", result.recall * 100)) % |")
        }
      }
    }
  }
}
