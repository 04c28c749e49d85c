import Foundation
import MienVision

/// The hand-made boxes of `Fixtures/face-boxes.json`; its `note` says how they were made.
struct FaceBoxes: Decodable {
  enum View: String, Decodable { case frontal, profile }

  struct Face: Decodable {
    var box: Box
    var view: View
  }

  struct Frame: Decodable {
    var frame: Int
    var faces: [Face]
    var ignored: [Box]
  }

  struct Photo: Decodable {
    var file: String
    var faces: [Face]
    var ignored: [Box]
  }

  struct Clip: Decodable {
    var file: String
    var width: Int
    var height: Int
    var frameCount: Int
    var frames: [Frame]
  }

  var clip: Clip
  var photos: [Photo]

  static func load() throws -> FaceBoxes {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("MienVisionTests/Fixtures/face-boxes.json")
    return try JSONDecoder().decode(FaceBoxes.self, from: Data(contentsOf: url))
  }
}

/// What a detector found, missed and made up, against hand-made boxes.
struct DetectorScore: Equatable {
  var frontal = 0
  var frontalFound = 0
  var profile = 0
  var profileFound = 0
  var falseFaces = 0
  var pictures = 0

  /// Nothing counted yet.
  init() {}

  var frontalRecall: Double { Double(frontalFound) / Double(max(1, frontal)) }
  var recall: Double { Double(frontalFound + profileFound) / Double(max(1, frontal + profile)) }

  /// Adds a picture. A detection finds the face that it overlaps most, by an intersection over union of at least
  /// `threshold`; each face is found once. Other detections are false, unless half of them lies in an ignored box.
  mutating func add(_ found: [DetectedFace], faces: [FaceBoxes.Face], ignored: [Box], threshold: Double = 0.4) {
    pictures += 1
    frontal += faces.count { $0.view == .frontal }
    profile += faces.count { $0.view == .profile }
    var open = faces
    for detection in found.sorted(by: { ($0.score ?? 1) > ($1.score ?? 1) }) {
      let best = open.indices.max { open[$0].box.overlap(detection.box) < open[$1].box.overlap(detection.box) }
      if let best, open[best].box.overlap(detection.box) >= threshold {
        if open[best].view == .frontal { frontalFound += 1 } else { profileFound += 1 }
        open.remove(at: best)
      } else if !ignored.contains(where: { $0.intersectionArea(detection.box) * 2 >= detection.box.area }) {
        falseFaces += 1
      }
    }
  }
}
