import Foundation
import MienCore
import MienVision
import Testing

/// JPEG files that break the standard in the ways that cameras, transfers and tools do, made from a whole one.
@Suite struct JPEGFaultTests {
  /// 240 x 160, so that there are ten rows of blocks.
  private let whole: Data
  private let expected: Image
  /// Where the first segment after the start begins, and where the coded data do.
  private let dataStart: Int

  init() throws {
    let image = try PictureFiles.quarters().resized(width: 240, height: 160)
    // Something in every block, so that no part of the data can be left out unseen.
    let pixels = image.pixels.enumerated().map { UInt8(min(255, Int($1) + ($0 / 3 % 17) * 3)) }
    whole = try Image(width: 240, height: 160, channels: 3, pixels: pixels).encoded(as: .jpeg(quality: 90))
    expected = try Image(encoded: whole)
    let scan = try #require(whole.range(of: Data([0xFF, 0xDA])))
    dataStart = scan.lowerBound + 2 + Int(whole[scan.upperBound]) << 8 + Int(whole[scan.upperBound + 1])
    #expect(expected.warning == nil && !expected.isDamaged)
  }

  /// Where the second segment begins.
  private var secondSegment: Int { 2 + 2 + Int(whole[4]) << 8 + Int(whole[5]) }

  private func inserting(_ bytes: [UInt8], at offset: Int) -> Data {
    whole[..<offset] + Data(bytes) + whole[offset...]
  }

  @Test(arguments: [[UInt8]([1, 2, 3]), [0xFF, 0x00], [0xFF, 0xFF, 0xFF], [0], [UInt8](repeating: 7, count: 300)])
  func bytesBetweenSegmentsArePassedOver(bytes: [UInt8]) throws {
    let image = try Image(encoded: inserting(bytes, at: secondSegment))
    #expect(image.pixels == expected.pixels && !image.isDamaged)
    // Fill bytes are legal, all others are told.
    #expect((image.warning == nil) == (bytes == [0xFF, 0xFF, 0xFF]))
  }

  @Test(arguments: [[UInt8]([5, 6, 7]), [0xFF, 0x00], [UInt8](repeating: 9, count: 258)])
  func bytesBeforeTheEndMarkerArePassedOver(bytes: [UInt8]) throws {
    let image = try Image(encoded: inserting(bytes, at: whole.count - 2))
    #expect(image.pixels == expected.pixels && !image.isDamaged)
  }

  @Test(arguments: [[UInt8](), [0, 0], [UInt8](repeating: 0, count: 4096)])
  func aMissingEndMarkerCostsNothing(instead: [UInt8]) throws {
    let image = try Image(encoded: whole.dropLast(2) + Data(instead))
    #expect(image.pixels == expected.pixels && !image.isDamaged)
    #expect(image.warning?.contains("end marker") == true)
  }

  @Test func whatFollowsTheEndDoesNotMatter() throws {
    for tail in [Data(count: 5000), whole, Data("not a picture".utf8)] {
      #expect(try Image(encoded: whole + tail) == expected)
    }
  }

  @Test(arguments: [1, 2, 5])
  func aPictureMayBeginSeveralTimes(starts: Int) throws {
    // Bare start markers, and starts with the segments that follow them.
    for part in [Data([0xFF, 0xD8]), Data(whole[..<secondSegment])] {
      let file = (0..<starts).reduce(whole) { file, _ in part + file }
      let image = try Image(encoded: file)
      #expect(image.pixels == expected.pixels && image.warning?.contains("out of place") == true)
    }
  }

  @Test func startsWithoutEndAreRefused() {
    let file = Data([UInt8](repeating: 0, count: 20).enumerated().map { $0.offset % 2 == 0 ? 0xFF : 0xD8 }) + whole
    let error = #expect(throws: MienError.self) { try Image(encoded: file) }
    #expect(error?.message.contains("start markers") == true)
  }

