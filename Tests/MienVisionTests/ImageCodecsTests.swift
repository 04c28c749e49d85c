import CImageCodecs
import Foundation
import MienCore
import MienVision
import Testing

/// The decoders' C functions: what a caller in any language gets for wrong arguments and for a library that is missing.
@Suite struct ImageCodecsTests {
  private typealias Decoder = (
    UnsafePointer<UInt8>?, Int, UnsafePointer<mien_image_limits>?, UnsafeMutablePointer<mien_image>?,
    UnsafeMutablePointer<CChar>?
  ) -> Int32

  private static var decoders: [Decoder] {
    [
      { mien_image_decode_jpeg($0, $1, $2, $3, $4) }, { mien_image_decode_png($0, $1, $2, 0, $3, $4) },
      { mien_image_decode_gif($0, $1, $2, $3, $4) },
      { mien_image_decode_heif("libheif.so.1", $0, $1, $2, $3, $4) },
    ]
  }

  private static func words(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test func wrongArgumentsAreInvalid() {
    var limits = mien_image_limits(
      pixels: 100, decoded_pixels: 100, whole_pixels: 100, whole_bytes: 100, held_bytes: 100, go_on: nil,
      go_on_context: nil)
    var none = mien_image_limits(
      pixels: 0, decoded_pixels: 100, whole_pixels: 100, whole_bytes: 100, held_bytes: 100, go_on: nil,
      go_on_context: nil)
    var image = mien_image()
    var message = [CChar](repeating: 0, count: Int(MIEN_IMAGE_MESSAGE))
    let bytes = [UInt8](repeating: 0, count: 8)
    for decode in Self.decoders {
      #expect(decode(nil, 8, &limits, &image, &message) == MIEN_IMAGE_INVALID && !Self.words(message).isEmpty)
      #expect(decode(bytes, 0, &limits, &image, nil) == MIEN_IMAGE_INVALID)
      #expect(decode(bytes, 8, nil, &image, nil) == MIEN_IMAGE_INVALID)
      #expect(decode(bytes, 8, &limits, nil, nil) == MIEN_IMAGE_INVALID)
      #expect(decode(bytes, 8, &none, &image, nil) == MIEN_IMAGE_INVALID)
      #expect(decode(bytes, 8, &limits, &image, &message) == MIEN_IMAGE_DAMAGED && !Self.words(message).isEmpty)
      #expect(image.pixels == nil && image.exif == nil)
      mien_image_free(&image)
    }
    mien_image_free(nil)
    #expect(mien_image_decode_heif(nil, bytes, 8, &limits, &image, nil) == MIEN_IMAGE_INVALID)
  }

  @Test func aMissingLibraryIsToldFromADamagedFile() throws {
    var limits = mien_image_limits(
      pixels: 1000, decoded_pixels: 1000, whole_pixels: 1000, whole_bytes: 1000, held_bytes: 1000, go_on: nil,
      go_on_context: nil)
    var image = mien_image()
    let file = [UInt8](try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("photo.heic")))
    let missing = mien_image_decode_heif("libheif-is-not-here.so.1", file, file.count, &limits, &image, nil)
    #expect(missing == MIEN_IMAGE_MISSING)
    // A library of another kind has none of its functions.
    #expect(mien_image_decode_heif("libc.so.6", file, file.count, &limits, &image, nil) == MIEN_IMAGE_MISSING)
    #expect(mien_image_decode_heif("libheif.so.1", file, file.count, &limits, &image, nil) == MIEN_IMAGE_OK)
    #expect(image.width == 24 && image.height == 16)
    mien_image_free(&image)
  }

  @Test func sizesAreAskedOfTheHeader() throws {
    for name in ["photo.heic", "photo.avif", "still.gif", "progressive.jpg", "palette.png", "plain.tga", "photo.jp2"] {
      let url = DecodingTests.fixtures.appendingPathComponent(name)
      let limits = ImageLimits(maxPixels: 24 * 16 - 1)
      let error = #expect(throws: MienError.self) { try Image(contentsOf: url, limits: limits) }
      #expect(error?.kind == .limit && error?.subject == url.path, "\(name): \(error?.message ?? "")")
      _ = try Image(contentsOf: url, limits: ImageLimits(maxPixels: 24 * 16))
    }
  }

