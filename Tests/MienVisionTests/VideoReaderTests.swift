import CMienVideoFunctions
import Foundation
import Glibc
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct VideoReaderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func file(_ name: String, _ data: Data) throws -> URL {
    let url = folder.file(name)
    try data.write(to: url)
    return url
  }

  /// 64 x 32, left half `left`, right half `right`.
  static func halves(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    (0..<(64 * 32)).flatMap { $0 % 64 < 32 ? left : right }
  }

  static func grey(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 64 * 32 * 3) }

  func message(_ url: URL) -> String {
    let error = #expect(throws: MienError.self) { try VideoReader(contentsOf: url) }
    #expect(error?.subject == url.path)
    return error?.message ?? ""
  }

  @Test
  func framesComeInOrderWithTheirNumbersAndTimesInRGB() throws {
    let colours: [[UInt8]] = [[200, 30, 40], [30, 180, 60], [40, 50, 190], [128, 128, 128]]
    let frames = (0..<12).map { Self.halves(colours[$0 % 4], colours[($0 + 1) % 4]) }
    let url = try file("clip.bin", DrawnClip.y4m(width: 64, height: 32, rate: 10, frames: frames))
    let reader = try VideoReader(contentsOf: url)
    #expect(reader.width == 64 && reader.height == 32)
    #expect(reader.framesPerSecond.map { abs($0 - 10) < 0.01 } == true)
    for index in 0..<12 {
      let frame = try #require(try reader.next())
      #expect(frame.index == index && abs(frame.seconds - Double(index) / 10) < 0.002, "\(frame.seconds)")
      #expect(frame.image.width == 64 && frame.image.height == 32 && frame.image.channels == 3)
      for (column, colour) in [(8, colours[index % 4]), (56, colours[(index + 1) % 4])] {
        for (found, drawn) in zip(frame.image.pixel(column, 16), colour) { #expect(abs(found - Int(drawn)) <= 4) }
      }
    }
    #expect(try reader.next() == nil)
    #expect(try reader.next() == nil)
  }

  @Test
  func framesBeforeATimeArePassedOverAndCounted() throws {
    let frames = (0..<20).map { Self.grey(UInt8(20 + 10 * $0)) }
    let url = try file("clip.y4m", DrawnClip.y4m(width: 64, height: 32, rate: 10, frames: frames))
    let reader = try VideoReader(contentsOf: url)
    #expect(try reader.next(notBefore: 0.45)?.index == 5)
    // A time that has passed gives the next frame.
    let frame = try #require(try reader.next(notBefore: 0))
    #expect(frame.index == 6 && abs(frame.image.pixel(3, 3)[0] - 80) <= 4)
    #expect(try reader.next(notBefore: 1.89)?.index == 19)
    #expect(try reader.next(notBefore: 0) == nil)
  }

  @Test
  func whatIsNoVideoIsNamedBeforeADecoderSeesIt() throws {
    #expect(message(folder.file("none.mp4")) == "no such file")
    #expect(message(folder.url).contains("is a folder"))
    #expect(message(try file("empty.mp4", Data())) == "is empty, expected a video")
    #expect(message(try file("text.mp4", Data("hello\n".utf8))).contains("is not a video (found text"))
    #expect(message(try file("list.m3u8", Data("#EXTM3U\n/etc/passwd\n".utf8))).contains("is not a video"))
    let script = try file("script.txt", Data("ffconcat version 1.0\nfile /etc/passwd\n".utf8))
    #expect(message(script).contains("is not a video"))
    let picture = try PictureFiles.quarters().encoded(as: .png)
    #expect(message(try file("picture.mp4", picture)).contains("is a picture (PNG), expected a video"))
    #expect(message(try file("brand.mp4", DrawnClip.box("ftyp", Data("heic\0\0\0\0mif1".utf8)))).contains("HEIC"))
    let fifo = folder.file("pipe.mp4")
    mkfifo(fifo.path, 0o600)
    #expect(message(fifo) == "is not a regular file")
  }

  @Test
  func brokenFilesSayWhatIsWrongWithThem() throws {
    let headless = DrawnClip.mp4(handler: "vide", codec: "avc1", hasIndex: false)
    #expect(message(try file("unfinished.mp4", headless)).contains("its index, the moov box, is missing"))
    let sound = DrawnClip.mp4(handler: "soun", codec: "mp4a")
    #expect(message(try file("sound.mp4", sound)) == "has no video stream (MP4 or QuickTime)")
    let strange = message(try file("codec.mp4", DrawnClip.mp4(handler: "vide", codec: "zzzz")))
    #expect(strange.contains("no video stream that it can decode") && strange.contains("its codec is zzzz"))
    let cut = DrawnClip.mp4(handler: "vide", codec: "avc1").dropLast(20)
    #expect(message(try file("cut.mp4", Data(cut))).contains("moov box, is missing"))
    // A frame that is not whole is no frame.
    let clip = DrawnClip.y4m(width: 64, height: 32, rate: 10, frames: [Self.grey(9)])
    let short = try file("short.y4m", clip.prefix(500))
    #expect(throws: MienError.self) { try VideoReader(contentsOf: short).next() }
  }

  @Test
  func boxesOfAnyBytesAreSurvived() throws {
    let whole = [UInt8](DrawnClip.mp4(handler: "vide", codec: "avc1"))
    var random = SeededRandom(seed: 3)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = try? VideoReader(
        contentsOf: file("fuzzed.mp4", Data(bytes.prefix(Int.random(in: 1...bytes.count, using: &random)))))
    }
  }

  // MARK: - With ffmpeg

  /// Makes a file with the `ffmpeg` program.
  func ffmpeg(_ name: String, _ arguments: [String]) throws -> URL {
    let url = folder.file(name)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Clip.ffmpeg))
    process.arguments = ["-v", "error", "-nostdin", "-y"] + arguments + [url.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return url
  }

  func times(_ url: URL) throws -> [Double] {
    let reader = try VideoReader(contentsOf: url)
    var times: [Double] = []
    while let frame = try reader.next() { times.append(frame.seconds) }
    return times
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func timesAreTheContainersWhereFramesHaveDifferentLengths() throws {
    // Ten frames of a tenth of a second, then ten of half a second.
    let filter = "setpts='if(lt(N,10),N,10+(N-10)*5)/10/TB'"
    for (codec, name) in [("mpeg4", "clip.mp4"), ("mpeg4", "clip.mkv")] {
      let url = try ffmpeg(
        name,
        ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2", "-vf", filter, "-vsync", "vfr", "-c:v", codec])
      let expected: [Double] = (0..<10).map { Double($0) / 10 } + (0..<10).map { 1 + Double($0) / 2 }
      let found = try times(url)
      #expect(found.count == 20)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 0.002, "\(found)") }
    }
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func framesThatAreStoredOutOfOrderHaveRisingTimes() throws {
    let url = try ffmpeg(
      "clip.mp4", ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2", "-c:v", "mpeg4", "-bf", "2"])
    let found = try times(url)
    #expect(found.count == 20)
    for (index, seconds) in found.enumerated() { #expect(abs(seconds - Double(index) / 10) < 0.002, "\(found)") }
  }

  /// The bytes of a display matrix for clockwise quarter turns, in 16.16 fixed point (ISO/IEC 14496-12, 8.3.2).
  static func matrix(quarterTurns: Int) -> [UInt8] {
    let rows: [[Int32]] = [[1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0]]
    let turn = rows[quarterTurns].map { $0 * 0x10000 }
    // The third column, and a shift that some editors leave.
    let values = [turn[0], turn[1], 0, turn[2], turn[3], 0, 0x400000, 0x200000, 0x4000_0000]
    return values.flatMap { value in (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  @Test(arguments: 0..<4, [("tkhd", 40), ("mvhd", 36)])
  func aClipFilmedOnItsSideComesUpright(quarterTurns: Int, header: (type: String, matrixAt: Int)) throws {
    // Red, green, blue and white, clockwise from the upper left corner.
    let corners: [[UInt8]] = [[220, 40, 40], [40, 200, 40], [40, 40, 220], [240, 240, 240]]
    let pixels = (0..<(64 * 32)).flatMap { pixel in
      let (isRight, isLow) = (pixel % 64 >= 32, pixel / 64 >= 16)
      return corners[isLow ? (isRight ? 2 : 3) : (isRight ? 1 : 0)]
    }
    let url = folder.file("turned.mp4")
    let writer = try VideoWriter(url: url, framesPerSecond: 10, sound: nil, program: nil)
    for index in 0..<3 {
      try writer.write(Image(width: 64, height: 32, channels: 3, pixels: pixels), seconds: Double(index) / 10)
    }
    try writer.finish()
    var data = try Data(contentsOf: url)
    let place = try #require(data.range(of: Data(header.type.utf8))).upperBound + header.matrixAt
    data.replaceSubrange(place..<(place + 36), with: Self.matrix(quarterTurns: quarterTurns))
    try data.write(to: url)

    let reader = try VideoReader(contentsOf: url)
    let image = try #require(try reader.next()?.image)
    let (width, height) = quarterTurns.isMultiple(of: 2) ? (64, 32) : (32, 64)
    #expect(reader.width == width && reader.height == height && image.width == width && image.height == height)
    let places = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    for (index, place) in places.enumerated() {
      // A turn takes each corner on to the next.
      let drawn = corners[(index + 4 - quarterTurns) % 4]
      let found = image.pixel(Int(place.0 * Double(width)), Int(place.1 * Double(height)))
      for (value, expected) in zip(found, drawn) {
        #expect(abs(value - Int(expected)) < 60, "corner \(index): \(found)")
      }
    }
  }

  /// The mean difference of two pictures' samples.
  static func difference(_ a: Image, _ b: Image) -> Double {
    guard a.pixels.count == b.pixels.count else { return .infinity }
    return Double(zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)) / Double(a.pixels.count)
  }

  func frame(_ index: Int, of url: URL) throws -> Image {
    let reader = try VideoReader(contentsOf: url)
    for _ in 0..<index { _ = try reader.skip() }
    return try #require(try reader.next()).image
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func interlacedFramesAreMadeWhole() throws {
    // A bar that moves by six pixels from field to field.
    let source =
      "nullsrc=size=320x288:rate=50:duration=1,geq=lum='60+140*gt(mod(X-6*N+160000,160),80)':cb=128:cr=128"
    let coded = ["-c:v", "mpeg2video", "-q:v", "2"]
    let progressive = try ffmpeg(
      "progressive.mpg", ["-f", "lavfi", "-i", source, "-vf", "select='not(mod(n,2))'", "-r", "25"] + coded)
    let fields = ["-f", "lavfi", "-i", source, "-vf", "tinterlace=interleave_top"] + coded
    let marked = try ffmpeg("marked.mpg", fields + ["-flags", "+ildct+ilme", "-top", "1"])
    let unmarked = try ffmpeg("unmarked.mpg", fields)
    let whole = try frame(12, of: progressive)
    let mended = try Self.difference(frame(12, of: marked), whole)
    let combed = try Self.difference(frame(12, of: unmarked), whole)
    #expect(combed > 4 && mended < 0.1 * combed, "\(mended), without mending \(combed)")
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func pixelsThatAreNotSquareAreStretched() throws {
    let source = ["-f", "lavfi", "-i", "testsrc=size=180x144:rate=10:duration=0.3", "-c:v", "mpeg4"]
    for (aspect, width, height) in [("16/11", 262, 144), ("8/9", 180, 162), ("1", 180, 144), ("50", 180, 144)] {
      let reader = try VideoReader(contentsOf: ffmpeg("clip.mp4", source + ["-vf", "setsar=\(aspect)"]))
      let image = try #require(try reader.next()).image
      #expect(reader.width == width && reader.height == height, "\(aspect): \(reader.width)x\(reader.height)")
      #expect(image.width == width && image.height == height)
    }
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func theFilmIsReadAndNotACoverPicture() throws {
    let film = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1"]
    let cover = ["-f", "lavfi", "-i", "color=red:size=320x240:rate=1:duration=1"]
    for (name, maps, disposition) in [("a.mp4", ["0", "1"], "1"), ("b.mkv", ["1", "0"], "0")] {
      let url = try ffmpeg(
        name,
        film + cover + maps.flatMap { ["-map", $0] }
          + ["-c:v", "mpeg4", "-c:v:\(disposition)", "mjpeg"]
          + ["-disposition:v:\(disposition)", "attached_pic"])
      let found = try times(url)
      #expect(found.count == 10, "\(name): \(found)")
    }
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func streamsWithoutAContainerAreReadAtARateThatIsSaid() throws {
    let source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1"]
    for (options, words) in [
      (["-c:v", "libx264", "-f", "h264"], "H.264 without a container"),
      (["-c:v", "libx265", "-x265-params", "log-level=none", "-f", "hevc"], "HEVC without a container"),
      (["-c:v", "mjpeg", "-f", "mjpeg"], "25 frames per second, which is assumed"),
    ] {
      let reader = try VideoReader(contentsOf: ffmpeg("clip.bin", source + options))
      var seconds: [Double] = []
      while let frame = try reader.next() { seconds.append(frame.seconds) }
      let rate = try #require(reader.framesPerSecond)
      #expect(seconds.count == 10 && reader.warnings.count == 1 && reader.warnings[0].contains(words))
      for (index, second) in seconds.enumerated() { #expect(abs(second - Double(index) / rate) < 1e-6) }
    }
    // A photo is none, whatever follows it.
    let photo = try PictureFiles.quarters().encoded(as: .jpeg(quality: 90))
    #expect(message(try file("photo.mjpeg", photo + Data("more".utf8) + photo)).contains("is a picture (JPEG)"))
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"), arguments: ["ntsc", "pal"])
  func digitalTapesOfBothSystemsAreRead(system: String) throws {
    let source = "testsrc=size=720x\(system == "pal" ? 576 : 480):rate=\(system):duration=0.3"
    let url = try ffmpeg("clip.bin", ["-f", "lavfi", "-i", source, "-target", "\(system)-dv", "-f", "dv"])
    #expect(try times(url).count >= 7)
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"), arguments: ["gif", "apng", "webp"])
  func animationsAreVideos(format: String) throws {
    let url = try ffmpeg(
      "clip.\(format)",
      ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=2"]
        + (format == "webp" ? ["-c:v", "libwebp_anim"] : []) + ["-f", format])
    let found = try times(url)
    #expect(found.count == 10)
    for (index, seconds) in found.enumerated() { #expect(abs(seconds - Double(index) / 5) < 0.011, "\(found)") }
  }

  @Test(arguments: ["animated.gif", "animated.webp"])
  func transparentPartsOfAnAnimationAreWhite(name: String) throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
    let (still, moving) = (try Image(contentsOf: url), try frame(0, of: url))
    #expect(Self.difference(still.rgb, moving) < 2)
  }

  /// A colour profile, or text, may take more than the bytes that tell most kinds of files.
  @Test
  func anAnimatedPNGIsToldBehindLongChunks() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/animated.png")
    let whole = try Data(contentsOf: url)
    let text = Data("tEXtComment\0".utf8) + Data(repeating: UInt8(ascii: "x"), count: 9000)
    func bytes(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }
    let chunk = bytes(UInt32(text.count - 4)) + text + bytes(text.withUnsafeBytes { CRC32.of($0) })
    let head = 8 + 25
    let long = whole.prefix(head) + chunk + whole.dropFirst(head)
    #expect(try times(try file("long.png", long)) == times(url))
    #expect(FileKind.isVideo(start: [UInt8](long)))
    let still = try Image(width: 8, height: 8, channels: 1, pixels: [UInt8](repeating: 9, count: 64)).encoded(as: .png)
    #expect(message(try file("still.png", still.prefix(head) + chunk + still.dropFirst(head))).contains("is a picture"))
  }

  @Test
  func anAnimatedWebPThatIsCutOffSaysSo() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/animated.webp")
    let whole = try Data(contentsOf: url)
    #expect(try times(url).count == 2)
    #expect(message(try file("cut.webp", whole.prefix(whole.count / 2))).contains("is damaged or not whole"))
    // What another attempt would find again is the format's fault, not the disk's.
    let second = try #require(whole.range(of: Data("ANMF".utf8), options: .backwards)).lowerBound
    let damaged = whole.prefix(second + 44) + Data(repeating: 0xFF, count: whole.count - second - 44)
    let reader = try VideoReader(contentsOf: try file("damaged.webp", damaged))
    #expect(try reader.next() != nil)
    let error = try #require(throws: MienError.self) { try reader.next() }
    #expect(error.kind == .format && error.message.contains("damaged from here on"))
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func damageIsCounted() throws {
    let whole = try ffmpeg(
      "whole.mp4",
      ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-c:v", "libx264", "-g", "10", "-bf", "0"])
    #expect(try times(whole).count == 50)
    var data = try Data(contentsOf: whole)
    let start = try #require(data.range(of: Data("mdat".utf8))).upperBound
    let end = try #require(data.range(of: Data("moov".utf8))).lowerBound
    let hole = start + (end - start) / 3
    data.replaceSubrange(hole..<(hole + 3000), with: Data(count: 3000))
    let reader = try VideoReader(contentsOf: file("hole.mp4", data))
    var last: VideoFrame?
    while let frame = try reader.next() { last = frame }
    #expect(abs((last?.seconds ?? 0) - 1.96) < 0.01, "the frames behind the hole are read")
    #expect(reader.warnings.count == 1 && reader.warnings[0].hasPrefix("is damaged: of 50 frames, "))
  }

  @Test(.enabled(if: Clip.ffmpeg != nil, "needs ffmpeg"))
  func aFileThatIsCutOffGivesItsWholeFramesThenSaysSo() throws {
    let source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=3", "-c:v", "mpeg4"]
    for (name, options) in [("clip.mp4", ["-movflags", "+faststart"]), ("clip.avi", []), ("clip.mkv", [])] {
      let whole = try Data(contentsOf: ffmpeg(name, source + options))
      let reader = try VideoReader(contentsOf: file("cut-" + name, whole.prefix(whole.count * 2 / 3)))
      var count = 0
      let error = #expect(throws: MienError.self) {
        while try reader.next() != nil { count += 1 }
      }
      #expect((5..<30).contains(count), "\(name): \(count)")
      #expect(error?.message.contains("is a truncated file") == true && error?.subject?.hasSuffix(name) == true)
      #expect(try reader.next() == nil)
    }
  }

  // MARK: - The shim

  @Test(.enabled(if: Shared.has("media/hamilton.mp4"), "needs ../shared/media"))
  func theClipHasAllItsFrames() throws {
    let reader = try VideoReader(contentsOf: Shared.url("media/hamilton.mp4"))
    #expect(reader.width == 640 && reader.height == 360 && reader.frameCount == 275)
    var last: VideoFrame?
    while let frame = try reader.next(notBefore: Double(last?.index ?? 0) / 29.97 + 1) { last = frame }
    let index = try #require(last?.index)
    #expect(index >= 240 && abs((last?.seconds ?? 0) - Double(index) / 29.97) < 0.01)
  }

  @Test
  func nullPointersAreInvalidArgumentsWithAMessage() throws {
    // Makes the library stay loaded.
    _ = try? VideoReader(
      contentsOf: file("clip.y4m", DrawnClip.y4m(width: 64, height: 32, rate: 1, frames: [Self.grey(1)])))
    let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("libMienVideoShim.so")
    let library = try #require(dlopen(beside.path, RTLD_NOW | RTLD_LOCAL))
    let symbol = try #require(dlsym(library, "mien_opencv_video_functions"))
    let table = try #require(unsafeBitCast(symbol, to: mien_opencv_video_functions_type.self)()?.pointee)
    #expect(table.version == MIEN_OPENCV_VIDEO_VERSION)
    let calls: [(UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32] = [
      { table.reader_open(nil, nil, nil, $0) }, { table.reader_grab(nil, nil, nil, $0) },
      { table.reader_retrieve(nil, nil, 0, $0) }, { table.camera_open(nil, nil, nil, $0) },
      { table.reader_faults(nil, nil, $0) }, { table.sound_find(nil, nil, $0) },
      { table.writer_open(nil, 2, 2, 25, nil, $0) }, { table.writer_write(nil, nil, 0, $0) },
      { table.window_show(nil, nil, 0, 1, 1, nil, $0) },
    ]
    for call in calls {
      var error: UnsafeMutablePointer<CChar>?
      #expect(call(&error) == MIEN_OPENCV_VIDEO_INVALID)
      #expect(error.map { String(cString: $0) }?.isEmpty == false)
      table.string_free(error)
      #expect(call(nil) == MIEN_OPENCV_VIDEO_INVALID)
    }
    table.string_free(nil)
    table.reader_free(nil)
    table.writer_close(nil)
  }
}
