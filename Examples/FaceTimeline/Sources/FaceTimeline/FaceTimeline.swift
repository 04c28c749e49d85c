import Foundation
import MienInference

/// Prints whenever a person in a video begins to show something else.
@main struct FaceTimeline {
  static func main() async throws {
    guard CommandLine.arguments.count == 2 else {
      throw MienError(.argument, nil, "usage: FaceTimeline VIDEO")
    }
    let recognizer = try await Recognizer()
    var shown: [Int: Emotion] = [:]
    for try await frame in try await recognizer.readings(inVideo: URL(fileURLWithPath: CommandLine.arguments[1])) {
      for face in frame.faces {
        guard let emotion = face.emotion, shown[face.track] != emotion else { continue }
        shown[face.track] = emotion
        print("frame \(frame.index), person \(face.track): \(emotion.rawValue)")
      }
    }
  }
}
