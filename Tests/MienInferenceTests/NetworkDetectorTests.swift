import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct NetworkDetectorTests {
  /// Of the sample photo, 512 x 512: forehead to chin.
  static let face = Box(x: 171, y: 84, width: 106, height: 106)
  let detector: NetworkDetector

  init() throws { detector = try NetworkDetector() }

  static func canvas(_ width: Int, _ height: Int, _ value: UInt8 = 90, channels: Int = 3) throws -> Image {
    try Image(
      width: width, height: height, channels: channels,
      pixels: [UInt8](repeating: value, count: width * height * channels))
  }

  @Test
  func theFaceOfTheSamplePhotoWithItsPointsPoseAndMeasures() throws {
    let found = try detector.faces(in: Image(contentsOf: Sample.url))
    #expect(found.count == 1)
    let face = try #require(found.first)
    #expect(face.box.overlap(Self.face) > 0.6, "\(face.box)")
    #expect(face.score.map { (0.8...1).contains($0) } == true)
    let points = try #require(face.points)
    #expect(points.leftEye.x < points.nose.x && points.nose.x < points.rightEye.x)
    #expect(points.leftEye.y < points.nose.y && points.nose.y < points.mouth.y)
    let landmarks = try #require(face.landmarks)
    let pose = landmarks.pose
    #expect(abs(pose.yaw) < 20 && abs(pose.pitch) < 20 && abs(pose.roll) < 10, "\(pose)")
    // She smiles with open eyes and shows her teeth.
    let measures = landmarks.measures
    #expect((0.08...0.3).contains(measures.leftEyeOpenness) && (0.08...0.3).contains(measures.rightEyeOpenness))
    #expect(measures.mouthOpenness > 0.03 && measures.mouthWidth > 0.7, "\(measures)")
  }

  @Test
  func aMirroredFaceHasTheMirroredPoseAndTheSameMeasures() throws {
    let photo = try Image(contentsOf: Sample.url)
    let (a, b) = (
      try #require(detector.faces(in: photo).first?.landmarks),
      try #require(detector.faces(in: photo.flipped(.horizontal)).first?.landmarks)
    )
    #expect(abs(a.pose.yaw + b.pose.yaw) < 6 && abs(a.pose.roll + b.pose.roll) < 4, "\(a.pose), \(b.pose)")
    #expect(abs(a.measures.mouthWidth - b.measures.mouthWidth) < 0.1)
    #expect(abs(a.measures.leftEyeOpenness - b.measures.rightEyeOpenness) < 0.05)
  }

  @Test(arguments: [30.0, -30, 60, -60])
  func rollSaysHowFarAPictureIsTurned(degrees: Double) throws {
    let photo = try Image(contentsOf: Sample.url).crop(centerX: 224, centerY: 137, side: 300, size: 300)
    let upright = try #require(detector.faces(in: photo).first?.landmarks?.pose.roll)
    let face = try #require(detector.faces(in: photo.rotated(degrees: degrees)).first)
    let roll = try #require(face.landmarks?.pose.roll)
    // A turn against the clock makes the roll smaller.
    #expect(abs((roll - upright + degrees).remainder(dividingBy: 360)) < 12, "\(roll), \(upright)")
  }

  @Test(arguments: 1...3)
  func picturesOnTheirSideAndHead(turns: Int) throws {
    let photo = try Image(contentsOf: Sample.url)
    let face = try #require(detector.faces(in: photo.turned(quarterTurns: turns)).first)
    let expected = Double(turns) * 90
    let roll = try #require(face.landmarks?.pose.roll)
    #expect(abs((roll - expected).remainder(dividingBy: 360)) < 20, "\(roll)")
  }

  /// Faces upside down are found the right way up, though something like a face is found in most of them the other way.
  @Test(.enabled(if: Shared.has("media"), "needs the development media"))
  func photosUpsideDownAreReadAsUpright() throws {
    for (name, least) in [
      ("expressions/angry.jpg", 1), ("expressions/neutral.jpeg", 1), ("expressions/group.jpeg", 4),
      ("solvay1927.jpg", 26),
    ] {
      let photo = try Image(contentsOf: Shared.url("media/\(name)"))
      let upright = try detector.faces(in: photo)
      let found = try detector.faces(in: photo.turned(quarterTurns: 2))
      #expect(upright.count >= least && found.count >= least, "\(name): \(upright.count), \(found.count)")
      for face in found {
        guard let roll = face.landmarks?.pose.roll else { continue }
        #expect(abs(roll) > 120, "\(name): \(roll) at \(face.box)")
      }
    }
  }

  @Test(arguments: [
    (1, 1), (1, 700), (700, 1), (16, 16), (31, 33), (640, 360), (3000, 40),
  ])
  func picturesOfAnySizeAndKindHoldNoFaceWhereThereIsNone(width: Int, height: Int) throws {
    for channels in [1, 3] {
      #expect(try detector.faces(in: Self.canvas(width, height, channels: channels)).isEmpty)
    }
    var random = SeededRandom(seed: 1)
    let noise = (0..<(width * height * 3)).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(try detector.faces(in: Image(width: width, height: height, channels: 3, pixels: noise)).isEmpty)
  }

  @Test
  func aGreyPhotoAndOneInACornerOfALargePicture() throws {
    let photo = try Image(contentsOf: Sample.url)
    #expect(try detector.faces(in: photo.grey).count == 1)
    let small = try photo.resized(width: 256, height: 256)
    var pixels = try Self.canvas(2600, 1300).pixels
    for row in 0..<256 {
      for index in 0..<(256 * 3) {
        pixels[((1040 + row) * 2600 + 2340) * 3 + index] = small.pixels[row * 256 * 3 + index]
      }
    }
    let large = try Image(width: 2600, height: 1300, channels: 3, pixels: pixels)
    // 53 pixels of 2600: found where such a face is asked for, in tiles.
    let faces = try detector.finding(minFace: 40).faces(in: large)
    #expect(faces.count == 1 && faces.first.map { $0.box.x > 2340 && $0.box.y > 1040 } == true, "\(faces.map(\.box))")
  }

  @Test
  func manyThreadsFindWhatOneFinds() async throws {
    let photo = try Image(contentsOf: Sample.url)
    let expected = try detector.faces(in: photo)
    try await withThrowingTaskGroup(of: [DetectedFace].self) { group in
      for _ in 0..<4 { group.addTask { [detector] in try detector.faces(in: photo) } }
      for try await faces in group { #expect(faces == expected) }
    }
  }

  @Test(.enabled(if: Shared.isStrict || Sample.yuNet != nil, "`scripts/setup.sh test` fetches the network"))
  func openCVsYuNetFindsTheFaceUprightAndTurned() throws {
    let yuNet = try NetworkDetector(yuNet: #require(Sample.yuNet))
    let photo = try Image(contentsOf: Sample.url)
    let (expected, found) = (try detector.faces(in: photo), try yuNet.faces(in: photo))
    #expect(found.count == 1 && expected.count == 1)
    let (own, other) = (try #require(found.first).square, try #require(expected.first).square)
    #expect((0.85...1.15).contains(own.side / other.side), "\(own), \(other)")
    #expect(hypot(own.center.x - other.center.x, own.center.y - other.center.y) < 0.1 * other.side, "\(own), \(other)")
    let turned = try yuNet.faces(in: photo.turned(quarterTurns: 1))
    #expect(turned.count == 1 && turned.first.map { abs(abs($0.square.degrees) - 90) < 15 } == true, "\(turned)")
    #expect(try yuNet.faces(in: NetworkDetectorTests.canvas(320, 200)).isEmpty)
  }

  @Test
  func namesOfDetectorsAndFilesThatAreNone() throws {
    for name in FaceDetectors.names { #expect(try FaceDetectors.named(name).name == name) }
    let folder = try TemporaryFolder()
    let (text, other) = (folder.file("text.onnx"), folder.file("other.onnx"))
    try Data("no network".utf8).write(to: text)
    try TinyGraph.model().write(to: other)
    for (name, words) in [
      ("nosuch", "expected blazeface, haar, none"), (folder.file("missing.onnx").path, "missing.onnx: no such file"),
      (text.path, "text.onnx"), (other.path, "other.onnx: is not a YuNet face detector: expected"),
      (other.path, "it is a model that reads faces, which --model takes"),
      (other.path, "(github.com/opencv/opencv_zoo)"),
    ] {
      let error = #expect(throws: MienError.self) { try FaceDetectors.named(name) }
      #expect(error?.description.contains(words) == true, "\(name): \(String(describing: error))")
      // Nothing of OpenVINO's source.
      #expect(error?.description.contains("Check '") == false && error?.description.contains(".hpp") == false)
      #expect(error?.description.contains("channel") == false, "\(name): \(String(describing: error))")
    }
    #expect(throws: MienError.self) { try NetworkDetector(minFace: 3) }
  }
}

@Suite struct NetworkCacheTests {
  enum Damage: CaseIterable {
    case cut, reversed, emptied, replaced

    func done(to data: Data) -> Data {
      switch self {
      case .cut: data.prefix(data.count / 2)
      case .reversed: Data(data.reversed())
      case .emptied: Data()
      case .replaced: Data("text".utf8)
      }
    }
  }

  @Test
  func entriesAreUsedAgainAndDamagedOnesMadeAnew() throws {
    let folder = try TemporaryFolder()
    let photo = try NetworkDetectorTests.canvas(64, 64)
    func files() throws -> [URL] {
      try FileManager.default.contentsOfDirectory(at: folder.url, includingPropertiesForKeys: nil)
        .sorted { $0.path < $1.path }
    }
    func search() throws {
      let detector = try NetworkDetector(cache: NetworkCache(folder: folder.url))
      #expect(try detector.faces(in: photo).isEmpty)
    }
    try search()
    let made = try files()
    #expect(!made.isEmpty)
    let contents = try made.map { try Data(contentsOf: $0) }
    for damage in Damage.allCases {
      for (url, data) in zip(made, contents) { try damage.done(to: data).write(to: url) }
      try search()
      #expect(try files() == made)
      for url in made { #expect(try Data(contentsOf: url).count > 1000) }
    }
    // A file in the folder's place.
    let blocked = folder.file("blocked")
    try Data("a file".utf8).write(to: blocked)
    let detector = try NetworkDetector(cache: NetworkCache(folder: blocked))
    #expect(try detector.faces(in: photo).isEmpty)
  }

  @Test
  func theEntriesUsedLongestAgoMakeRoomForNewOnes() throws {
    let folder = try TemporaryFolder()
    func files() throws -> Set<String> {
      Set(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { $0.hasSuffix(".bin") })
    }
    func search(_ width: Int, _ height: Int, capacity: Int) throws {
      let detector = try NetworkDetector(cache: NetworkCache(folder: folder.url, capacity: capacity))
      #expect(try detector.faces(in: NetworkDetectorTests.canvas(width, height)).isEmpty)
    }
    func bytes() throws -> Int {
      try files().reduce(0) { $0 + (try Data(contentsOf: folder.file($1)).count) }
    }
    try search(640, 96, capacity: .max)
    let (first, size) = (try files(), try bytes())
    // Of an hour ago.
    for name in first {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: folder.file(name).path)
    }
    try Data("notes".utf8).write(to: folder.file("notes.txt"))
    try search(512, 256, capacity: size)
    #expect(try bytes() <= size && !files().isSubset(of: first) && !first.isSubset(of: files()))
    #expect(FileManager.default.fileExists(atPath: folder.file("notes.txt").path))
    // What is too large for the room works all the same.
    try search(128, 512, capacity: 0)
    #expect(try files().isEmpty)
  }
}
