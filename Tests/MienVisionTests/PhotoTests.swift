import Foundation
import MienVision
import Testing

@Suite("Faces in real photos", .enabled(if: Shared.hasMedia, "needs ../shared/media"))
struct PhotoTests {
  @Test(arguments: [("obama.jpg", 1), ("obama2.jpg", 1), ("two_people.jpg", 2), ("no-faces.jpg", 0)])
  func findsEveryMarkedFaceAndNoOther(name: String, count: Int) throws {
    let photo = try #require(FaceBoxes.load().photos.first { $0.file == name })
    #expect(photo.faces.count == count)
    let faces = try FaceDetector().faces(in: Image(contentsOf: Shared.media(name)))
    var score = DetectorScore()
    score.add(faces, faces: photo.faces, ignored: photo.ignored)
    #expect(score.frontalFound == count && score.falseFaces == 0, "\(faces)")
  }
}
