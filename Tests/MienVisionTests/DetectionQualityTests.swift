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
    #expect(defaults.frontalRecall >= 0.5, "\(defaults)")
    #expect(defaults.falseFaces <= 5, "\(defaults)")
    guard Self.printsTable else { return }
    for scaleFactor in [1.05, 1.08, 1.1, 1.2] {
      for minNeighbors in [1, 2, 3, 4, 5] {
        for windowSize in [20, 24, 30, 40] {
          let options = FaceDetectorOptions(
            scaleFactor: scaleFactor, minNeighbors: minNeighbors, windowSize: windowSize)
          let start = ContinuousClock.now
          let result = try score(options)
          let time = (ContinuousClock.now - start) / frames.count / .milliseconds(1)
          print(
            "| \(scaleFactor) | \(minNeighbors) | \(windowSize) | \(result.frontalFound)/\(result.frontal) "
              + "| \(result.profileFound)/\(result.profile) | \(result.falseFaces) | \(String(format: "%.1f", time)) |")
        }
      }
    }
  }
}
