import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// How large the frames of a video may be, and how much of them is kept.
@Suite
struct VideoLimitsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Uncompressed frames of two halves side by side, 64 x 32.
  private func halves() throws -> URL {
    let url = folder.file("halves.y4m")
    let frame = VideoReaderTests.halves([200, 30, 40], [30, 60, 190])
    try DrawnClip.y4m(width: 64, height: 32, rate: 5, frames: [frame, frame]).write(to: url)
    return url
  }

  /// H.264 whose frames have one grey value each.
  private func grey(_ values: [UInt8], width: Int, height: Int) throws -> URL {
    let url = folder.file("grey.mp4")
    let writer = try VideoWriter(url: url, framesPerSecond: 5, sound: nil, program: nil)
    for (index, value) in values.enumerated() {
      let pixels = [UInt8](repeating: value, count: width * height)
      try writer.write(
        Image(width: width, height: height, channels: 1, pixels: pixels), seconds: Double(index) / 5)
    }
    try writer.finish()
    return url
  }

  private func limits(_ change: (inout VideoLimits) -> Void) -> VideoLimits {
    var limits = VideoLimits()
    change(&limits)
    return limits
  }

  private func error(_ url: URL, _ limits: VideoLimits) -> MienError? {
    let error = #expect(throws: MienError.self) {
      let reader = try VideoReader(contentsOf: url, limits: limits)
      while try reader.next() != nil {}
    }
    #expect(error?.subject == url.path && error?.kind == .limit)
    return error
  }

  @Test(arguments: [(16_384, 8_704), (4_321, 8_400)])
  func framesOverTheLimitAreRefusedBeforeTheyAreDecoded(width: Int, height: Int) throws {
    // The frame itself is not there: it need not be.
    let url = folder.file("large.y4m")
    try Data("YUV4MPEG2 W\(width) H\(height) F5:1 Ip A1:1 C420jpeg\nFRAME\n".utf8).write(to: url)
    let message = try #require(error(url, limits { $0.maxPixels = 36_000_000 })).message
    #expect(message.contains("\(width)x\(height)") && message.contains("36000000") && message.contains("shrink it"))
  }

  @Test
  func theLimitIsTheLargestThatIsRead() throws {
    let url = try halves()
    #expect(try VideoReader(contentsOf: url, limits: limits { $0.maxPixels = 64 * 32 }).next() != nil)
    #expect(try #require(error(url, limits { $0.maxPixels = 64 * 32 - 1 })).message.contains("64x32"))
    let coded = try grey([80, 90], width: 320, height: 240)
    #expect(try #require(error(coded, limits { $0.maxPixels = 320 * 240 - 1 })).message.contains("320x240"))
  }

  @Test
  func largeFramesAreReducedAndTellTheirWholeSize() throws {
    for (kept, reduction) in [(64 * 32, 1), (64 * 32 - 1, 2), (32 * 16 - 1, 4)] {
      let reader = try VideoReader(contentsOf: halves(), limits: limits { $0.keptPixels = kept })
      #expect(reader.width == 64 && reader.height == 32)
      let image = try #require(try reader.next()).image
      #expect(image.width == 64 / reduction && image.height == 32 / reduction && image.reduction == reduction)
      #expect(image.wholeWidth == 64 && image.wholeHeight == 32)
      for (column, colour) in [(2, [200, 30, 40]), (image.width - 3, [30, 60, 190])] {
        for (found, drawn) in zip(image.pixel(column, image.height / 2), colour) { #expect(abs(found - drawn) <= 4) }
      }
    }
  }

  @Test func jpeg2000ThatIsTooLargeToKeepIsRefused() throws {
    let source = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=5:d=0.4", "-c:v", "jpeg2000", "-strict", "-2"]
    let clips = try VideoReaderTests()
    for name in ["clip.mov", "clip.avi"] {
      let url = try clips.ffmpeg(name, source)
      let message = try #require(error(url, limits { $0.keptPixels = 320 * 240 - 1 })).message
      #expect(message.contains("JPEG 2000 frames of 320x240") && message.contains("limit of 76799"))
      let reader = try VideoReader(contentsOf: url, limits: limits { $0.keptPixels = 320 * 240 })
      #expect(try reader.next()?.image.width == 320)
    }
  }

  /// 8K, as phones record it: encoded, and handed out at half its size.
  @Test
  func framesOf8KAreRead() throws {
    let reader = try VideoReader(
      contentsOf: grey([60], width: 7680, height: 4320),
      limits: limits {
        ($0.maxPixels, $0.keptPixels, $0.decoderBytes) = (36_000_000, 9_000_000, 500_000_000)
      })
    #expect(reader.width == 7680 && reader.height == 4320)
    let image = try #require(try reader.next()).image
    #expect(image.width == 3840 && image.height == 2160 && image.reduction == 2)
    #expect(image.pixel(1900, 1000).allSatisfy { abs($0 - 60) <= 4 }, "\(image.pixel(1900, 1000))")
  }

  @Test
  func aDecoderThatKeepsTooMuchIsStopped() throws {
    let url = try grey([60, 120, 180, 240], width: 320, height: 240)
    // One frame has 115,200 bytes.
    #expect(try VideoReader(contentsOf: url, limits: limits { $0.decoderBytes = 10_000_000 }).next() != nil)
    let message = try #require(error(url, limits { $0.decoderBytes = 60_000 })).message
    #expect(message.contains("decoded frames") && message.contains("320x240") && message.contains("shrink it"))
  }

  /// Kilobytes of memory by the kernel: `VmHWM`, the most at a time, or `VmRSS`, now.
  private func kilobytes(_ key: String) throws -> Int {
    let line = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
      .first { $0.hasPrefix("\(key):") }
    return try #require(line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
  }

  /// A decoder of sound with eight channels takes 3 MB, which is 2.6 GB for these. Other tests run meanwhile.
  @Test(.enabled(if: Clip.ffmpeg != nil), arguments: ["mkv", "mp4", "ts"])
  func hundredsOfTracksOfSoundTakeLittleMemory(ending: String) throws {
    let clips = try VideoReaderTests()
    let sound = try clips.ffmpeg("sound.m4a", ["-f", "lavfi", "-i", "anoisesrc=d=0.1", "-ac", "8", "-c:a", "aac"])
    let tracks = (0..<900).flatMap { _ in ["-map", "1:a"] }
    let film = try grey([60], width: 320, height: 240)
    let url = try clips.ffmpeg(
      "tracks.\(ending)", ["-i", film.path, "-i", sound.path, "-map", "0:v"] + tracks + ["-c", "copy"])
    let before = try kilobytes("VmRSS")
    // Has the kernel count the most from here on.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    let reader = try VideoReader(contentsOf: url)
    #expect(try reader.next() != nil && reader.next() == nil)
    #expect(try kilobytes("VmHWM") - before < 1_800_000)
  }
}
