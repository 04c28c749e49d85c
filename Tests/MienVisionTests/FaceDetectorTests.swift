import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite("Face detector")
struct FaceDetectorTests {
  static let hasCascade = (try? FaceDetector()) != nil

  @Test("A missing cascade says where it was looked for and how to install it")
  func missingCascade() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: MienError.self) {
      try CascadeFile.find(environment: ["MIEN_HAARCASCADES": folder.url.path])
    }
    #expect(error?.kind == .file)
    #expect(error?.message.contains(folder.url.path) == true)
    #expect(error?.message.contains("apt-get install opencv-data") == true)
  }

  @Test("The folder that MIEN_HAARCASCADES names comes first")
  func namedFolder() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent(CascadeFile.name)
    try Data("text".utf8).write(to: file)
    #expect(try CascadeFile.find(environment: ["MIEN_HAARCASCADES": folder.url.path]) == file.path)
    let error = #expect(throws: MienError.self) { try FaceDetector(options: .init(cascade: file)) }
    #expect(error?.subject == file.path)
  }

  @Test("Settings out of range are refused")
  func settings() {
    let wrong: [FaceDetectorOptions] = [
      .init(minFace: 19), .init(scaleFactor: 1), .init(scaleFactor: .nan), .init(minNeighbors: -1),
      .init(windowSize: 19),
    ]
    for options in wrong { #expect(throws: MienError.self) { try FaceDetector(options: options) } }
  }

  @Test("Pictures too small or too plain hold no face", .enabled(if: hasCascade, "needs opencv-data"))
  func nothing() throws {
    let detector = try FaceDetector()
    for (width, height) in [(1, 1), (23, 400), (24, 24), (640, 360)] {
      let image = try Image(
        width: width, height: height, channels: 3, pixels: [UInt8](repeating: 90, count: width * height * 3))
      #expect(try detector.faces(in: image).isEmpty)
    }
  }

  @Test("Of overlapping detections the surest stays; the largest comes first")
  func distinct() {
    let sure = DetectedFace(box: Box(x: 10, y: 10, width: 40, height: 40), score: 20)
    let inside = DetectedFace(box: Box(x: 15, y: 15, width: 20, height: 20), score: 4)
    let around = DetectedFace(box: Box(x: 5, y: 5, width: 55, height: 55), score: 5)
    let large = DetectedFace(box: Box(x: 100, y: 0, width: 50, height: 50), score: 3)
    let twin = DetectedFace(box: Box(x: 200, y: 0, width: 50, height: 50), score: 9)
    #expect(FaceDetector.distinct([inside, twin, sure, large, around]) == [large, twin, sure])
    #expect(FaceDetector.distinct([]).isEmpty)
  }

  @Test("Many threads find what one finds", .enabled(if: Shared.hasMedia && hasCascade, "needs ../shared/media"))
  func concurrent() async throws {
    let image = try Image(contentsOf: Shared.media("two_people.jpg"))
    let detector = try FaceDetector()
    let expected = try detector.faces(in: image)
    try await withThrowingTaskGroup(of: [DetectedFace].self) { group in
      for _ in 0..<6 { group.addTask { try detector.faces(in: image) } }
      for try await faces in group { #expect(faces == expected) }
    }
  }
}
