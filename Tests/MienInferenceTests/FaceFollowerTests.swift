import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct FaceFollowerTests {
  /// The sample photo's upper part, 256 x 256, moved to the right; black where there is nothing.
  private func frames(_ count: Int, step: Int) throws -> [Image] {
    let photo = try Image(contentsOf: Sample.url).resized(width: 256, height: 256)
    return try (0..<count).map { index in
      let shift = step * index
      var pixels = [UInt8](repeating: 0, count: photo.pixels.count)
      for row in 0..<256 {
        for column in 0..<(256 - shift) {
          for channel in 0..<3 {
            pixels[(row * 256 + column + shift) * 3 + channel] = photo.pixels[(row * 256 + column) * 3 + channel]
          }
        }
      }
      return try Image(width: 256, height: 256, channels: 3, pixels: pixels)
    }
  }

  private var black: Image {
    get throws { try Image(width: 256, height: 256, channels: 3, pixels: [UInt8](repeating: 0, count: 256 * 256 * 3)) }
  }

  @Test
  func aFaceIsFoundAtOnceAndFollowedAtItsPaceBetweenSearches() throws {
    var follower = FaceFollower(detector: try NetworkDetector())
    var first: Box?
    for (index, frame) in try frames(16, step: 3).enumerated() {
      let faces = try follower.faces(in: frame, seconds: Double(index) / 30, startsScene: index == 0)
      let box = try #require(faces.first?.box, "frame \(index)")
      #expect(
        faces.count == 1 && faces[0].follow == 1,
        "frame \(index): \(faces.map { [$0.box.x, $0.box.y, $0.box.width, $0.follow ?? 0] })")
      let start = first ?? box
      first = start
      #expect(abs(box.x - start.x - 3 * index) <= 4 && abs(box.y - start.y) <= 4, "frame \(index): \(box), \(start)")
    }
  }

  @Test
  func facesThatAreGoneAreLetGo() throws {
    var follower = FaceFollower(detector: try NetworkDetector())
    let face = try frames(1, step: 0)[0]
    #expect(try follower.faces(in: face, seconds: 0, startsScene: true).count == 1)
    for index in 1...3 {
      _ = try follower.faces(in: black, seconds: Double(index) / 30, startsScene: false)
    }
    #expect(try follower.faces(in: black, seconds: 0.2, startsScene: false).isEmpty)
    #expect(try follower.faces(in: face.flipped(.horizontal), seconds: 0.24, startsScene: true).count == 1)
    #expect(try follower.faces(in: black, seconds: 0.28, startsScene: true).isEmpty)
  }

  @Test
  func framesFarApartAreSearchedForThemselves() throws {
    var follower = FaceFollower(detector: try NetworkDetector())
    let face = try frames(1, step: 0)[0]
    for seconds in [0.0, 2, 7] {
      #expect(try follower.faces(in: face, seconds: seconds, startsScene: false).count == 1)
      #expect(try follower.faces(in: black, seconds: seconds + 1, startsScene: false).isEmpty)
    }
    var strict = FaceFollower(detector: try NetworkDetector(minFace: 200))
    #expect(try strict.faces(in: face, seconds: 0, startsScene: true).isEmpty)
  }

  @Test
  func aLargeFrameAndItsQuarterGiveTheSameFace() throws {
    let photo = try Image(contentsOf: Sample.url)
    var follower = FaceFollower(detector: try NetworkDetector())
    let small = try #require(
      try follower.faces(in: photo.resized(width: 540, height: 540), seconds: 0, startsScene: true).first)
    let large = try #require(
      try follower.faces(in: photo.resized(width: 2160, height: 2160), seconds: 1, startsScene: true).first)
    #expect(small.follow != large.follow)
    let shrunk = Box(
      x: large.box.x / 4, y: large.box.y / 4, width: large.box.width / 4, height: large.box.height / 4)
    #expect(shrunk.overlap(small.box) > 0.7, "\(small.box), \(large.box)")
  }
}
