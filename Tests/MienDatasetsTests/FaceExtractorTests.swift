import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import MienVision
import Testing

@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct FaceExtractorTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Three seconds: two of one picture of the astronaut, then one of her darker mirror image.
  func clip() throws -> URL {
    let url = folder.file("clip.y4m")
    try Sample.clip().write(to: url)
    return url
  }

  func extractor(_ choice: FaceExtractor.Choice, equalizes: Bool = false, size: Int = 48) throws -> FaceExtractor {
    let frame = FaceFrame(preprocessing: Preprocessing(width: size, height: size))
    return try FaceExtractor(choice: choice, frame: frame, equalizes: equalizes, detector: HaarDetector())
  }

  func faces(
    _ extractor: FaceExtractor, _ url: URL
  ) throws -> (faces: [FaceExtractor.Face], outcome: FaceExtractor.Outcome) {
    var faces: [FaceExtractor.Face] = []
    let outcome = try extractor.extract(url) { faces.append($0) }
    return (faces, outcome)
  }

  @Test func framesAtAnIntervalGiveFacesWithoutNearCopies() throws {
    let (faces, outcome) = try faces(extractor(.every(0.5)), clip())
    #expect(outcome.error == nil && outcome.frames == 6 && outcome.found == 6 && outcome.repeated == 4)
    #expect(faces.map(\.frame) == [0, 8] && faces.map(\.seconds) == [0, 2] && faces.map(\.number) == [1, 1])
    for face in faces {
      #expect(face.image.width == 48 && face.image.height == 48 && face.image.channels == 1)
      #expect(face.box.width > 40 && face.box.y < 100)
    }
    // The mirror image has its face on the other side.
    #expect(abs(faces[0].box.x + faces[0].box.width / 2 + faces[1].box.x + faces[1].box.width / 2 - 256) < 12)
  }

  @Test func aSmallChangeOfTheMouthIsKept() throws {
    let photo = try Image(contentsOf: Sample.url).resized(width: 256, height: 256)
    var changed = photo.pixels
    for row in 72..<74 {
      for index in ((row * 256 + 106) * 3)..<((row * 256 + 118) * 3) { changed[index] = 40 }
    }
    let url = folder.file("mouth.y4m")
    let frames = (0..<8).map { $0 < 4 ? photo.pixels : changed }
    try DrawnClip.y4m(width: 256, height: 256, rate: 4, frames: frames).write(to: url)
    let (faces, outcome) = try faces(extractor(.every(0.25)), url)
    #expect(faces.map(\.frame) == [0, 4] && outcome.repeated == 6)
  }

  @Test func everyFrameOfAnIntervalIsLookedAt() throws {
    let url = folder.file("tenths.y4m")
    let frames = [[UInt8]](repeating: [UInt8](repeating: 128, count: 32 * 32 * 3), count: 50)
    try DrawnClip.y4m(width: 32, height: 32, rate: 10, frames: frames).write(to: url)
    #expect(try faces(extractor(.every(0.1)), url).outcome.frames == 50)
    #expect(try faces(extractor(.every(0.3)), url).outcome.frames == 17)
  }

  @Test func cutsGiveOneFrameEach() throws {
    let (faces, outcome) = try faces(extractor(.scenes, equalizes: true, size: 64), clip())
    #expect(outcome.frames == 2 && faces.map(\.frame) == [0, 8])
    for face in faces {
      #expect(face.image.width == 64 && face.image.pixels.min() == 0 && face.image.pixels.max() == 255)
    }
  }

  @Test func aStopEndsTheVideo() throws {
    var asked = 0
    let outcome = try extractor(.every(0.25)).extract(clip()) {
      asked += 1
      return asked > 3
    } _: { _ in
    }
    #expect(outcome.frames == 3 && outcome.error == nil)
  }

  @Test func aRefusedFaceEndsTheWorkAndABrokenVideoDoesNot() throws {
    let refusal = MienError(.file, "disk", "full")
    #expect(throws: refusal) { try extractor(.every(1)).extract(clip()) { _ in throw refusal } }
    let text = folder.file("notes.mp4")
    try Data("not a video".utf8).write(to: text)
    let (faces, outcome) = try faces(extractor(.every(1)), text)
    #expect(faces.isEmpty && outcome.frames == 0 && outcome.error?.subject == text.path)
    #expect(throws: MienError.self) { try extractor(.every(0)) }
  }

  @Test func aHardCutIsToldFromAPan() throws {
    /// Noise of one distribution, as the next part of one background.
    func part(_ seed: UInt64, _ brightest: UInt8) throws -> Image {
      var random = SeededRandom(seed: seed)
      let pixels = (0..<(256 * 256 * 3)).map { _ in UInt8.random(in: 0...brightest, using: &random) }
      return try Image(width: 256, height: 256, channels: 3, pixels: pixels)
    }
    var cut = SceneCut()
    #expect(try cut.isFirstOfScene(part(1, 180)))
    #expect(try !cut.isFirstOfScene(part(2, 180)))
    #expect(try !cut.isFirstOfScene(part(3, 170)))
    #expect(try cut.isFirstOfScene(part(4, 90)))
    #expect(try !cut.isFirstOfScene(part(5, 90)))
  }

  @Test func theListFollowsThePictures() throws {
    let target = folder.file("out")
    let written = try ExtractedFaces(folder: target)
    let (first, second) = (try written.addVideo(clip()), try written.addVideo(URL(fileURLWithPath: "/b/clip.mp4")))
    #expect([first, second] == ["clip", "clip-2"])
    let image = try Image(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
    let face = FaceExtractor.Face(
      frame: 42, seconds: 1.40041, number: 1, box: Box(x: 1, y: 2, width: 30, height: 30), image: image)
    try written.add(face, video: "a, b.mp4", folder: second)
    let list = try String(contentsOf: target.appendingPathComponent("faces.csv"), encoding: .utf8)
    #expect(
      list == "file,video,frame,seconds,x,y,width,height\r\n"
        + "clip-2/clip-2_000042_1.png,\"a, b.mp4\",42,1.4,1,2,30,30\r\n")
    #expect(try Image(contentsOf: target.appendingPathComponent("clip-2/clip-2_000042_1.png")) == image)
    #expect(throws: MienError.self) { try ExtractedFaces(folder: target) }
  }

  @Test func aListWithoutFacesIsNoEarlierExtraction() throws {
    let header = "file,video,frame,seconds,x,y,width,height\r\n"
    for earlier in ["", header] {
      try Data(earlier.utf8).write(to: folder.file("faces.csv"))
      _ = try ExtractedFaces(folder: folder.url)
      #expect(try String(contentsOf: folder.file("faces.csv"), encoding: .utf8) == header)
    }
    // What is no such list is not written over.
    try Data("name,age\r\n".utf8).write(to: folder.file("faces.csv"))
    #expect(throws: MienError.self) { try ExtractedFaces(folder: folder.url) }
    #expect(try String(contentsOf: folder.file("faces.csv"), encoding: .utf8) == "name,age\r\n")
  }
}
