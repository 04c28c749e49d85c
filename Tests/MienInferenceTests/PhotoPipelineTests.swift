import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

@Suite struct PhotoPipelineTests {
  private func folder(_ count: Int) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mien-photos-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for index in 0..<count {
      let picture = try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(index % 8))
      try picture.write(to: folder.appendingPathComponent("\(index).png"))
    }
    return folder
  }

  /// The search for faces asks, so that nobody's picture is searched after its client has left.
  @Test func workEndsWhereTheTaskThatWaitsIsCancelled() async throws {
    let begun = AsyncStream<Void>.makeStream()
    let task = Task {
      try await NativeQueue.shared.run { () throws -> Int in
        begun.continuation.yield()
        while true { try NativeQueue.checkCancellation() }
      }
    }
    for await _ in begun.stream { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(
      try await NativeQueue.shared.run {
        try NativeQueue.checkCancellation()
        return 1
      } == 1)
  }

  @Test(arguments: [false, true]) func outcomesKeepTheOrder(keepsImages: Bool) async throws {
    let folder = try folder(90)
    defer { try? FileManager.default.removeItem(at: folder) }
    let photos = (0..<100).map { index in
      PhotoPipeline.Photo(name: "photo \(index)", url: folder.appendingPathComponent("\(index).png"))
    }
    let recognizer = try Recognizer(classifier: EmotionClassifier(model: PixelGraph.model()), detector: WholePicture())
    var outcomes: [PhotoPipeline.Outcome] = []
    let pipeline = PhotoPipeline(recognizer: recognizer, keepsImages: keepsImages)
    for try await outcome in pipeline.outcomes(of: photos) { outcomes.append(outcome) }
    #expect(outcomes.map(\.name) == photos.map(\.name))
    for (index, outcome) in outcomes.enumerated() {
      if index < 90 {
        #expect(outcome.faces.map(\.emotion) == [LabelSet.ferplus.emotions[index % 8]])
        #expect(outcome.faces.first?.box == Box(x: 0, y: 0, width: 48, height: 48))
        #expect(outcome.faces.first?.score == nil)
        #expect((outcome.image != nil) == keepsImages)
      } else {
        #expect(outcome.error == MienError(.missing, "photo \(index)", "no such file"))
        #expect(outcome.readings.width == nil && outcome.faces.isEmpty)
      }
    }
  }

  @Test func folderGivesItsPicturesInOrder() async throws {
    let folder = try folder(12)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["notes.txt", "photo.png.part", ".hidden.png"] {
      try Data("not a picture".utf8).write(to: folder.appendingPathComponent(name))
    }
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("sub.png"), withIntermediateDirectories: false)
    // A picture by its first bytes is read whatever its name, and fails by itself where it is cut off.
    let cut = try Data(contentsOf: folder.appendingPathComponent("0.png")).prefix(20)
    try cut.write(to: folder.appendingPathComponent("z-cut.dat"))
    let recognizer = try Recognizer(classifier: EmotionClassifier(model: PixelGraph.model()), detector: WholePicture())
    let pipeline = PhotoPipeline(recognizer: recognizer)
    var names: [String] = []
    var failed: [String] = []
    for try await outcome in try pipeline.outcomes(ofFolder: folder) {
      names.append(outcome.name)
      if outcome.error != nil { failed.append(outcome.name) }
    }
    #expect(names == (0..<12).map { "\($0).png" }.sorted() + ["z-cut.dat"])
    #expect(failed == ["z-cut.dat"])
    let error = #expect(throws: MienError.self) { try pipeline.outcomes(ofFolder: folder.appendingPathComponent("no")) }
    #expect(
      error?.description.hasSuffix("/no: expected a folder of pictures: no such folder") == true
        && error?.kind == .missing)
  }

  @Test func callerThatStopsEarlyStopsTheRun() async throws {
    let folder = try folder(40)
    defer { try? FileManager.default.removeItem(at: folder) }
    let photos = (0..<40).map { PhotoPipeline.Photo(name: "\($0)", url: folder.appendingPathComponent("\($0).png")) }
    let recognizer = try Recognizer(classifier: EmotionClassifier(model: PixelGraph.model()), detector: WholePicture())
    let outcomes = PhotoPipeline(recognizer: recognizer).outcomes(of: photos)
    for try await outcome in outcomes where outcome.name == "3" { break }
    // A second look begins anew.
    var iterator = outcomes.makeAsyncIterator()
    #expect(try await iterator.next()?.name == "0")
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      for try await _ in outcomes {}
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func bodyThatThrowsStopsTheRun() async throws {
    let folder = try folder(40)
    defer { try? FileManager.default.removeItem(at: folder) }
    let photos = (0..<40).map { PhotoPipeline.Photo(name: "\($0)", url: folder.appendingPathComponent("\($0).png")) }
    let recognizer = try Recognizer(classifier: EmotionClassifier(model: PixelGraph.model()), detector: WholePicture())
    var seen = 0
    await #expect(throws: CancellationError.self) {
      try await PhotoPipeline(recognizer: recognizer).run(photos) { _ in
        seen += 1
        if seen == 5 { throw CancellationError() }
      }
    }
    #expect(seen == 5)
  }

  @Test func confidenceIsMarked() async throws {
    let recognizer = try Recognizer(
      classifier: EmotionClassifier(model: PixelGraph.model()), detector: WholePicture(), minConfidence: 0.9)
    let clear = try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(1))
    let blank = try Image(width: 48, height: 48, channels: 1, pixels: [UInt8](repeating: 0, count: 2304))
    #expect(try await recognizer.readings(in: clear).map(\.isConfident) == [true])
    let unsure = try await recognizer.readings(in: blank)
    #expect(unsure.map(\.isConfident) == [false])
    #expect(unsure.first.map { abs($0.probability - 0.125) < 1e-6 } == true)
    #expect(throws: MienError.self) {
      try Recognizer(classifier: recognizer.classifier, detector: WholePicture(), minConfidence: 1.5)
    }
    #expect(throws: MienError.self) {
      try Recognizer(classifier: recognizer.classifier, detector: WholePicture(), labels: .ckplus48)
    }
  }

  @Test func doubtsOfFaces() throws {
    func doubt(side: Int, brightness: UInt8, score: Double? = 0.9) throws -> FaceReading.Doubt? {
      let crop = try Image(width: 48, height: 48, channels: 1, pixels: [UInt8](repeating: brightness, count: 2304))
      let face = DetectedFace(box: Box(x: 0, y: 0, width: side, height: side), score: score)
      return FaceReading.Doubt(face: face, crop: crop)
    }
    #expect(try doubt(side: 40, brightness: 90) == nil)
    #expect(try doubt(side: 13, brightness: 90) == .small && doubt(side: 40, brightness: 8) == .dark)
    #expect(try doubt(side: 13, brightness: 8, score: nil) == nil)
  }
}
