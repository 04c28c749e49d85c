import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct HaarDetectorTests {
  static let hasCascade = (try? HaarDetector()) != nil

  @Test
  func aMissingCascadeSaysHowToInstallIt() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: MienError.self) {
      try CascadeFile.find(environment: ["MIEN_HAARCASCADES": folder.url.path])
    }
    #expect(error?.kind == .file)
    #expect(error?.message.contains(folder.url.path) == true)
    #expect(error?.message.contains("apt-get install opencv-data") == true)
  }

  @Test
  func theNamedFolderOfCascadesComesFirst() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent(CascadeFile.name)
    try Data("text".utf8).write(to: file)
    #expect(try CascadeFile.find(environment: ["MIEN_HAARCASCADES": folder.url.path]) == file.path)
    let error = #expect(throws: MienError.self) {
      try HaarDetector(minFace: nil, environment: ["MIEN_HAARCASCADES": folder.url.path])
    }
    #expect(error?.subject?.hasPrefix(folder.url.path) == true)
  }

  @Test
  func aSmallestFaceBelowTheCascadesWindowIsRefused() {
    #expect(throws: MienError.self) { try HaarDetector(minFace: 19) }
  }

  @Test(.enabled(if: hasCascade, "needs opencv-data"))
  func picturesTooSmallOrTooPlainHoldNoFace() throws {
    let detector = try HaarDetector()
    for (width, height) in [(1, 1), (23, 400), (24, 24), (640, 360)] {
      let image = try Image(
        width: width, height: height, channels: 3, pixels: [UInt8](repeating: 90, count: width * height * 3))
      #expect(try detector.faces(in: image).isEmpty)
    }
  }

  @Test(.enabled(if: hasCascade && Shared.has("media/obama.jpg"), "needs ../shared/media"))
  func aFrontalFaceIsFoundAndItsScoreIsAShare() throws {
    let faces = try HaarDetector().faces(in: Image(contentsOf: Shared.url("media/obama.jpg")))
    #expect(faces.count == 1 && faces[0].score.map { (0.5..<1).contains($0) } == true, "\(faces)")
    #expect(faces[0].points == nil && faces[0].landmarks == nil)
  }

  @Test(.enabled(if: Shared.has("media/obama.jpg") && hasCascade, "needs ../shared/media"))
  func manyThreadsFindWhatOneFinds() async throws {
    let image = try Image(contentsOf: Shared.url("media/two_people.jpg"))
    let detector = try HaarDetector()
    let expected = try detector.faces(in: image)
    try await withThrowingTaskGroup(of: [DetectedFace].self) { group in
      for _ in 0..<6 { group.addTask { try detector.faces(in: image) } }
      for try await faces in group { #expect(faces == expected) }
    }
  }
}
