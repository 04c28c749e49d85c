import Foundation
import Glibc
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct BadPictureTests {
  /// The error of decoding `data`; a test failure where there is none.
  static func error(_ data: Data, limits: ImageLimits = .default) -> MienError? {
    #expect(throws: MienError.self) { try Image(encoded: data, limits: limits) }
  }

  @Test
  func everyTruncationOfEveryFormatIsAnErrorOrAPictureThatSaysSo() throws {
    let image = try PictureFiles.pattern(width: 9, height: 6, channels: 3)
    let fixtures = try [
      "lossy.webp", "alpha.webp", "animated.webp", "progressive.jpg", "lzw.tif", "big.tif", "palette.png", "still.gif",
      "animated.gif", "coded.tga", "palette.tga", "png.ico", "bitmap.ico", "photo.heic", "photo.avif",
    ].map { try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent($0)) }
    let jpeg = try image.encoded(as: .jpeg(quality: 90))
    let made: [Data] = [
      try image.encoded(as: .png), jpeg, PictureFiles.bmp(image), PictureFiles.pnm(image), PictureFiles.tiff(image),
      PictureFiles.jpeg(jpeg, exif: PictureFiles.exif(orientation: 6)),
    ]
    for file in made + fixtures {
      let whole = try Image(encoded: file)
      for length in 0..<file.count {
        // Bytes after the last that counts may be missing: an end marker, the next-directory field of a TIFF, a mask.
        guard let read = try? Image(encoded: file.prefix(length)), !read.isDamaged else { continue }
        #expect(read.pixels == whole.pixels, "\(length) of \(file.count) bytes")
      }
    }
  }

  @Test
  func damagedBytesAreAnErrorOrAPictureWithinTheLimit() throws {
    let image = try PictureFiles.pattern(width: 9, height: 6, channels: 3)
    var random = SeededRandom(seed: 7)
    let fixtures = try FileManager.default.contentsOfDirectory(atPath: DecodingTests.fixtures.path)
      .filter { !$0.hasSuffix(".json") }.sorted()
      .map { try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent($0)) }
    let files: [Data] = [
      try image.encoded(as: .png), try image.encoded(as: .jpeg(quality: 90)), PictureFiles.tiff(image),
      PictureFiles.bmp(image), PictureFiles.pnm(image),
    ]
    let maxPixels = 1_000_000
    for file in files + fixtures {
      for _ in 0..<200 {
        var damaged = file
        let index = Int.random(in: 0..<file.count, using: &random)
        damaged[index] = UInt8.random(in: 0...255, using: &random)
        let read = try? Image(encoded: damaged, limits: ImageLimits(maxPixels: maxPixels))
        #expect(read.map { $0.wholeWidth * $0.wholeHeight <= maxPixels } ?? true)
      }
    }
  }

  @Test
  func a30000X30000PNGIsRefusedForTheSizeItsHeaderGives() throws {
    let file = PictureFiles.png(width: 30_000, height: 30_000, depth: 8, colorType: 2, rows: [[0, 0, 0]])
    let error = try #require(Self.error(file))
    #expect(error.kind == .limit)
    #expect(error.message.contains("30000x30000"), "\(error)")
    let overflow = PictureFiles.png(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, depth: 8, colorType: 2, rows: [[]])
    #expect(Self.error(overflow)?.kind == .limit)
  }

  @Test(arguments: [UInt8(0), 0x02, 0xBF])
  func aJPEGHidesNoSizeBehindWhatIsNoMarker(code: UInt8) throws {
    let small = try PictureFiles.pattern(width: 9, height: 6, channels: 1).encoded(as: .jpeg(quality: 90))
    let flat = try Image(width: 1200, height: 1000, channels: 1, pixels: [UInt8](repeating: 128, count: 1_200_000))
    let large = try flat.encoded(as: .jpeg(quality: 90)).dropFirst(2)
    // A reader of segments passes over the large picture; a reader of markers decodes it.
    var file = Data([0xFF, 0xD8, 0xFF, code])
    file += PictureFiles.bigEndian(large.count + 2, bytes: 2)
    file += large
    file += small.dropFirst(2)
    // The decoder's own reading of the header counts, so what it would decode is what is refused.
    #expect([.limit, .format].contains(Self.error(file, limits: ImageLimits(maxPixels: 1_000_000))?.kind))
    let read = try? Image(encoded: file)
    #expect(read.map { $0.width == 1200 } ?? true)
    // A marker may have any number of fill bytes before it.
    var filled = Data([0xFF, 0xD8, 0xFF, 0xFF])
    filled += small.dropFirst(2)
    #expect(try Image(encoded: filled) == Image(encoded: small))
  }

  @Test
  func aWebPsSizeIsThatOfItsFirstChunk() throws {
    func file(_ chunks: Data) -> Data {
      var file = Data("RIFF".utf8)
      file += PictureFiles.littleEndian(chunks.count + 4, bytes: 4)
      file += Data("WEBP".utf8)
      return file + chunks
    }
    func chunk(_ name: String, _ data: Data) -> Data {
      var chunk = Data(name.utf8)
      chunk += PictureFiles.littleEndian(data.count, bytes: 4)
      return chunk + data
    }
    func canvas(_ width: Int, _ height: Int) -> Data {
      var data = Data(count: 4)
      for side in [width, height] { data += PictureFiles.littleEndian(side - 1, bytes: 3) }
      return chunk("VP8X", data)
    }
    let lossy = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("lossy.webp"))
    let picture = Data(lossy.dropFirst(12))
    let limits = ImageLimits(maxPixels: 24 * 16 - 1)
    let extended = file(canvas(24, 16) + picture)
    #expect(try Image(encoded: extended) == Image(encoded: lossy))
    #expect(Self.error(extended, limits: limits)?.kind == .limit)
    #expect(Self.error(file(picture + canvas(1, 1)), limits: limits)?.kind == .limit)

    // Without a chunk around it, a picture's bytes 4..<8 pass for its length, and a small one may stand behind.
    let bare = Data(picture.dropFirst(8))
    let length = bare[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let padding = Data(count: 8 + length + length % 2 - bare.count)
    let hidden = file(bare + padding + chunk("VP8 ", Data([0, 0, 0, 0x9D, 0x01, 0x2A, 1, 0, 1, 0])))
    #expect(Self.error(hidden, limits: limits)?.message.contains("first chunk") == true)
  }

  @Test
  func aTIFFInWhichATagStandsTwiceIsRefused() throws {
    let image = try PictureFiles.pattern(width: 10, height: 6, channels: 1)
    var file = PictureFiles.tiff(image)
    // After the width, of 4 bytes and 12 with the rest of its entry, another that says 1.
    let directory = 8 + image.pixels.count
    let fields: [(value: Int, bytes: Int)] = [(256, 2), (4, 2), (1, 4), (1, 4)]
    let entry = fields.flatMap { PictureFiles.littleEndian($0.value, bytes: $0.bytes) }
    file.insert(contentsOf: entry, at: directory + 2 + 12)
    file[directory] += 1
    #expect(Self.error(file, limits: ImageLimits(maxPixels: 59))?.kind == .limit)
  }

  @Test(arguments: ["P1", "P3", "P4", "P6"])
  func aPNMWithoutARowIsTruncated(kind: String) {
    let file =
      Data("\(kind)\n100000000 1\n\(["P3", "P6"].contains(kind) ? "255\n" : "")".utf8) + Data(repeating: 49, count: 60)
    #expect(Self.error(file)?.message.contains("truncated PNM") == true)
  }

  @Test
  func theSamplesOfAPNMAreLimited() throws {
    let file = PictureFiles.pnm(try PictureFiles.pattern(width: 10, height: 10, channels: 3))
    _ = try Image(encoded: file, limits: ImageLimits(sampleBytes: 300))
    #expect(Self.error(file, limits: ImageLimits(sampleBytes: 299))?.kind == .limit)
  }

  @Test
  func decodingOfAPNMEndsWhenNobodyWantsIt() throws {
    let file = PictureFiles.pnm(try PictureFiles.pattern(width: 10, height: 10, channels: 3))
    try Self.expectStop(file)
  }

  /// Expects decoding to end if `shouldStop` says so only after it began.
  static func expectStop(_ file: Data) throws {
    var asked = 0
    #expect(throws: CancellationError.self) {
      try Image(encoded: file, limits: .default) {
        asked += 1
        return asked > 1
      }
    }
  }

  @Test
  func bothLimitsHold() throws {
    let file = try PictureFiles.pattern(width: 10, height: 10, channels: 1).encoded(as: .png)
    _ = try Image(encoded: file, limits: ImageLimits(maxPixels: 100, maxFileBytes: file.count))
    #expect(Self.error(file, limits: ImageLimits(maxPixels: 99))?.kind == .limit)
    #expect(Self.error(file, limits: ImageLimits(maxFileBytes: file.count - 1))?.kind == .limit)
  }

  @Test(arguments: [
    ("", "is empty"), ("just some words\n", "found text"), ("<!DOCTYPE html><html></html>", "a web page"),
    ("<?xml version=\"1.0\"?><svg></svg>", "SVG"), ("%PDF-1.7", "pdftoppm"), ("GIF89a\0\0\0", "truncated GIF"),
    ("\0\0\0\u{18}ftypheic\0\0\0\0mif1heic", "HEIC"), ("\0\0\0\u{18}ftypmif1\0\0\0\0mif1avif", "AVIF"),
    ("\0\0\0\u{18}ftypcrx \0\0\0\0crx isom", "raw photo"), ("\0\0\0\u{0C}JXL \r\n\u{87}\n", "djxl"),
    ("\0\0\0\u{18}ftypisom\0\0\0\0isomavc1", "mien video"), ("II+\0\0\0", "truncated TIFF"),
    ("/9j/4AAQSkZJRgABAQAAAQABAAD/", "base64 -d"),
    ("data:image/png;base64,iVBORw0KGgo", "base64"),
    ("P2 and P3 are kinds of picture, said the text", "found text"),
    ("8BPS\0\u{1}", "Photoshop"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ("\u{1}\u{2}\u{3}", "unknown kind"),
  ])
  func whatTheFileIsAndHowToConvertIt(content: String, expected: String) throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("renamed.jpg")
    try Data(content.utf8).write(to: url)
    let error = #expect(throws: MienError.self) { try Image(contentsOf: url) }
    #expect(error?.subject == url.path)
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    #expect(error?.kind == .format)
  }

  @Test
  func pathsThatAreNoReadableFiles() throws {
    let folder = try TemporaryFolder()
    func problem(_ path: String) -> String {
      let error = #expect(throws: MienError.self) { try Image(contentsOf: URL(fileURLWithPath: path)) }
      #expect(error?.subject == path)
      return error?.message ?? ""
    }
    #expect(problem(folder.url.path + "/missing.png") == "no such file")
    #expect(problem(folder.url.path).contains("folder"))
    #expect(problem("/dev/zero").contains("regular file"))
  }

  @Test(.enabled(if: geteuid() != 0, "root reads everything"))
  func aFileWithoutPermissionSaysSo() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("secret.png")
    try PictureFiles.pattern(width: 2, height: 2, channels: 1).write(to: url)
    chmod(url.path, 0)
    let error = #expect(throws: MienError.self) { try Image(contentsOf: url) }
    #expect(error?.message.contains("may not be read") == true)
  }

  /// The main header alone asks for what a decoder allocates.
  @Test(arguments: [
    // Code blocks of 4x4, precincts of 1x1, and 65,535 layers of small precincts.
    ([0, 0, 0, 1, 1, 0, 0, 0, 0, 1], true), ([1, 0, 0, 1, 1, 0, 4, 4, 0, 1, 0x00], true),
    ([1, 0, 0xFF, 0xFF, 1, 0, 4, 4, 0, 1, 0x66], true), ([0, 0, 0, 1, 1, 5, 4, 4, 0, 1], false),
  ])
  func jpeg2000InTinyPartsIsRefused(coding: [UInt8], isRefused: Bool) {
    let side: [UInt8] = [0, 0, 0x0B, 0xB8]
    let sizes = side + side + [UInt8](repeating: 0, count: 8)
    let components: [UInt8] = [0, 3] + [7, 1, 1, 7, 1, 1, 7, 1, 1]
    var file: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51, 0, 47, 0, 0] + sizes + sizes + components
    file += [0xFF, 0x52, 0, UInt8(2 + coding.count)] + coding + [0xFF, 0x5C, 0, 4, 0x40, 0x40]
    file += [0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 17, 0, 1, 0xFF, 0x93, 0, 0, 0, 0xFF, 0xD9]
    var refusal: MienError?
    do { _ = try Image(encoded: Data(file), limits: ImageLimits(sampleBytes: 400_000_000)) } catch {
      refusal = error as? MienError
    }
    let isLimit = refusal?.kind == .limit && refusal?.message.contains("is coded in so many parts") == true
    #expect(isLimit == isRefused, "\(String(describing: refusal))")
  }
}
