import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import MienCore
import MienInference
import MienServer
import MienTestSupport
import MienVision
import Testing

/// Files of clients are decoded in processes of their own.
struct DecoderTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func pictures(_ change: (inout ServerLimits) -> Void = { _ in }) -> PictureDecoder {
    var (limits, logger) = (ServerLimits(), Logger(label: "test"))
    change(&limits)
    logger.logLevel = .critical
    return PictureDecoder(program: ServerProcess.program, limits: limits, logger: logger)
  }

  /// Decodes with other settings of the environment, which the server hands on to the processes that it starts. The file
  /// `process` holds the number of the last one.
  private func pictures(
    environment: [String: String], niceness: Int = 0, _ change: (inout ServerLimits) -> Void = { _ in }
  ) throws -> PictureDecoder {
    let script = folder.file("server.sh")
    let settings = environment.map { "\($0)='\($1)'" }.joined(separator: " ")
    try Data(
      """
      #!/bin/sh
      echo $$ > '\(folder.file("process").path)'
      exec env \(settings) '\(ServerProcess.program)' "$@"

      """.utf8
    ).write(to: script)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: script.path)
    var (limits, logger) = (ServerLimits(), Logger(label: "test"))
    change(&limits)
    logger.logLevel = .critical
    return PictureDecoder(program: script.path, limits: limits, niceness: niceness, logger: logger)
  }

  private let picture = MadeHEIF([.init(1, MadeHEIF.tile, 64, 64)]).file

  private func video(_ data: Data, _ change: (inout ServerLimits) -> Void = { _ in }) throws -> VideoDecoder {
    var limits = ServerLimits()
    change(&limits)
    let url = folder.file("video")
    try data.write(to: url)
    return try VideoDecoder(contentsOf: url, program: ServerProcess.program, limits: limits)
  }

  /// A picture without compression: RGB of one color.
  private func plain(side: Int) -> Data {
    Data("P6 \(side) \(side) 255\n".utf8) + Data(repeating: 90, count: side * side * 3)
  }

  @Test func picturesAreThoseOfTheLibrary() throws {
    let decoder = pictures()
    var cut = plain(side: 40)
    cut.removeLast(1200)
    for data in [plain(side: 20), cut, MadeHEIF([.init(1, MadeHEIF.tile, 64, 64)]).file] {
      let (found, expected) = (try #require(try decoder.image(data)), try Image(encoded: data))
      #expect(found == expected && found.warning == expected.warning && found.isDamaged == expected.isDamaged)
      #expect((found.wholeWidth, found.wholeHeight) == (expected.wholeWidth, expected.wholeHeight))
    }
    let reduced = try #require(try pictures { $0.decodedPixels = 1000 }.image(plain(side: 60)))
    #expect(reduced.reduction == 2 && reduced.wholeWidth == 60 && reduced.width == 30)
  }

  @Test func errorsAreThoseOfTheLibrary() throws {
    let decoder = pictures { $0.pixels = 100 }
    for data in [Data("P6 5 5 255\n".utf8), plain(side: 20), Data("no picture".utf8)] {
      let error = try #require(throws: MienError.self) { try decoder.image(data) }
      #expect(throws: error) { try Image(encoded: data, limits: ImageLimits(maxPixels: 100)) }
    }
    #expect(try decoder.image(plain(side: 10))?.width == 10)
  }

  @Test func aPictureThatTakesTooMuchMemoryEndsItsProcessAlone() throws {
    let decoder = pictures { $0.pictureMemory = 20_000_000 }
    let error = try #require(throws: MienError.self) { try decoder.image(plain(side: 3000)) }
    #expect(error.kind == .format && error.message.contains("needs more memory than a file may take"), "\(error)")
    #expect(try decoder.image(plain(side: 20)) == Image(encoded: plain(side: 20)))
  }

  @Test(.enabled(if: EndlessDecoder.compiler != nil || Shared.isStrict, "needs a C compiler"))
  func aCancelledTaskEndsThePicture() async throws {
    let endless = try EndlessDecoder()
    let decoder = try pictures(environment: endless.environment)
    let task = Task { try await NativeQueue(width: 1).run { try decoder.image(picture) } }
    try #require(await eventually { endless.isDecoding })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await eventually { !endless.isRunning })
  }

  @Test(.enabled(if: EndlessDecoder.compiler != nil || Shared.isStrict, "needs a C compiler"))
  func aPictureThatTakesTooLongIsGivenUp() throws {
    let endless = try EndlessDecoder(isBusy: true)
    let decoder = try pictures(environment: endless.environment) { $0.decodingSeconds = 1 }
    #expect(try decoder.image(picture) == nil)
    #expect(endless.isDecoding && !endless.isRunning)
  }

  @Test func aProcessThatHasEndedMeanwhileIsReplaced() throws {
    let decoder = try pictures(environment: [:])
    #expect(try decoder.image(plain(side: 20)) != nil)
    let id = try #require(pid_t(String(contentsOf: folder.file("process"), encoding: .utf8).dropLast()))
    kill(id, SIGKILL)
    #expect(try decoder.image(plain(side: 20)) != nil)
  }

  @Test func framesAreThoseOfTheLibrary() throws {
    let frames = (0..<4).map { [UInt8](repeating: UInt8(60 * $0), count: 64 * 48 * 3) }
    let clip = DrawnClip.y4m(width: 64, height: 48, rate: 8, frames: frames)
    let decoder = try video(clip)
    let reader = try VideoReader(contentsOf: folder.file("video"))
    #expect(decoder.framesPerSecond == reader.framesPerSecond)
    #expect(try decoder.skip() && reader.skip())
    while let expected = try reader.next() {
      let found = try #require(try decoder.next())
      #expect(found.image == expected.image && found.index == expected.index && found.seconds == expected.seconds)
    }
    #expect(try decoder.next() == nil && decoder.skip() == false)
    #expect(decoder.warnings == reader.warnings)
  }

  @Test func aFileThatIsNoVideoIsNamed() throws {
    let error = try #require(throws: MienError.self) { try video(Data("no video".utf8)) }
    #expect(throws: error) { try VideoReader(contentsOf: folder.file("video")) }
    #expect(error.subject == folder.file("video").path)
  }

  /// Frames that are not shown: the reader gives none for as long as they last.
  @Test func aFrameThatTakesTooLongEndsItsVideo() throws {
    let decoder = try video(DrawnClip.hiddenFrames(2000, width: 7680, height: 4320)) { $0.decodingSeconds = 1 }
    #expect(try decoder.next()?.index == 0)
    let error = try #require(throws: MienError.self) { try decoder.next() }
    #expect(error.kind == .limit && error.subject == folder.file("video").path, "\(error)")
  }

  @Test func aCallThatIsUnderWayCanBeStopped() async throws {
    let decoder = try video(DrawnClip.hiddenFrames(2000, width: 7680, height: 4320)) { $0.decodingSeconds = 600 }
    #expect(try decoder.next()?.index == 0)
    let task = Task { try await NativeQueue(width: 1).run { try decoder.next()?.index } }
    try await Task.sleep(for: .milliseconds(100))
    decoder.stop()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(throws: CancellationError.self) { try decoder.skip() }
  }

  @Test func whereNoProcessCanBeStartedTheClientTriesAgain() async throws {
    let server = try TestServer.make { $0.program = folder.file("no-program").path }
    try await server.application().test(.live) { client in
      let answer = try await client.execute(
        uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: plain(side: 40)))
      #expect(answer.status == .tooManyRequests && answer.errorCode == "busy" && answer.headers[.retryAfter] != nil)
      // Which takes none.
      let photo = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, body: TestServer.face(1))
      #expect(photo.status == .ok)
    }
  }

  @Test func aPhotoThatTakesLongIsReadApartFromTheOthers() async throws {
    var bodies: [String] = []
    for (quick, slow) in [(0.0, 0.004), (0, 60), (60, 60)] {
      let server = try TestServer.make {
        ($0.limits.quickDecodingSeconds, $0.limits.slowDecodingSeconds) = (quick, slow)
      }
      bodies.append(
        try await server.application().test(.live) { client in
          let answer = try await client.execute(
            uri: "/v1/detect?detector=none", method: .post, body: TestServer.noise(side: 1500))
          #expect(answer.status == .ok)
          return String(buffer: answer.body)
        })
    }
    #expect(Set(bodies).count == 1)
  }

  /// Their coefficients or samples are in memory at a time, which many such pictures would take of the server's own.
  @Test(arguments: ["progressive.jpg", "interlaced.png"])
  func aPhotoThatIsHeldWholeIsReadApartFromTheOthers(name: String) async throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let picture = ByteBuffer(
      bytes: try Data(contentsOf: tests.appendingPathComponent("MienVisionTests/Fixtures/\(name)")))
    func answer(_ change: (inout ServerOptions) -> Void) async throws -> (Int, String) {
      let server = try TestServer.make(change)
      return try await server.application().test(.live) { client in
        let answer = try await client.execute(uri: "/v1/detect?detector=none", method: .post, body: picture)
        return (answer.status.code, String(buffer: answer.body))
      }
    }
    let here = try await answer { _ in }
    let apart = try await answer { $0.limits.ownHeldBytes = 1 }
    #expect(here == (200, apart.1) && apart.0 == 200)
    let nowhere = try await answer {
      $0.limits.ownHeldBytes = 1
      $0.program = folder.file("no-program").path
    }
    #expect(nowhere.0 == 429)
  }

  /// Its header tells it: it needs no decoder, and waits for none.
  @Test func aPhotoThatIsTooLargeIsRefusedAtOnce() async throws {
    let picture = try TestServer.noise(side: 40)
    let server = try TestServer.make {
      $0.limits.pixels = 1000
      $0.program = folder.file("no-program").path
    }
    try await server.application().test(.live) { client in
      let answer = try await client.execute(uri: "/v1/detect", method: .post, body: picture)
      #expect(answer.status == .contentTooLarge && answer.errorCode == "too_large", "\(answer.status)")
    }
  }

  @Test func aNiceProcessLeavesTheProcessorsToOthers() throws {
    let decoder = try pictures(environment: [:], niceness: 5)
    _ = try decoder.image(plain(side: 20))
    let id = try String(contentsOf: folder.file("process"), encoding: .utf8).dropLast()
    let words = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8).split(separator: ")").last
    // The 19th field, the third being the first after the name.
    #expect(words?.split(separator: " ")[16] == "5")
  }
}
