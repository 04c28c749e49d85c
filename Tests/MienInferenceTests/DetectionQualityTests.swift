import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

/// What `docs/detection.md` says, with some room; `Benchmarks/faces.sh` makes its table.
@Suite(.enabled(if: Shared.has("media/hamilton.mp4"), "needs ../shared/media"))
struct DetectionQualityTests {
  @Test
  func markedFramesOfTheClipEachByItself() throws {
    let boxes = try FaceBoxes.load()
    let marked = Dictionary(uniqueKeysWithValues: boxes.clip.frames.map { ($0.frame, $0) })
    let (detector, reader) = (try NetworkDetector(), try VideoReader(contentsOf: Shared.url("media/hamilton.mp4")))
    var score = DetectorScore()
    while let frame = try reader.next() {
      guard let mark = marked[frame.index] else { continue }
      score.add(try detector.faces(in: frame.image), faces: mark.faces, ignored: mark.ignored)
    }
    #expect(score.frontalFound >= 57 && score.profileFound >= 46 && score.falseFaces <= 1, "\(score)")
  }

  @Test(arguments: [
    ("obama.jpg", 1), ("obama2.jpg", 1), ("two_people.jpg", 2), ("no-faces.jpg", 0),
  ])
  func everyMarkedFaceOfThePhotosAndNoOther(name: String, count: Int) throws {
    let photo = try #require(FaceBoxes.load().photos.first { $0.file == name })
    let faces = try NetworkDetector().faces(in: Image(contentsOf: Shared.url("media/\(name)")))
    var score = DetectorScore()
    score.add(faces, faces: photo.faces, ignored: photo.ignored)
    #expect(score.frontalFound == count && score.falseFaces == 0, "\(faces)")
  }

  @Test(.enabled(if: Shared.has("media/solvay1927.jpg"), "needs solvay1927.jpg"))
  func everyoneAtSolvayIsFound() throws {
    let faces = try NetworkDetector().faces(in: Image(contentsOf: Shared.url("media/solvay1927.jpg")))
    #expect(faces.count == 29)
  }

  /// A picture's boxes; other entries of the file are of other kinds.
  struct Truth: Decodable {
    var faces: [[Int]]

    private enum Keys: String, CodingKey { case faces }

    init(from decoder: any Decoder) throws {
      faces = (try? decoder.container(keyedBy: Keys.self).decode([[Int]].self, forKey: .faces)) ?? []
    }
  }

  @Test(.enabled(if: Shared.has("cases/faces"), "needs cases/faces"))
  func facesTiltedCoveredCroppedDarkAndInAGroup() throws {
    let truth = try JSONDecoder().decode([String: Truth].self, from: Data(contentsOf: Shared.url("cases/truth.json")))
    let (detector, small) = (try NetworkDetector(), try NetworkDetector(minFace: 20))
    for (name, picture) in truth where name.hasPrefix("faces/") {
      let isGroup = name.contains("group")
      let image = try Image(contentsOf: Shared.url("cases/\(name)"))
      let faces = try (isGroup ? small : detector).faces(in: image)
      let boxes = picture.faces.map { values in
        // What lies outside the picture is not seen.
        let (x, y) = (max(0, values[0]), max(0, values[1]))
        return Box(
          x: x, y: y, width: min(image.width, values[0] + values[2]) - x,
          height: min(image.height, values[1] + values[3]) - y)
      }
      #expect(faces.count == boxes.count, "\(name): \(faces.map(\.box))")
      for box in boxes {
        #expect(faces.contains { $0.box.overlap(box) >= 0.4 }, "\(name): \(box) is not in \(faces.map(\.box))")
      }
    }
  }
}