  /// All its coefficients, or its samples, are in memory at a time.
  @Test(arguments: ["progressive.jpg", "interlaced.png"])
  func decodingStopsWhereAPictureWouldHoldTooMuch(name: String) throws {
    let url = DecodingTests.fixtures.appendingPathComponent(name)
    var limits = ImageLimits.default
    limits.heldBytes = 500
    #expect(throws: CancellationError.self) { try Image(contentsOf: url, limits: limits) }
    limits.heldBytes = 10_000_000
    #expect(try Image(contentsOf: url, limits: limits) == Image(contentsOf: url))
    // What is larger than pictures may be is refused all the same.
    (limits.heldBytes, limits.maxPixels) = (500, 100)
    let error = try #require(throws: MienError.self) { try Image(contentsOf: url, limits: limits) }
    #expect(error.kind == .limit && error.subject == url.path, "\(error)")
  }

  @Test(arguments: ["progressive.jpg", "palette.png", "interlaced.png", "still.gif"])
  func decodingEndsWhenNobodyWantsThePicture(name: String) throws {
    let file = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent(name))
    var asked = 0
    _ = try Image(encoded: file, limits: .default) {
      asked += 1
      return false
    }
    // Before, and at least once on the way.
    try #require(asked > 1)
    for most in [0, 1, asked - 1] {
      var left = most
      #expect(throws: CancellationError.self) {
        try Image(encoded: file, limits: .default) {
          left -= 1
          return left < 0
        }
      }
    }
  }
}

/// Kinds of file that no encoder at hand writes, made byte by byte.
@Suite struct RareFormatTests {
  // MARK: - GIF

  /// A GIF without compression: a clear code before every pair of pixels keeps codes at three bits.
  private static func gif(
    canvas: (width: Int, height: Int), frames: [(x: Int, y: Int, width: Int, height: Int, indices: [Int])],
    transparent: Int? = nil
  ) -> Data {
    // Two bits for a pixel: black, red, green, blue.
    let palette: [UInt8] = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
    var file = Array("GIF89a".utf8) + [canvas.width, canvas.height].flatMap { PictureFiles.littleEndian($0, bytes: 2) }
    file += [0x81, 0, 0] + palette
    for frame in frames {
      if let transparent { file += [0x21, 0xF9, 4, 1, 0, 0, UInt8(transparent), 0] }
      let place = [frame.x, frame.y, frame.width, frame.height].flatMap { PictureFiles.littleEndian($0, bytes: 2) }
      file += [0x2C] + place + [0, 2]
      var (bits, count, data) = (0, 0, [UInt8]())
      let codes = frame.indices.enumerated().flatMap { $0.offset % 2 == 0 ? [4, $0.element] : [$0.element] } + [5]
      for code in codes {
        bits |= code << count
        count += 3
        while count >= 8 {
          data.append(UInt8(bits & 255))
          bits >>= 8
          count -= 8
        }
      }
      data.append(UInt8(bits))
      for block in stride(from: 0, to: data.count, by: 20).map({ data[$0..<min($0 + 20, data.count)] }) {
        file += [UInt8(block.count)] + block
      }
      file.append(0)
    }
    return Data(file + [0x3B])
  }

  @Test func aGIFsFirstFrameLiesOnItsCanvas() throws {
    let file = Self.gif(
      canvas: (4, 3),
      frames: [
        (x: 1, y: 1, width: 2, height: 2, indices: [1, 2, 3, 0]), (x: 0, y: 0, width: 1, height: 1, indices: [1]),
      ],
      transparent: 3)
    let image = try Image(encoded: file)
    #expect(image.width == 4 && image.height == 3 && image.channels == 3)
    #expect(image.pixel(1, 1) == [255, 0, 0] && image.pixel(2, 1) == [0, 255, 0] && image.pixel(2, 2) == [0, 0, 0])
    // The transparent pixel and what lies beside the frame are white.
    #expect(image.pixel(1, 2) == [255, 255, 255] && image.pixel(0, 0) == [255, 255, 255])
    #expect(image.warning?.contains("2 frames") == true)
  }

