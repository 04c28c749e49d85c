import Foundation
import MienCore
import MienReports
import MienVision
import Testing

/// MienCore's writer, read back by libpng, which checks sums and sizes.
@Suite struct PNGTests {
  @Test(arguments: [(1, 1, 1), (48, 48, 1), (5, 3, 3), (300, 400, 3)])
  func picturesReadBackAsTheyWere(width: Int, height: Int, channels: Int) throws {
    var random = SeededRandom(seed: 7)
    let pixels = (0..<(width * height * channels)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let data = try PNG.encoded(width: width, height: height, channels: channels, pixels: pixels)
    #expect(try Image(encoded: data) == Image(width: width, height: height, channels: channels, pixels: pixels))
  }

  @Test func aFlippedByteIsNoticed() throws {
    // The checksum is what tells: without one, the decoder would give another picture.
    let data = try PNG.encoded(width: 8, height: 8, channels: 1, pixels: [UInt8](repeating: 9, count: 64))
    let crc = data.count - 12 - 4
    var broken = data
    broken[crc] ^= 0xFF
    #expect(data[(data.count - 8)..<(data.count - 4)] == Data("IEND".utf8))
    let image = try Image(encoded: broken)
    #expect(image.isDamaged && image.warning?.contains("damaged") == true)
  }

  @Test func ofACutPictureTheRestIsRead() throws {
    var random = SeededRandom(seed: 7)
    let pixels = (0..<(30 * 40 * 3)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let data = try PNG.encoded(width: 30, height: 40, channels: 3, pixels: pixels)
    let image = try Image(encoded: data.prefix(data.count / 2))
    #expect(image.isDamaged && image.height == 40 && image.warning?.contains("truncated") == true)
    let rows = zip(image.pixels, pixels).prefix { $0 == $1 }.count / 90
    #expect((10...25).contains(rows) && image.warning?.contains("rows from \(rows + 1) of 40") == true, "\(rows)")
    #expect(image.pixels[((rows + 1) * 90)...].allSatisfy { $0 == 128 })
    // Without the chunk that ends it, nothing is missing.
    let endless = try Image(encoded: data.dropLast(12))
    #expect(endless.pixels == pixels && !endless.isDamaged && endless.warning?.contains("end") == true)
  }

  @Test(arguments: [(0, 1, 1, 0), (2, 2, 2, 8), (2, 2, 1, 3), (-1, -1, 1, 1), (Int.max, 2, 3, 6)])
  func sizesThatDoNotFitAreRefused(width: Int, height: Int, channels: Int, count: Int) {
    #expect(throws: MienError.self) {
      try PNG.encoded(
        width: width, height: height, channels: channels, pixels: [UInt8](repeating: 0, count: count))
    }
  }

  @Test func aWrongSumOfTheHeaderHidesNoSize() throws {
    // The size is changed and its sum is not.
    var file = [UInt8](try PNG.encoded(width: 8, height: 8, channels: 1, pixels: [UInt8](repeating: 9, count: 64)))
    file.replaceSubrange(16..<24, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])
    let error = #expect(throws: MienError.self) { try Image(encoded: Data(file)) }
    #expect(error?.kind == .limit && error?.message.contains("30000x30000") == true)
  }

  /// A thousand bytes of zeros take one byte in a file: a small picture may hold gigabytes.
  @Test(arguments: [false, true]) func dataAfterTheLastRowAreLeft(isInterlaced: Bool) throws {
    // The passes of 8x8 pixels, or as many rows.
    let widths = isInterlaced ? [1, 1, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8] : [Int](repeating: 8, count: 8)
    func file(surplus: Int) -> Data {
      PictureFiles.png(
        width: 8, height: 8, depth: 8, colorType: 0,
        rows: widths.map { [UInt8](repeating: 9, count: $0) } + [[UInt8](repeating: 0, count: surplus)],
        isInterlaced: isInterlaced)
    }
    for (surplus, isNamed) in [(1000, false), (40_000, true)] {
      let image = try Image(encoded: file(surplus: surplus))
      #expect(image.pixels == [UInt8](repeating: 9, count: 64) && !image.isDamaged)
      #expect((image.warning?.contains("has bytes out of place") == true) == isNamed, "\(image.warning ?? "")")
    }
  }

  @Test func anInterlacedPicturesSamplesAreBounded() throws {
    let rows = [1, 1, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8].map { [UInt8](repeating: 9, count: $0) }
    let file = PictureFiles.png(width: 8, height: 8, depth: 8, colorType: 0, rows: rows, isInterlaced: true)
    #expect(try Image(encoded: file, limits: ImageLimits(sampleBytes: 64)).pixels == [UInt8](repeating: 9, count: 64))
    let error = #expect(throws: MienError.self) { try Image(encoded: file, limits: ImageLimits(sampleBytes: 63)) }
    #expect(error?.kind == .limit && error?.message.contains("interlaced") == true, "\(error?.message ?? "")")
    // Row by row, no more than one is held.
    let plain = PictureFiles.png(
      width: 8, height: 8, depth: 8, colorType: 0, rows: [[UInt8]](repeating: [UInt8](repeating: 9, count: 8), count: 8)
    )
    #expect(try Image(encoded: plain, limits: ImageLimits(sampleBytes: 1)).width == 8)
  }

  @Test func rowsThatTakeTooLongToUnpackAreRefused() {
    let file = PictureFiles.png(width: 12_000, height: 10_000, depth: 16, colorType: 6, rows: [[0]])
    let error = #expect(throws: MienError.self) { try Image(encoded: file) }
    #expect(error?.kind == .limit && error?.message.contains("960 million bytes") == true, "\(error?.message ?? "")")
  }
}
