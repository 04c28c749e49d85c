import Foundation
import MienInference

@main struct FaceTimeline {
  static func main() async throws {
    let recognizer = try await Recognizer()
    for try await frame in try await recognizer.readings(inVideo: URL(fileURLWithPath: CommandLine.arguments[1])) {
      for face in frame.faces {
        print("frame \(frame.index), person \(face.track): \(face.emotion?.rawValue ?? "unsure")")
      }
    }
  }
}
