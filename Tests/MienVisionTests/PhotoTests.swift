import Foundation
import MienVision
import Testing

@Suite("Faces in real photos", .enabled(if: Shared.hasMedia, "needs ../shared/media"))
struct PhotoTests {
  @Test(arguments: [("obama.jpg", 1), ("obama2.jpg", 1), ("two_people.jpg", 2), ("no-faces.jpg", 0)])
  func findsEveryFaceAndNoOther(name: String, count: Int) throws {
    let image = try Image(contentsOf: Shared.media(name))
    let faces = try FaceDetector().faces(in: image)
    #expect(faces.count == count, "\(faces)")
  }
}
