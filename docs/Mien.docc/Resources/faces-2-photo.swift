import Foundation
import MienInference

@main struct FaceTimeline {
  static func main() async throws {
    let recognizer = try await Recognizer()
    let photo = try Image(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1]))
    for face in try await recognizer.readings(in: photo) {
      print(face.emotion.rawValue, face.probability)
    }
  }
}
