import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienVision
import Testing

@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct VideoReadingsTests {
  let folder: TemporaryFolder
  let recognizer: Recognizer

  init() throws {
    folder = try TemporaryFolder()
    recognizer = try Recognizer(classifier: EmotionClassifier(model: TinyGraph.model()), detector: NetworkDetector())
  }

  func clip() throws -> URL {
    let url = folder.file("clip.y4m")
    try Sample.clip().write(to: url)
    return url
  }

  func frames(_ readings: VideoReadings) async throws -> [FrameReadings] {
    var frames: [FrameReadings] = []
    for try await frame in readings { frames.append(frame) }
    return frames
  }

  @Test func framesComeInOrderWithTheirFaces() async throws {
    let found = try await frames(await recognizer.readings(inVideo: clip()))
    #expect(found.map(\.index) == Array(0..<12))
    #expect(found.map(\.startsScene) == (0..<12).map { $0 == 0 || $0 == 8 })
    for frame in found {
      let face = try #require(frame.faces.first, "frame \(frame.index)")
      #expect(frame.faces.count == 1 && face.track == (frame.index < 8 ? 1 : 2), "frame \(frame.index)")
      #expect(abs(frame.seconds - Double(frame.index) / 4) < 0.01 && frame.width == 256)
      // The classifier was given this face.
      let input = try FaceFrame(card: recognizer.classifier.card).face(face.reading.face, of: #require(frame.image))
      let preprocessing = recognizer.classifier.card.preprocessing
      let alone = try recognizer.classifier.distributions(
        for: preprocessing.input(pixels: input.pixels, sourceChannels: input.channels), count: 1)
      for (a, b) in zip(alone[0].probabilities, face.reading.distribution.probabilities) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test func oneByOneGivesTheSame() async throws {
    let batched = try await frames(await recognizer.readings(inVideo: clip()))
    let live = try await frames(
      VideoReadings(source: VideoReader(contentsOf: clip()), recognizer: recognizer, isLive: true))
    #expect(live.map(\.index) == batched.map(\.index))
    #expect(live.map { $0.faces.map(\.reading.box) } == batched.map { $0.faces.map(\.reading.box) })
    #expect(live.map { $0.faces.map(\.track) } == batched.map { $0.faces.map(\.track) })
  }

  @Test func framesArePassedOver() async throws {
    let found = try await frames(await recognizer.readings(inVideo: clip(), options: VideoOptions(every: 5)))
    #expect(found.map(\.index) == [0, 5, 10] && found.allSatisfy { $0.faces.count == 1 })
    await #expect(throws: MienError.self) {
      try await recognizer.readings(inVideo: clip(), options: VideoOptions(every: 0))
    }
    await #expect(throws: MienError.self) { try await recognizer.readings(inVideo: folder.file("none.mp4")) }
  }

  @Test func aLongClipWithFewFacesComesToItsEnd() async throws {
    let black = [UInt8](repeating: 0, count: 256 * 256 * 3)
    let photo = try Image(contentsOf: Sample.url).resized(width: 256, height: 256).pixels
    let url = folder.file("rare.y4m")
    // A single face, whose batch never fills, and one at the very end.
    try DrawnClip.y4m(width: 256, height: 256, rate: 25, frames: (0..<60).map { [2, 59].contains($0) ? photo : black })
      .write(to: url)
    let found = try await frames(await recognizer.readings(inVideo: url))
    #expect(found.map(\.index) == Array(0..<60))
    #expect(found.filter { !$0.faces.isEmpty }.map(\.index) == [2, 59])
  }

  @Test func anErrorComesAfterTheWholeFrames() async throws {
    let whole = try Data(contentsOf: clip())
    let url = folder.file("cut.y4m")
    try whole.prefix(whole.count / 2).write(to: url)
    var count = 0
    let readings = try await recognizer.readings(inVideo: url)
    do {
      for try await _ in readings { count += 1 }
    } catch { #expect(error is MienError) }
    #expect((5...6).contains(count))
  }

  @Test func cancellationEndsIt() async throws {
    let readings = try await recognizer.readings(inVideo: clip())
    let task = Task {
      var count = 0
      for try await _ in readings {
        count += 1
        withUnsafeCurrentTask { $0?.cancel() }
      }
      return count
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func theDefaultRecognizerReadsAPhoto() async throws {
    let readings = try await Recognizer().readings(in: Image(contentsOf: Sample.url))
    #expect(readings.count == 1 && readings.first?.emotion == .happiness)
  }
}