  @Test func theCanvasHoldsTheFirstFrameAsInBrowsers() throws {
    let frames = [(x: 1, y: 1, width: 3, height: 2, indices: [Int](repeating: 2, count: 6))]
    for canvas in [(2, 2), (2, 5), (0, 0)] {
      let image = try Image(encoded: Self.gif(canvas: canvas, frames: frames))
      try #require(image.width == 4 && image.height == max(3, canvas.1) && !image.isDamaged)
      #expect(image.pixel(3, 2) == [0, 255, 0] && image.pixel(0, 1) == [255, 255, 255])
    }
  }

  @Test func aFrameFarBeyondTheCanvasIsRefused() {
    let file = Self.gif(canvas: (2, 2), frames: [(0, 0, 20_000, 20_000, [1, 2, 3, 0])])
    let error = #expect(throws: MienError.self) { try Image(encoded: file) }
    #expect(error?.kind == .limit && error?.message.contains("20000x20000") == true, "\(error?.message ?? "")")
  }

  @Test func ofACutGIFTheRestIsRead() throws {
    let frames = [(x: 0, y: 0, width: 4, height: 40, indices: [Int](repeating: 1, count: 160))]
    let file = Self.gif(canvas: (4, 40), frames: frames)
    let image = try Image(encoded: file.prefix(file.count / 2))
    #expect(image.isDamaged && image.pixel(0, 2) == [255, 0, 0] && image.warning?.contains("truncated") == true)
    #expect(throws: MienError.self) { try Image(encoded: Self.gif(canvas: (4, 4), frames: [])) }
  }

