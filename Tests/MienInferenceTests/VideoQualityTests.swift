import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

/// What `docs/video.md` says of the clip, with some room.
@Suite(.enabled(if: Shared.has("media/hamilton.mp4"), "needs ../shared/media"))
struct VideoQualityTests {
  struct Face: Decodable {
    let box: Box
    let view: String
    let person: Int
  }

  struct Frame: Decodable {
    let frame: Int
    let faces: [Face]
    let ignored: [Box]
  }

  struct Marks: Decodable {
    struct Clip: Decodable { let frames: [Frame] }
    let clip: Clip
  }

  struct Score {
    var found: [String: Int] = [:]
    var marked: [String: Int] = [:]
    var falseFaces = 0
    var switches = 0
    var rawChanges = 0
    var changes = 0
  }

  @Test func recallIdentitiesAndLabels() async throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("MienVisionTests/Fixtures/face-boxes.json")
    let frames = try JSONDecoder().decode(Marks.self, from: Data(contentsOf: file)).clip.frames
    let marks = Dictionary(uniqueKeysWithValues: frames.map { ($0.frame, $0) })
    var score = Score()
    var tracks: [Int: Int] = [:]
    var labels: [Int: (raw: Emotion, shown: Emotion?)] = [:]
    for try await frame in try await Recognizer().readings(inVideo: Shared.url("media/hamilton.mp4")) {
      if frame.startsScene { tracks.removeAll() }
      for face in frame.faces {
        if let last = labels[face.track] {
          score.rawChanges += last.raw == face.reading.emotion ? 0 : 1
          score.changes += last.shown == face.emotion ? 0 : 1
        }
        labels[face.track] = (face.reading.emotion, face.emotion)
      }
      if let mark = marks[frame.index] { Self.add(frame.faces, mark, &tracks, &score) }
    }
    #expect(score.marked == ["frontal": 58, "profile": 61])
    #expect(score.found["frontal", default: 0] >= 52, "\(score)")
    #expect(score.found["profile", default: 0] >= 12, "\(score)")
    #expect(score.falseFaces <= 4 && score.switches <= 1, "\(score)")
    #expect(score.changes * 2 < score.rawChanges, "\(score)")
  }

  /// Compares a frame with its marks: a face is found where a box overlaps it by 0.4 or more, once.
  private static func add(_ faces: [TrackedReading], _ mark: Frame, _ tracks: inout [Int: Int], _ score: inout Score) {
    var open = faces
    for marked in mark.faces {
      score.marked[marked.view, default: 0] += 1
      let best = open.indices.max {
        open[$0].reading.box.overlap(marked.box) < open[$1].reading.box.overlap(marked.box)
      }
      guard let best, open[best].reading.box.overlap(marked.box) >= 0.4 else { continue }
      score.found[marked.view, default: 0] += 1
      if let last = tracks[marked.person], last != open[best].track { score.switches += 1 }
      tracks[marked.person] = open[best].track
      open.remove(at: best)
    }
    score.falseFaces += open.count { face in
      !mark.ignored.contains { $0.intersectionArea(face.reading.box) * 2 >= face.reading.box.area }
    }
  }
}
