import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct VideoWriterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A picture of one grey value.
  func grey(_ value: UInt8, width: Int = 64, height: Int = 48) throws -> Image {
    try Image(width: width, height: height, channels: 1, pixels: [UInt8](repeating: value, count: width * height))
  }

  /// Time and grey value of each frame.
  func frames(_ url: URL) throws -> [(seconds: Double, value: Int)] {
    let reader = try VideoReader(contentsOf: url)
    var found: [(Double, Int)] = []
    while let frame = try reader.next() { found.append((frame.seconds, frame.image.pixel(20, 20)[1])) }
    return found
  }

  static let programs: [String?] = Clip.ffmpeg.map { [$0, nil] } ?? [nil]

  @Test(arguments: programs)
  func framesComeBackInOrderAtTheirTimes(program: String?) throws {
    let url = folder.file("out.mp4")
    let program = program.map { URL(fileURLWithPath: $0) }
    let writer = try VideoWriter(url: url, framesPerSecond: 25, sound: nil, program: program)
    // The second half is slower: frames of a fifth of a second.
    let times = (0..<10).map { Double($0) / 25 } + (0..<5).map { 0.4 + Double($0) / 5 }
    for (index, seconds) in times.enumerated() { try writer.write(grey(UInt8(40 + 12 * index)), seconds: seconds) }
    #expect(!FileManager.default.fileExists(atPath: url.path), "it has its name before it is whole")
    try writer.finish()
    let found = try frames(url)
    #expect(found.count == 31 && abs((found.last?.seconds ?? 0) - 1.2) < 0.01)
    for (seconds, value) in found {
      let index = try #require(times.lastIndex { $0 <= seconds + 0.01 })
      #expect(abs(value - (40 + 12 * index)) <= 6, "at \(seconds)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["out.mp4"])
  }

  @Test(arguments: programs)
  func aWrongTimeStampCostsTheLongestGap(program: String?) throws {
    let url = folder.file("jump.mp4")
    let writer = try VideoWriter(
      url: url, framesPerSecond: 25, sound: nil, program: program.map { URL(fileURLWithPath: $0) }, longestGap: 10)
    for (index, seconds) in [0, 0.04, 2000, 0.12, 0.16].enumerated() {
      try writer.write(grey(UInt8(40 + 40 * index)), seconds: seconds)
    }
    try writer.finish()
    let found = try frames(url)
    // Two frames, the second for ten seconds, and three more.
    #expect(found.count == 254 && abs((found.last?.seconds ?? 0) - 10.12) < 0.01)
    for (index, value) in [(0, 40), (100, 80), (250, 80), (251, 120), (252, 160), (253, 200)]
    where index < found.count {
      #expect(abs(found[index].value - value) <= 6, "frame \(index)")
    }
  }

  @Test(arguments: programs)
  func slowClipsKeepTheirPace(program: String?) throws {
    let url = folder.file("slow.mp4")
    let writer = try VideoWriter(
      url: url, framesPerSecond: 0.05, sound: nil, program: program.map { URL(fileURLWithPath: $0) })
    for index in 0..<2 { try writer.write(grey(UInt8(40 + 40 * index)), seconds: 20 * Double(index)) }
    try writer.finish()
    #expect(try abs((frames(url).last?.seconds ?? 0) - 20) < 0.01)
  }

  @Test(arguments: programs)
  func veryFastRatesBecome120(program: String?) throws {
    let url = folder.file("fast.mp4")
    let writer = try VideoWriter(
      url: url, framesPerSecond: 1000, sound: nil, program: program.map { URL(fileURLWithPath: $0) })
    for index in 0..<6 { try writer.write(grey(UInt8(40 + 30 * index)), seconds: Double(index) / 30) }
    try writer.finish()
    let rate = try VideoReader(contentsOf: url).framesPerSecond ?? 0
    #expect(abs(rate - 120) < 0.1)
    let found = try frames(url)
    #expect(found.count == 21)
    for (index, frame) in found.enumerated() {
      #expect(abs(frame.seconds - Double(index) / 120) < 0.004)
      #expect(abs(frame.value - (40 + 30 * (index / 4))) <= 6, "frame \(index)")
    }
  }

  @Test(arguments: programs)
  func oddSizesLoseAColumnAndARow(program: String?) throws {
    let url = folder.file("odd.mp4")
    let program = program.map { URL(fileURLWithPath: $0) }
    let writer = try VideoWriter(url: url, framesPerSecond: 5, sound: nil, program: program)
    try writer.write(grey(90, width: 63, height: 41), seconds: 0)
    #expect(throws: MienError.self) { try writer.write(grey(90), seconds: 0.2) }
    try writer.finish()
    let reader = try VideoReader(contentsOf: url)
    #expect(reader.width == 62 && reader.height == 40 && reader.framesPerSecond == 25)
    #expect(try frames(url).count == 1)
  }

  @Test(arguments: programs)
  func whatCannotBeWrittenIsNamedAndNothingIsLeft(program: String?) throws {
    #expect(throws: MienError.self) { try VideoWriter(url: folder.file("a.avi"), framesPerSecond: 25) }
    for rate in [0, -1, .nan, .infinity] as [Double] {
      #expect(throws: MienError.self) { try VideoWriter(url: folder.file("a.mp4"), framesPerSecond: rate) }
    }
    let program = program.map { URL(fileURLWithPath: $0) }
    let url = folder.file("none/a.mp4")
    let writer = try VideoWriter(url: url, framesPerSecond: 25, sound: nil, program: program)
    let error = #expect(throws: MienError.self) {
      for index in 0..<200 { try writer.write(grey(9), seconds: Double(index) / 25) }
      try writer.finish()
    }
    #expect(error?.subject == url.path)
    // Without a frame there is nothing to write.
    try VideoWriter(url: folder.file("empty.mp4"), framesPerSecond: 25, sound: nil, program: program).finish()
    do {
      let dropped = try VideoWriter(url: folder.file("b.mp4"), framesPerSecond: 25, sound: nil, program: program)
      for index in 0..<3 { try dropped.write(grey(9), seconds: Double(index) / 25) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }
}