  @Test func ofACutInterlacedPictureACoarseOneIsLeft() throws {
    // Seven passes of a PNG, four of a GIF; the last holds half of the rows.
    for name in ["interlaced.png", "interlaced.gif"] {
      let file = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent(name))
      let whole = try Image(encoded: file)
      let image = try Image(encoded: file.prefix(file.count * 7 / 10))
      #expect(
        image.isDamaged && image.warning?.contains("coarser") == true, "\(name): \(image.warning ?? "no warning")")
      let difference = zip(image.pixels, whole.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
      #expect(difference / whole.pixels.count < 20 && image.pixels != whole.pixels, "\(name): \(difference)")
    }
  }

  // MARK: - WebP

  @Test func anAnimatedWebPsFrameLiesOnItsCanvas() throws {
    let lossy = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("lossy.webp"))
    let picture = Data(lossy.dropFirst(12))
    func chunk(_ name: String, _ data: Data) -> Data {
      Data(name.utf8) + Data(PictureFiles.littleEndian(data.count, bytes: 4)) + data
    }
    func file(x: Int, y: Int, width: Int, height: Int) -> Data {
      func sizes(_ values: [Int]) -> Data { Data(values.flatMap { PictureFiles.littleEndian($0, bytes: 3) }) }
      let canvas = chunk("VP8X", Data([2, 0, 0, 0]) + sizes([width - 1, height - 1]))
      let frame = chunk("ANMF", sizes([x / 2, y / 2, 23, 15, 100]) + Data([0]) + picture)
      let body = Data("WEBP".utf8) + canvas + chunk("ANIM", Data(count: 6)) + frame + frame
      return Data("RIFF".utf8) + Data(PictureFiles.littleEndian(body.count, bytes: 4)) + body
    }
    let still = try Image(encoded: lossy)
    let filling = try Image(encoded: file(x: 0, y: 0, width: 24, height: 16))
    #expect(filling.pixels == still.pixels && filling.warning?.contains("2 frames") == true)
    let placed = try Image(encoded: file(x: 4, y: 2, width: 30, height: 20))
    #expect(
      placed.width == 30 && placed.pixel(4, 2) == still.pixel(0, 0) && placed.pixel(27, 17) == still.pixel(23, 15))
    #expect(placed.pixel(3, 2) == [255, 255, 255] && placed.pixel(28, 17) == [255, 255, 255])
    // What lies outside the canvas is left out.
    let cut = try Image(encoded: file(x: 10, y: 10, width: 20, height: 12))
    #expect(cut.width == 20 && cut.pixel(19, 11) == still.pixel(9, 1))
  }

  // MARK: - Icons and TGA

  @Test func anIconsMaskIsWhite() throws {
    // 2 x 1 pixels of four bits; the second is masked.
    let sizes: [UInt8] = [40, 2, 2].flatMap { PictureFiles.littleEndian($0, bytes: 4) }
    let fields: [UInt8] = sizes + [1, 0, 4, 0] + [UInt8](repeating: 0, count: 24)
    var palette = [UInt8](repeating: 0, count: 64)
    palette.replaceSubrange(4..<8, with: [30, 20, 10, 0])
    let bitmap: [UInt8] = fields + palette + [0x11, 0, 0, 0, 0x40, 0, 0, 0]
    var file: [UInt8] = [0, 0, 1, 0, 1, 0, 2, 1, 16, 0, 1, 0, 4, 0]
    file += PictureFiles.littleEndian(bitmap.count, bytes: 4)
    file += PictureFiles.littleEndian(22, bytes: 4)
    let image = try Image(encoded: Data(file + bitmap))
    #expect(image.width == 2 && image.height == 1)
    #expect(image.pixels == [10, 20, 30, 255, 255, 255])
  }

  /// A TGA of 3 x 2 pixels.
  private static func tga(kind: UInt8, bits: UInt8, descriptor: UInt8, data: [UInt8]) -> Data {
    Data([0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 0, bits, descriptor] + data)
  }

  @Test func targaRowsMayRunEitherWay() throws {
    let grey: [UInt8] = [1, 2, 3, 4, 5, 6]
    for (descriptor, expected) in [
      (0x20, [1, 2, 3, 4, 5, 6]), (0, [4, 5, 6, 1, 2, 3]), (0x30, [3, 2, 1, 6, 5, 4]), (0x10, [6, 5, 4, 3, 2, 1]),
    ] as [(UInt8, [UInt8])] {
      #expect(try Image(encoded: Self.tga(kind: 3, bits: 8, descriptor: descriptor, data: grey)).pixels == expected)
    }
    // Run-length coded: three equal ones, three different ones.
    let coded = Self.tga(kind: 11, bits: 8, descriptor: 0x20, data: [0x82, 9, 0x02, 4, 5, 6])
    #expect(try Image(encoded: coded).pixels == [9, 9, 9, 4, 5, 6])
    let narrow = [UInt8](repeating: 0, count: 10) + [0x1F, 0x7C]
    #expect(
      try Image(encoded: Self.tga(kind: 2, bits: 16, descriptor: 0x20, data: narrow)).pixel(2, 1) == [255, 0, 255])
    let cut = try Image(encoded: Self.tga(kind: 3, bits: 8, descriptor: 0x20, data: [1, 2, 3, 4]))
    #expect(cut.isDamaged && cut.pixels == [1, 2, 3, 4, 128, 128])
    // Rows of a colour with alpha, the second over white, stored from the bottom and the right on.
    let opaque: [UInt8] = [30, 20, 10, 255, 3, 2, 1, 0]
    let turned = Self.tga(kind: 10, bits: 32, descriptor: 0x18, data: [0x01] + opaque + [0x83] + opaque[..<4])
    #expect(
      try Image(encoded: turned).pixels
        == [UInt8](
          [[10, 20, 30], [10, 20, 30], [10, 20, 30], [10, 20, 30], [255, 255, 255], [10, 20, 30]].joined()))
    // A packet that goes on after the last pixel, and one that ends before its first.
    #expect(
      try Image(encoded: Self.tga(kind: 11, bits: 8, descriptor: 0x20, data: [0xFF, 7])).pixels
        == [UInt8](repeating: 7, count: 6))
    #expect(try Image(encoded: Self.tga(kind: 11, bits: 8, descriptor: 0x20, data: [0x83, 7, 0x83])).isDamaged)
  }

  @Test func aTargaOfWhichNoRowCanBeThereIsTruncated() {
    for kind in [2, 10] as [UInt8] {
      let file = Self.tga(kind: kind, bits: 24, descriptor: 0x20, data: [0x82, 1])
      #expect(BadPictureTests.error(file)?.message.contains("truncated TGA") == true)
    }
  }

  @Test func decodingOfATargaEndsWhenNobodyWantsIt() throws {
    let file = Self.tga(kind: 3, bits: 8, descriptor: 0x20, data: [1, 2, 3, 4, 5, 6])
    try BadPictureTests.expectStop(file)
    #expect(BadPictureTests.error(file, limits: ImageLimits(sampleBytes: 5))?.kind == .limit)
  }

  // MARK: - TIFF

  @Test func aTIFFWithAbsurdListsIsRefusedAtOnce() throws {
    // 32 million entries of the type BYTE where a picture of this height has room for two.
    let image = try PictureFiles.pattern(width: 4, height: 2, channels: 1)
    var file = PictureFiles.tiff(image)
    let directory = Int(file[4]) | Int(file[5]) << 8
    for entry in stride(from: directory + 2, to: file.count - 4, by: 12)
    where [0x11, 0x17].contains(file[entry]) && file[entry + 1] == 1 {
      file.replaceSubrange((entry + 2)..<(entry + 12), with: [1, 0, 0, 0, 0, 2, 8, 0, 0, 0])
    }
    file += Data(count: 34_000_000)
    let clock = ContinuousClock()
    let time = clock.measure { _ = try? Image(encoded: file) }
    // It was half a minute; the rest is what copying the file takes on a busy machine.
    #expect(time < .seconds(5), "\(time)")
  }

  /// libtiff copies the values of each tag.
  @Test func tagsThatShareTheirValuesAreLimited() throws {
    func file(_ count: Int) throws -> Data {
      let image = try PictureFiles.pattern(width: 4, height: 2, channels: 1)
      var file = PictureFiles.tiff(
        width: 4, height: 2, channels: 1, samples: image.pixels, more: (0..<count).map { (40_000 + $0, 1, 8) })
      let directory = Int(file[4]) | Int(file[5]) << 8
      for entry in stride(from: directory + 2, to: file.count - 4, by: 12) where file[entry + 1] == 0x9C {
        file.replaceSubrange(
          (entry + 4)..<(entry + 12), with: PictureFiles.littleEndian(200_000, bytes: 4) + [8, 0, 0, 0])
      }
      return file + Data(count: 200_000)
    }
    let error = BadPictureTests.error(try file(20))
    #expect(error?.kind == .limit && error?.message.contains("4,000,000 bytes") == true, "\(error?.message ?? "")")
    #expect(throws: Never.self) { try Image(encoded: file(3)) }
  }

  /// A grey TIFF of one strip that is said to be compressed as JPEG, with some entries' values and counts changed.
  private static func jpegTIFF(side: Int, data: [UInt8], _ changes: [Int: (count: Int, value: Int)] = [:]) -> Data {
    var file = PictureFiles.tiff(width: side, height: side, channels: 1, samples: data)
    let directory = Int(file[4]) | Int(file[5]) << 8 | Int(file[6]) << 16
    for entry in stride(from: directory + 2, to: file.count - 4, by: 12) {
      let tag = Int(file[entry]) | Int(file[entry + 1]) << 8
      if tag == 259 { file[entry + 8] = 7 }
      guard let change = changes[tag] else { continue }
      file.replaceSubrange((entry + 4)..<(entry + 8), with: PictureFiles.littleEndian(change.count, bytes: 4))
      file.replaceSubrange((entry + 8)..<(entry + 12), with: PictureFiles.littleEndian(change.value, bytes: 4))
    }
    return file
  }

  /// Parts that are compressed as JPEG may have scans that pass over all of their pixels and have next to no bytes.
  @Test func scansInATIFFAreLimited() {
    func file(scans: Int) -> Data {
      Self.jpegTIFF(side: 8000, data: (0..<2 * scans).map { $0 % 2 == 0 ? 0xFF : 0xDA })
    }
    let error = BadPictureTests.error(file(scans: 50))
    #expect(error?.kind == .limit && error?.message.contains("million samples") == true, "\(error?.message ?? "")")
    #expect(BadPictureTests.error(file(scans: 40))?.kind == .format)
  }

  @Test func jpegStripsOfTheSameDataAreLimited() {
    func file(bytes: Int) -> Data {
      // 100 strips of a row, all of which begin at byte 8.
      var data = [UInt8](repeating: 0, count: bytes)
      for _ in 0..<100 { data += PictureFiles.littleEndian(8, bytes: 4) }
      for _ in 0..<100 { data += PictureFiles.littleEndian(bytes, bytes: 4) }
      return Self.jpegTIFF(
        side: 100, data: data, [273: (100, 8 + bytes), 278: (1, 1), 279: (100, 8 + bytes + 400)])
    }
    #expect(BadPictureTests.error(file(bytes: 400_000))?.kind == .limit)
    #expect(BadPictureTests.error(file(bytes: 40_000))?.kind == .format)
  }

  /// A tile of a picture of 4x2 pixels took 3.6 GB.
  @Test(arguments: [4, 9]) func aTileFarLargerThanThePictureIsRefused(type: Int) throws {
    func error(side: Int) throws -> MienError? {
      let tags = [(tag: 322, type: type, value: side), (323, type, side), (324, 4, 8), (325, 4, 8)]
      let file = PictureFiles.tiff(
        width: 4, height: 2, channels: 1, samples: [UInt8](repeating: 9, count: 8), more: tags)
      do { _ = try Image(encoded: file) } catch let error as MienError { return error }
      return nil
    }
    // SLONG (9) is none of TIFF's types for it, and is read all the same.
    let large = try error(side: 30_000)
    #expect(large?.kind == .limit && large?.message.contains("tiles") == true, "\(large?.message ?? "")")
    if type == 4 { #expect(try error(side: 16)?.kind != .limit) }
  }

  @Test func aCamerasRawPhotoIsNamed() throws {
    let image = try PictureFiles.pattern(width: 4, height: 2, channels: 1)
    let raw = PictureFiles.tiff(
      width: 4, height: 2, channels: 1, samples: image.pixels, more: [(254, 4, 1), (50706, 3, 1)])
    #expect(BadPictureTests.error(raw)?.message.contains("raw photo") == true)
    // A picture that is a smaller version of another, without more, is a picture.
    let small = PictureFiles.tiff(width: 4, height: 2, channels: 1, samples: image.pixels, more: [(254, 4, 1)])
    #expect(try Image(encoded: small) == image)
  }

  @Test(.timeLimit(.minutes(1))) func directoriesThatRunInCirclesEnd() throws {
    let image = try PictureFiles.pattern(width: 4, height: 2, channels: 1)
    var file = PictureFiles.tiff(image)
    // The directory after the first is the first.
    file.replaceSubrange((file.count - 4)..<file.count, with: file[4..<8])
    #expect(try Image(encoded: file) == image)
  }

  /// A file of a page whose directory is followed by `directories`, given where they begin.
  private static func pages(_ directories: (_ start: Int) -> [UInt8]) throws -> Data {
    var file = PictureFiles.tiff(try PictureFiles.pattern(width: 4, height: 2, channels: 1))
    file.replaceSubrange((file.count - 4)..<file.count, with: PictureFiles.littleEndian(file.count, bytes: 4))
    return file + directories(file.count)
  }

  @Test func manyPagesAreCounted() throws {
    // One entry: the width is 4.
    let entry: [UInt8] = [1, 0, 0, 1, 4, 0, 1, 0, 0, 0, 4, 0, 0, 0]
    let file = try Self.pages { start in
      (1...300).reduce(into: [UInt8]()) { bytes, page in
        bytes += entry + PictureFiles.littleEndian(page < 300 ? start + 18 * page : 0, bytes: 4)
      }
    }
    #expect(try Image(encoded: file).warning?.contains("301 pages") == true)
  }

  /// Directories of 65,535 entries, all in a megabyte, took half a minute to go through.
  @Test func directoriesThatLieOverEachOtherAreNoPages() throws {
    let (count, entries) = (300, 1000)
    let file = try Self.pages { start in
      // Each begins an entry after the one before; how many entries it has stands in that one's value.
      let number: [UInt8] = PictureFiles.littleEndian(entries, bytes: 2)
      var bytes = number
      for _ in 0..<entries { bytes += [0, 1, 4, 0, 1, 0, 0, 0, 4, 0] + number }
      for next in 1...count {
        bytes += PictureFiles.littleEndian(next < count ? start + 12 * next : 0, bytes: 4)
        bytes += [UInt8](repeating: 0, count: 8)
      }
      return bytes
    }
    let image = try Image(encoded: file)
    #expect(image.width == 4 && image.warning?.contains("\(count + 1)") != true)
  }
}
