import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// Animations are read as browsers show them: the first frame as a photo, all frames as a video, turned alike.
@Suite struct AnimationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // MARK: - PNG

  /// Grey pixels as a zlib stream.
  private static func pixels(_ value: UInt8, width: Int, height: Int) -> [UInt8] {
    PictureFiles.zlibStored((0..<height).flatMap { _ in [0] + [UInt8](repeating: value, count: width) })
  }

  /// An animation of grey pixels whose `IDAT` picture, of 200, is no frame of it; its second frame is black.
  ///
  /// - Parameters:
  ///   - first: the first frame's place and grey.
  ///   - isAnnounced: whether the chunk that makes it an animation stands before the pixels, where it must.
  private static func png(
    canvas: (width: Int, height: Int) = (8, 6), first: (x: Int, y: Int, width: Int, height: Int, grey: UInt8),
    frames: Int = 2, isAnnounced: Bool = true
  ) -> Data {
    func control(_ number: Int, _ place: [Int]) -> [UInt8] {
      PictureFiles.pngChunk(
        "fcTL", ([number] + place).flatMap { PictureFiles.bigEndian($0, bytes: 4) } + [0, 1, 0, 2, 0, 0])
    }
    func data(_ number: Int, _ pixels: [UInt8]) -> [[UInt8]] {
      // In two chunks.
      [(number, pixels[..<9]), (number + 1, pixels[9...])].map { number, part in
        PictureFiles.pngChunk("fdAT", PictureFiles.bigEndian(number, bytes: 4) + part)
      }
    }
    let still = PictureFiles.png(
      width: canvas.width, height: canvas.height, depth: 8, colorType: 0,
      rows: [[UInt8]](repeating: [UInt8](repeating: 200, count: canvas.width), count: canvas.height))
    let animation = PictureFiles.pngChunk(
      "acTL", PictureFiles.bigEndian(frames, bytes: 4) + PictureFiles.bigEndian(0, bytes: 4))
    var file = Array(still[..<33]) + (isAnnounced ? animation : []) + Array(still[33..<(still.count - 12)])
    if !isAnnounced { file += animation }
    file += control(0, [first.width, first.height, first.x, first.y])
    file += data(1, pixels(first.grey, width: first.width, height: first.height)).flatMap { $0 }
    file +=
      control(3, [canvas.width, canvas.height, 0, 0])
      + data(4, pixels(0, width: canvas.width, height: canvas.height)).flatMap { $0 }
    return Data(file) + still.suffix(12)
  }

  @Test func aDefaultPictureThatIsNoFrameIsNotRead() throws {
    let image = try Image(encoded: Self.png(first: (0, 0, 8, 6, 90)))
    #expect(image.width == 8 && image.height == 6 && image.pixels == [UInt8](repeating: 90, count: 48))
    #expect(image.warning?.contains("2 frames") == true && !image.isDamaged, "\(image.warning ?? "")")
    // It is placed at full size; other PNG pictures are reduced row by row.
    #expect(Image.isDecodedWhole(Self.png(first: (0, 0, 8, 6, 90))))
    #expect(try !Image.isDecodedWhole(PictureFiles.quarters().encoded(as: .png)))
    // Browsers show the frame of an animation of one frame, too.
    let single = try Image(encoded: Self.png(first: (0, 0, 8, 6, 90), frames: 1))
    #expect(single.pixels == image.pixels && single.warning == nil, "\(single.warning ?? "")")
    // Announced too late, it is a still picture, for browsers and for FFmpeg.
    let still = try Image(encoded: Self.png(first: (0, 0, 8, 6, 90), isAnnounced: false))
    #expect(still.pixels == [UInt8](repeating: 200, count: 48) && still.warning == nil, "\(still.warning ?? "")")
  }

  @Test func aSmallerFirstFrameLiesOnWhite() throws {
    let image = try Image(encoded: Self.png(first: (3, 2, 4, 3, 90)))
    let expected = (0..<48).map { (3..<7).contains($0 % 8) && (2..<5).contains($0 / 8) ? UInt8(90) : 255 }
    #expect(image.width == 8 && image.pixels == expected)
    // A frame that does not fit is none.
    #expect(try Image(encoded: Self.png(first: (5, 2, 4, 3, 90))).pixels == [UInt8](repeating: 200, count: 48))
    let error = #expect(throws: MienError.self) {
      try Image(encoded: Self.png(first: (3, 2, 4, 3, 90)), limits: ImageLimits(sampleBytes: 100))
    }
    #expect(error?.kind == .limit)
  }

  @Test func aDamagedFirstFrameIsNoticed() throws {
    let whole = Self.png(first: (0, 0, 8, 6, 90))
    let frame = try #require(whole.range(of: Data("fdAT".utf8)))
    // The sum of the first of its chunks: behind the name, a number and nine bytes.
    var broken = whole
    broken[frame.upperBound + 13] ^= 1
    let image = try Image(encoded: broken)
    #expect(image.isDamaged && image.pixels == [UInt8](repeating: 90, count: 48), "\(image.warning ?? "")")
    for count in whole.indices { _ = try? Image(encoded: whole[..<count]) }
    // Cut off within the frame's second chunk.
    let large = Self.png(canvas: (80, 60), first: (0, 0, 80, 60, 90))
    let cut = try Image(encoded: large.dropLast(5000 + 2000))
    #expect(cut.isDamaged && cut.pixel(0, 0) == [90] && cut.pixel(0, 59) != [90], "\(cut.warning ?? "")")
    #expect(cut.warning?.contains("is cut off (truncated): rows from") == true, "\(cut.warning ?? "")")
  }

  @Test func thatPictureIsNoFrameOfTheVideo() throws {
    let file = folder.file("hidden.png")
    try Self.png(first: (0, 0, 8, 6, 90)).write(to: file)
    let reader = try VideoReader(contentsOf: file)
    #expect(try reader.next()?.image.pixel(0, 0) == [90, 90, 90])
    #expect(try reader.next()?.image.pixel(0, 0) == [0, 0, 0])
    #expect(try reader.next() == nil)
  }

  // MARK: - Orientation

  /// A copy of an animated fixture with an EXIF orientation.
  private func turned(_ name: String, _ orientation: Int) throws -> URL {
    var file = [UInt8](try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent(name)))
    let exif = PictureFiles.exif(orientation: orientation)
    if name.hasSuffix("png") {
      file.insert(contentsOf: PictureFiles.pngChunk("eXIf", exif), at: 33)
    } else {
      file += Array("EXIF".utf8) + PictureFiles.littleEndian(exif.count, bytes: 4) + exif
      file += [UInt8](repeating: 0, count: exif.count % 2)
      file.replaceSubrange(4..<8, with: PictureFiles.littleEndian(file.count - 8, bytes: 4))
    }
    let url = folder.file("\(orientation)-\(name)")
    try Data(file).write(to: url)
    return url
  }

  @Test(arguments: ["animated.png", "animated.webp"], 1...8)
  func framesAreTurnedAsThePhotoIs(name: String, orientation: Int) throws {
    let url = try turned(name, orientation)
    let (photo, reader) = (try Image(contentsOf: url), try VideoReader(contentsOf: url))
    #expect(photo.width == (orientation > 4 ? 16 : 24))
    #expect(reader.width == photo.width && reader.height == photo.height)
    let frame = try #require(try reader.next()?.image)
    #expect(frame.width == photo.width && VideoReaderTests.difference(photo.rgb, frame) < 2)
    let other = try VideoReader(contentsOf: turned(name, orientation % 8 + 1)).next()?.image
    #expect(other.map { VideoReaderTests.difference(frame, $0) > 2 } == true, "the orientation makes no difference")
  }

  // MARK: - AVIF and HEIC

  private static func box(_ type: String, _ content: [UInt8]...) -> [UInt8] {
    let content = content.flatMap { $0 }
    return PictureFiles.bigEndian(8 + content.count, bytes: 4) + Array(type.utf8) + content
  }

  /// The index of a sequence of three pictures, as far as Mien looks into it.
  private static let index = box(
    "moov",
    box(
      "trak",
      box(
        "mdia", box("hdlr", [UInt8](repeating: 0, count: 8), Array("pict".utf8), [UInt8](repeating: 0, count: 13)),
        box("minf", box("stbl", box("stsz", [UInt8](repeating: 0, count: 8), [0, 0, 0, 3]))))))

  @Test func ofASequenceTheStillPictureIsThePhoto() throws {
    let photo = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("photo.avif"))
    var file = photo + Data(Self.index)
    file.replaceSubrange(8..<12, with: Data("avis".utf8))
    let image = try Image(encoded: file)
    #expect(try Image(encoded: photo).pixels == image.pixels)
    #expect(
      image.warning?.contains(
        "is an animated AVIF of 3 frames, of which the first was read; `mien video FILE` reads all") == true)
    // By its first brand, a file says what it is first of all.
    file.replaceSubrange(8..<12, with: Data("avif".utf8))
    #expect(try Image(encoded: file).warning == nil)
  }

  /// A clip that says that it is a sequence of pictures, which is not told from it by anything else.
  private func sequence(brand: String, boxes: [UInt8] = []) throws -> URL {
    let url = folder.file("sequence.mp4")
    let writer = try VideoWriter(url: url, framesPerSecond: 10, sound: nil, program: nil)
    let halves = VideoReaderTests.halves([220, 40, 40], [40, 40, 220])
    for index in 0..<3 {
      try writer.write(Image(width: 64, height: 32, channels: 3, pixels: halves), seconds: Double(index) / 10)
    }
    try writer.finish()
    var file = try Data(contentsOf: url)
    file.replaceSubrange(8..<12, with: Data(brand.utf8))
    let handler = try #require(file.range(of: Data("vide".utf8), options: .backwards))
    file.replaceSubrange(handler, with: Data("pict".utf8))
    if !boxes.isEmpty {
      // The index is behind the pictures, so nothing that it points to moves.
      let entry = try #require(file.range(of: Data("avc1".utf8), in: handler.upperBound..<file.endIndex)).lowerBound - 4
      for type in ["moov", "trak", "mdia", "minf", "stbl", "stsd", "avc1"] {
        let place =
          try #require(file.range(of: Data(type.utf8), options: .backwards, in: 16..<(entry + 8))).lowerBound - 4
        let length = file[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) } + boxes.count
        file.replaceSubrange(place..<(place + 4), with: PictureFiles.bigEndian(length, bytes: 4))
      }
      let end = entry + file[entry..<(entry + 4)].reduce(0) { $0 << 8 | Int($1) } - boxes.count
      file.insert(contentsOf: boxes, at: end)
    }
    try file.write(to: url)
    return url
  }

  @Test(arguments: [("avis", "AVIF"), ("msf1", "HEIC"), ("hevc", "HEIC")])
  func aSequenceIsAVideo(brand: String, name: String) throws {
    let url = try sequence(brand: brand)
    let reader = try VideoReader(contentsOf: url)
    var frames: [Image] = []
    while let frame = try reader.next() { frames.append(frame.image) }
    #expect(
      frames.count == reader.frameCount && reader.width == 64 && frames[0].pixel(5, 5)[0] > 150, "\(frames.count)")
    // Without a still picture, which libheif would read.
    let error = #expect(throws: MienError.self) { try Image(contentsOf: url) }
    #expect(
      error?.message.contains("is an animated \(name) of \(frames.count) frames without a still") == true
        && error?.message.contains("`mien video FILE`") == true, "\(error?.message ?? "")")
  }

  /// ISO/IEC 23008-12: quarter turns counter-clockwise, then top and bottom (0) or left and right (1) change places.
  @Test(arguments: 0..<4, [nil, 0, 1] as [UInt8?])
  func aSequenceIsTurnedByItsDescription(quarters: Int, mirror: UInt8?) throws {
    let boxes = Self.box("irot", [UInt8(quarters)]) + (mirror.map { Self.box("imir", [$0]) } ?? [])
    let reader = try VideoReader(contentsOf: sequence(brand: "avis", boxes: boxes))
    let image = try #require(try reader.next()?.image)
    let upright = quarters.isMultiple(of: 2)
    #expect(reader.width == (upright ? 64 : 32) && image.width == reader.width && image.height == (upright ? 32 : 64))
    // The red half begins on the left.
    var place = [(0, 1), (1, 2), (2, 1), (1, 0)][quarters]
    if mirror == 0 { place.1 = 2 - place.1 }
    if mirror == 1 { place.0 = 2 - place.0 }
    let found = image.pixel(4 + place.0 * (image.width - 9) / 2, 4 + place.1 * (image.height - 9) / 2)
    #expect(found[0] > 150 && found[2] < 100, "\(found)")
  }
}
