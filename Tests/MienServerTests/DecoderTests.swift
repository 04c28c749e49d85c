import Foundation
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
      let (found, expected) = (try decoder.image(data), try Image(encoded: data))
      #expect(found == expected && found.warning == expected.warning && found.isDamaged == expected.isDamaged)
      #expect((found.wholeWidth, found.wholeHeight) == (expected.wholeWidth, expected.wholeHeight))
    }
    let reduced = try pictures { $0.decodedPixels = 1000 }.image(plain(side: 60))
    #expect(reduced.reduction == 2 && reduced.wholeWidth == 60 && reduced.width == 30)
  }

  @Test func errorsAreThoseOfTheLibrary() throws {
    let decoder = pictures { $0.pixels = 100 }
    for data in [Data("P6 5 5 255\n".utf8), plain(side: 20), Data("no picture".utf8)] {
      let error = try #require(throws: MienError.self) { try decoder.image(data) }
      #expect(throws: error) { try Image(encoded: data, limits: ImageLimits(maxPixels: 100)) }
    }
    #expect(try decoder.image(plain(side: 10)).width == 10)
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
    // What the server starts itself gets its environment.
    let script = folder.file("server.sh")
    let settings = endless.environment.map { "\($0)='\($1)'" }.joined(separator: " ")
    try Data("#!/bin/sh\nexec env \(settings) '\(ServerProcess.program)' \"$@\"\n".utf8).write(to: script)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: script.path)
    let decoder = PictureDecoder(program: script.path, limits: ServerLimits(), logger: Logger(label: "test"))
    let picture = MadeHEIF([.init(1, MadeHEIF.tile, 64, 64)]).file
    let task = Task { try await NativeQueue(width: 1).run { try decoder.image(picture) } }
    try #require(await eventually { endless.isDecoding })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await eventually { !endless.isRunning })
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

  @Test func aProgramThatIsNotThereIsNamed() throws {
    let path = folder.file("no-program").path
    let decoder = PictureDecoder(program: path, limits: ServerLimits(), logger: Logger(label: "test"))
    let error = try #require(throws: MienError.self) { try decoder.image(plain(side: 4)) }
    #expect(error.kind == .native && error.subject == path)
  }
}