  @Test(arguments: [0.3, 0.5, 0.9], [false, true])
  func ofACutPictureTheRestIsRead(share: Double, hasZeros: Bool) throws {
    let length = dataStart + Int(Double(whole.count - dataStart) * share)
    let file = hasZeros ? whole[..<length] + Data(count: whole.count - length) : whole[..<length]
    let image = try Image(encoded: Data(file))
    #expect(image.isDamaged && image.warning?.contains("truncated") == true, "\(image.warning ?? "no warning")")
    let rows = try #require(image.warning?.firstMatch(of: /rows from (\d+) of 160/).flatMap { Int($0.output.1) }) - 1
    #expect(abs(Double(rows) - share * 160) < 30)
    #expect(image.pixels[..<(rows * 720)] == expected.pixels[..<(rows * 720)])
    // Nothing is made up below the row of blocks in which the data end: it is grey.
    #expect(image.pixels[min((rows + 18) * 720, image.pixels.count)...].allSatisfy { abs(Int($0) - 128) <= 1 })
  }

  @Test func damagedRowsAreCounted() throws {
    var random = SeededRandom(seed: 3)
    var file = whole
    for index in (whole.count - 600)..<(whole.count - 2) { file[index] = UInt8(random.uniform(in: 0...254)) }
    let image = try Image(encoded: file)
    #expect(image.warning != nil)
    let upper = 720 * 80
    #expect(image.pixels[..<upper] == expected.pixels[..<upper])
  }

  @Test func nothingOfThePictureIsAnError() {
    for file in [whole[..<dataStart], whole[..<100], whole[..<(dataStart + 3)]] {
      let error = #expect(throws: MienError.self) { try Image(encoded: Data(file)) }
      #expect(error?.kind == .format && error?.message.contains("truncated") == true, "\(error?.message ?? "")")
    }
  }

  @Test func aProgressivePictureWithoutItsLastScansIsCoarser() throws {
    let file = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("progressive.jpg"))
    let whole = try Image(encoded: file)
    let scan = try #require(file.range(of: Data([0xFF, 0xDA]), options: .backwards)).lowerBound
    // Cut within the last scan, and right before it.
    for length in [file.count - 8, scan] {
      let image = try Image(encoded: file.prefix(length))
      #expect(image.isDamaged && image.warning?.contains("coarser") == true, "\(length) of \(file.count) bytes")
    }
    let endless = try Image(encoded: file.dropLast(2))
    #expect(endless.pixels == whole.pixels && !endless.isDamaged && endless.warning?.contains("end marker") == true)
  }

  @Test func tooManyScansAreRefused() throws {
    let file = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("progressive.jpg"))
    // The last scan again and again.
    let scan = try #require(file.range(of: Data([0xFF, 0xDA]), options: .backwards))
    let last = file[scan.lowerBound..<(file.count - 2)]
    let many = file.dropLast(2) + (0..<400).reduce(Data()) { data, _ in data + last } + Data([0xFF, 0xD9])
    let error = #expect(throws: MienError.self) { try Image(encoded: many) }
    #expect(error?.kind == .limit && error?.message.contains("scans") == true, "\(error?.message ?? "")")
  }

  @Test func scansOfALargePictureAreFewer() throws {
    let file = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("progressive.jpg"))
    let scan = try #require(file.range(of: Data([0xFF, 0xDA]), options: .backwards))
    let last = file[scan.lowerBound..<(file.count - 2)]
    var many = file.dropLast(2) + (0..<150).reduce(Data()) { data, _ in data + last } + Data([0xFF, 0xD9])
    #expect(try Image(encoded: many).width == 24)
    // Each is a pass over 23 million samples.
    let header = try #require(many.range(of: Data([0xFF, 0xC2])))
    let side = Data(PictureFiles.bigEndian(4800, bytes: 2))
    many.replaceSubrange(header.upperBound + 3..<header.upperBound + 7, with: side + side)
    let error = #expect(throws: MienError.self) { try Image(encoded: many) }
    #expect(error?.kind == .limit && error?.message.contains("million samples") == true, "\(error?.message ?? "")")
  }
}
