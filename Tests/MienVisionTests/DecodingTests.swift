import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct DecodingTests {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

  @Test(arguments: [(1, 1, 1), (1, 1, 3), (7, 5, 1), (7, 5, 3)])
  func pngKeepsEveryPixel(width: Int, height: Int, channels: Int) throws {
    let image = try PictureFiles.pattern(width: width, height: height, channels: channels)
    #expect(try Image(encoded: image.encoded(as: .png)) == image)
  }

  @Test
  func jpegKeepsFlatColoursWithinAFewLevels() throws {
    let image = try PictureFiles.quarters()
    let read = try Image(encoded: image.encoded(as: .jpeg(quality: 95)))
    #expect(read.width == 24 && read.height == 16 && read.channels == 3)
    for (column, row) in [(4, 3), (20, 3), (4, 13), (20, 13)] {
      #expect(zip(read.pixel(column, row), image.pixel(column, row)).allSatisfy { abs($0 - $1) <= 4 })
    }
    #expect(throws: MienError.self) { try image.encoded(as: .jpeg(quality: 0)) }
  }

  @Test
  func uncompressedFormatsKeepEveryPixel() throws {
    let image = try PictureFiles.pattern(width: 7, height: 5, channels: 3)
    #expect(try Image(encoded: PictureFiles.bmp(image)) == image)
    #expect(try Image(encoded: PictureFiles.tiff(image)) == image)
    #expect(try Image(encoded: PictureFiles.pnm(image)) == image)
    let grey = try PictureFiles.pattern(width: 7, height: 5, channels: 1)
    #expect(try Image(encoded: PictureFiles.tiff(grey)) == grey)
    #expect(try Image(encoded: PictureFiles.pnm(grey)) == grey)
  }

  /// Expected values: Pillow's, by `scripts/golden/pictures.py`.
  @Test
  func picturesOfEveryFormatReadAsPillowReadsThem() throws {
    let expected = try JSONDecoder().decode(
      [String: [[Int]]].self, from: Data(contentsOf: Self.fixtures.appendingPathComponent("pictures.json")))
    #expect(expected.count == 26)
    for (name, colors) in expected {
      let image = try Image(contentsOf: Self.fixtures.appendingPathComponent(name))
      #expect(image.width % 24 == 0 && image.width * 2 == image.height * 3 && image.channels == 3, "\(name)")
      let scale = image.width / 24
      for (center, color) in zip([(6, 4), (18, 4), (6, 12), (18, 12)], colors) {
        let found = image.pixel(scale * center.0, scale * center.1)
        #expect(zip(found, color).allSatisfy { abs($0 - $1) <= 2 }, "\(name): \(found), expected \(color)")
      }
    }
  }

  @Test
  func onlyTheFirstPictureOfSeveralIsReadAndTheRestIsTold() throws {
    for (name, words) in [
      ("animated.gif", "2 frames"), ("animated.png", "2 frames"), ("animated.webp", "2 frames"),
      ("pages.tif", "2 pages"),
    ] {
      let image = try Image(contentsOf: Self.fixtures.appendingPathComponent(name))
      #expect(image.warning?.contains(words) == true && !image.isDamaged, "\(name): \(image.warning ?? "no warning")")
    }
    for name in ["two-shots.mpo", "still.gif", "photo.heic", "turned.heic", "photo.avif", "png.ico"] {
      #expect(try Image(contentsOf: Self.fixtures.appendingPathComponent(name)).warning == nil, "\(name)")
    }
  }

  @Test
  func sixteenBitSamplesAreScaledToEight() throws {
    let values = [0, 128, 257, 32768, 65278, 65535]
    let row = values.flatMap { PictureFiles.bigEndian($0, bytes: 2) }
    let grey = try Image(encoded: PictureFiles.png(width: 6, height: 1, depth: 16, colorType: 0, rows: [row]))
    #expect(grey.channels == 1)
    #expect(grey.pixels == values.map { UInt8((Double($0) / 257).rounded()) })
    let rgb = try Image(encoded: PictureFiles.png(width: 2, height: 1, depth: 16, colorType: 2, rows: [row]))
    #expect(rgb.channels == 3 && rgb.pixels == grey.pixels)
  }

  @Test(arguments: [255, 700, 4095])
  func theLargestOfNarrowSamplesIsWhite(largest: Int) throws {
    let values = [0, largest / 2, largest]
    let expected: [UInt8] = [0, UInt8((largest / 2 * 255 + largest / 2) / largest), 255]
    let png = PictureFiles.png(
      width: 3, height: 1, depth: 16, colorType: 0, rows: [values.flatMap { PictureFiles.bigEndian($0, bytes: 2) }])
    let tiff = PictureFiles.tiff(
      width: 3, height: 1, channels: 1, bits: 16, samples: values.flatMap { PictureFiles.littleEndian($0, bytes: 2) })
    for file in [png, tiff] {
      let image = try Image(encoded: file)
      #expect(zip(image.pixels, expected).allSatisfy { abs(Int($0) - Int($1)) <= 1 }, "\(image.pixels)")
      #expect(image.warning?.contains("almost black") == true && image.warning?.contains("\(largest)") == true)
    }
  }

  @Test
  func floatingPointSamplesAreScaled() throws {
    func file(_ values: [Float]) -> Data {
      PictureFiles.tiff(
        width: values.count, height: 1, channels: 1, bits: 32,
        samples: values.flatMap { PictureFiles.littleEndian(Int($0.bitPattern), bytes: 4) }, more: [(339, 3, 3)])
    }
    let usual = try Image(encoded: file([0, 0.5, 1, -2, .nan]))
    #expect(usual.pixels == [0, 128, 255, 0, 0] && usual.warning == nil, "\(usual.pixels)")
    let large = try Image(encoded: file([0, 500, 1000]))
    #expect(large.pixels == [0, 128, 255] && large.warning?.contains("floating-point") == true, "\(large.pixels)")
    #expect(!large.isDamaged)
    let whole = PictureFiles.tiff(
      width: 2, height: 1, channels: 1, bits: 32, samples: [UInt8](repeating: 0, count: 8), more: [(339, 3, 2)])
    let error = BadPictureTests.error(whole)
    #expect(
      error?.message.contains("not read") == true && error?.message.contains("damaged") == false,
      "\(String(describing: error))")
  }

  /// Large pictures are converted some rows at a time: the largest sample of all of them is white.
  @Test func rowsOfALargePictureHaveOneScale() throws {
    let (width, height) = (2000, 5000)
    var samples = [UInt8](repeating: 0, count: width * height * 2)
    // 1,000 in the first rows, 2,000 at the end.
    for index in stride(from: 0, to: width * 100 * 2, by: 2) { (samples[index], samples[index + 1]) = (0xE8, 0x03) }
    (samples[samples.count - 2], samples[samples.count - 1]) = (0xD0, 0x07)
    let image = try Image(
      encoded: PictureFiles.tiff(width: width, height: height, channels: 1, bits: 16, samples: samples))
    #expect(image.width == width && image.height == height && image.pixels.last == 255)
    let half = image.pixels[0]
    #expect((127...128).contains(half) && image.pixels[width * 100 - 1] == half && image.pixels[width * 100] == 0)
  }

  @Test func theMemoryOfSamplesIsBounded() throws {
    let samples = [UInt8](repeating: 7, count: 8 * 6 * 3 * 4)
    let more = [(tag: 339, type: 3, value: 3)]
    let float = PictureFiles.tiff(width: 8, height: 6, channels: 3, bits: 32, samples: samples, more: more)
    let plain = PictureFiles.tiff(width: 8, height: 6, channels: 3, samples: Array(samples.prefix(8 * 6 * 3)))
    let limits = ImageLimits(sampleBytes: 8 * 6 * 12 - 1)
    #expect(try Image(encoded: plain, limits: limits).width == 8)
    #expect(try Image(encoded: float, limits: ImageLimits(sampleBytes: 8 * 6 * 12)).width == 8)
    #expect {
      try Image(encoded: float, limits: limits)
    } throws: { error in
      guard let error = error as? MienError else { return false }
      return error.kind == .limit && error.message.contains("8x6 pixels of 12 bytes") && error.message.contains("575")
    }
  }

  @Test(arguments: [15, 100, 255, 256, 4095, 65535])
  func theLargestValueOfPNMIsWhite(maximum: Int) throws {
    let bytes = maximum > 255 ? 2 : 1
    let values = [0, maximum / 2, maximum]
    let samples = values.flatMap { PictureFiles.bigEndian($0, bytes: bytes) }
    let image = try Image(encoded: Data("P5\n3 1\n\(maximum)\n".utf8) + Data(samples))
    let expected = values.map { UInt8((Double($0) * 255 / Double(maximum)).rounded()) }
    #expect(zip(image.pixels, expected).allSatisfy { abs(Int($0) - Int($1)) <= 1 }, "\(image.pixels)")
    #expect(image.pixels.first == 0 && image.pixels.last == 255)
  }

  @Test
  func pnmAsTextAndInBits() throws {
    let grey = try Image(encoded: Data("P2 # a comment\n3 2\n10\n0 5 10\n10\t5\n0\n".utf8))
    #expect(grey.pixels == [0, 128, 255, 255, 128, 0] && grey.width == 3 && grey.channels == 1)
    let color = try Image(encoded: Data("P3\n1 2\n255\n1 2 3 4 5 6".utf8))
    #expect(color.pixels == [1, 2, 3, 4, 5, 6] && color.channels == 3)
    #expect(try Image(encoded: Data("P1\n3 2\n101\n0 1 0\n".utf8)).pixels == [0, 255, 0, 255, 0, 255])
    #expect(
      try Image(encoded: Data("P4\n9 1\n".utf8) + Data([0b1010_0000, 0x80])).pixels == [0, 255, 0]
        + [UInt8](repeating: 255, count: 5) + [0])
    let map = Data("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n".utf8)
    #expect(try Image(encoded: map + Data([9, 8, 7, 255, 9, 8, 7, 0])).pixels == [9, 8, 7, 255, 255, 255])
    let cut = try Image(encoded: Data("P2\n2 3\n255\n1 2\n3 4\n5".utf8))
    #expect(cut.isDamaged && cut.pixels == [1, 2, 3, 4, 128, 128] && cut.warning?.contains("truncated") == true)
    let long = Data("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 1000\nENDHDR\n".utf8)
    #expect(try Image(encoded: long + Data([1, 0xF4, 3, 0xE8, 1, 0xF4, 0, 0])).pixels == [128, 255])
    #expect(throws: MienError.self) { try Image(encoded: Data("P2\n2 3\n255\n1".utf8)) }
    #expect(throws: MienError.self) { try Image(encoded: Data("P2\n2\n".utf8)) }
  }

  @Test
  func transparencyEverywhereIsTold() throws {
    for alpha in [0, 1] as [UInt8] {
      let row: [UInt8] = [10, 20, 30, alpha, 10, 20, 30, 0]
      let image = try Image(encoded: PictureFiles.png(width: 2, height: 1, depth: 8, colorType: 6, rows: [row]))
      #expect((image.warning?.contains("transparent") == true) == (alpha == 0))
    }
    let dark = try Image(encoded: PictureFiles.png(width: 2, height: 1, depth: 8, colorType: 0, rows: [[7, 20]]))
    #expect(dark.warning == "is almost black")
  }

  @Test
  func alphaIsCompositedOnWhite() throws {
    let row: [UInt8] = [10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 128]
    let image = try Image(encoded: PictureFiles.png(width: 3, height: 1, depth: 8, colorType: 6, rows: [row]))
    #expect(image.pixels == [10, 20, 30, 255, 255, 255, 132, 137, 142])
  }

  @Test(arguments: 1...8)
  func exifOrientationIsApplied(_ orientation: Int) throws {
    let stored = try PictureFiles.pattern(width: 5, height: 3, channels: 3)
    let upright = try stored.uprightBySlowRule(orientation)
    let rows = stride(from: 0, to: 45, by: 15).map { Array(stored.pixels[$0..<$0 + 15]) }
    for isBig in [false, true] {
      let png = PictureFiles.png(
        width: 5, height: 3, depth: 8, colorType: 2, rows: rows,
        extra: [("eXIf", PictureFiles.exif(orientation: orientation, bigEndian: isBig))])
      #expect(try Image(encoded: png) == upright)
    }
    #expect(try Image(encoded: PictureFiles.tiff(stored, orientation: orientation)) == upright, "TIFF")
    // JPEG is lossy: compare with the upright form of what it decodes to without the tag.
    let jpeg = try PictureFiles.quarters().encoded(as: .jpeg(quality: 95))
    let tagged = PictureFiles.jpeg(jpeg, exif: PictureFiles.exif(orientation: orientation))
    #expect(try Image(encoded: tagged) == Image(encoded: jpeg).uprightBySlowRule(orientation))
  }

  @Test(arguments: [0, 9, 65535])
  func aWrongOrientationIsNone(_ orientation: Int) throws {
    let jpeg = try PictureFiles.quarters().encoded(as: .jpeg(quality: 95))
    let tagged = PictureFiles.jpeg(jpeg, exif: PictureFiles.exif(orientation: orientation))
    #expect(try Image(encoded: tagged) == Image(encoded: jpeg))
  }

  @Test
  func contentDecidesNotTheNameWritingGoesByTheName() throws {
    let folder = try TemporaryFolder()
    let image = try PictureFiles.pattern(width: 7, height: 5, channels: 3)
    let url = folder.url.appendingPathComponent("picture.jpg")
    try image.encoded(as: .png).write(to: url)
    #expect(try Image(contentsOf: url) == image)
    let png = folder.url.appendingPathComponent("Picture.PNG")
    try image.write(to: png)
    #expect(try Image(contentsOf: png) == image)
    #expect(throws: MienError.self) { try image.write(to: folder.url.appendingPathComponent("picture.txt")) }
    #expect(throws: MienError.self) { try image.write(to: folder.url.appendingPathComponent("no/such/picture.png")) }
  }

  @Test
  func aPictureInMemoryMustHaveAsManySamplesAsItsSidesSay() {
    #expect(throws: MienError.self) { try Image(width: 2, height: 2, channels: 1, pixels: [1, 2, 3]) }
    #expect(throws: MienError.self) { try Image(width: 0, height: 2, channels: 1, pixels: []) }
    #expect(throws: MienError.self) { try Image(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 4]) }
    let side = Int(Int32.max)
    #expect(throws: MienError.self) { try Image(width: side, height: side, channels: 3, pixels: []) }
    #expect(throws: MienError.self) { try Image(width: .max, height: .max, channels: 3, pixels: []) }
  }
}
