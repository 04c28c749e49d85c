import MienCore

/// What a BMP, TIFF or JPEG 2000 file says of itself before OpenCV decodes it: its size, and whether the file is whole.
///
/// Reading it needs no memory beyond the file, so a picture of a hostile size is refused before a decoder sees it, and a
/// truncated file before a decoder fills it up.
struct ImageHeader: Equatable {
  var format: PictureFormat
  /// Stored width in pixels, before the orientation is applied.
  var width: Int
  /// Stored height in pixels.
  var height: Int
  /// Bytes of a pixel in the decoder's memory.
  var pixelBytes = 3
  /// Pixels of a tile, which is decoded whole and may be larger than the picture; those of the picture, or 0, if it
  /// has none.
  var tilePixels = 0
  /// About what the decoder takes of memory beside the samples, in bytes.
  var structureBytes = 0.0
  /// EXIF's orientation, 1 (as stored) to 8.
  var orientation = 1
  /// What is said of the picture, each a sentence that starts after the file's name.
  var notes: [String] = []

  /// Reads the header of a whole file of a format that OpenCV decodes.
  ///
  /// - Throws: ``MienError`` of kind `format` that says what was found.
  static func read(_ file: ByteView, _ format: PictureFormat) throws -> ImageHeader {
    let header: ImageHeader
    switch format {
    case .bmp: header = try bmp(file)
    case .jpeg2000:
      let picture = try JPEG2000(file)
      // OpenJPEG has 32 bits for each sample.
      header = ImageHeader(
        format: .jpeg2000, width: picture.width, height: picture.height, pixelBytes: 4 * picture.components,
        structureBytes: picture.structureBytes)
    default: header = try tiff(file)
    }
    guard header.width > 0, header.height > 0 else {
      throw MienError(
        .format, nil,
        "expected a \(format.rawValue) picture with pixels, its header says \(header.width)x\(header.height)")
    }
    return header
  }

  // MARK: - BMP

  private static func bmp(_ file: ByteView) throws -> ImageHeader {
    func signed32(_ offset: Int) -> Int? { file.littleEndian32(offset).map { Int(Int32(truncatingIfNeeded: $0)) } }
    let isCore = file.littleEndian32(14) == 12
    guard let start = file.littleEndian32(10),
      let width = isCore ? file.littleEndian16(18) : signed32(18),
      let height = (isCore ? file.littleEndian16(20) : signed32(22)).map(abs),
      let depth = file.littleEndian16(isCore ? 24 : 28),
      let compression = isCore ? 0 : file.littleEndian32(30)
    else { throw DecodedPicture.truncated(.bmp, count: file.count) }
    // 0: plain; 3: bit fields. Both have rows of known length; run-length codes (1, 2) do not.
    if compression == 0 || compression == 3, width > 0 {
      let rowBytes = (width * depth + 31) / 32 * 4
      let (bytes, overflow) = rowBytes.multipliedReportingOverflow(by: height)
      guard !overflow, bytes <= file.count - start else { throw DecodedPicture.truncated(.bmp, count: file.count) }
    }
    return ImageHeader(format: .bmp, width: width, height: height)
  }

  // MARK: - TIFF

  private static func tiff(_ file: ByteView) throws -> ImageHeader {
    guard let directory = TIFFDirectory(file) else { throw DecodedPicture.truncated(.tiff, count: file.count) }
    guard !directory.isRaw else {
      throw MienError(
        .format, nil,
        "is a raw photo of a camera, which is not read; convert it first: darktable-cli in.raw out.jpg, or take the JPEG "
          + "that the camera saved")
    }
    // Values lie in the file once each.
    guard directory.valueBytes <= file.count + (1 << 20) else {
      throw DecodedPicture.tooCostly(.tiff, "its tags have \(directory.valueBytes.grouped) bytes, more than the file")
    }
    guard let width = directory.value(256), let height = directory.value(257), directory.isWhole(in: file) else {
      throw DecodedPicture.truncated(.tiff, count: file.count)
    }
    // The orientation stays 1: OpenCV's TIFF reader applies the tag itself, whatever it is asked for.
    var header = ImageHeader(format: .tiff, width: width, height: height)
    header.pixelBytes =
      directory.value(277, absent: 1, most: 64) * ((directory.value(258, absent: 1, most: 512) + 7) / 8)
    let most = 1 << 31
    header.tilePixels =
      directory.value(322, absent: width, most: most) * directory.value(323, absent: height, most: most)
    // As many samples as a JPEG file's scans may pass over; strips and tiles may share their data.
    let mostBytes = 2 * file.count + (16 << 20)
    let scans = directory.scans(in: file, mostBytes: mostBytes)
    // Decoders ignore a 0.
    let rows = directory.value(278).flatMap { $0 > 0 ? min(height, $0) : nil } ?? height
    let partPixels = directory.value(324) == nil ? Double(width) * Double(rows) : Double(header.tilePixels)
    guard scans.bytes <= mostBytes,
      Double(scans.parts) * partPixels * Double(max(1, directory.value(277, absent: 1, most: 64))) <= 3e9
    else {
      throw DecodedPicture.tooCostly(
        .tiff, "the scans of its JPEG-compressed parts pass over more than 3,000 million samples")
    }
    let pages = directory.pageCount
    if pages > 1 {
      header.notes.append("has \(pages) pages, of which the first was read; all of them: tiffsplit in.tif page-")
    }
    return header
  }
}

/// What a PNG file's chunks say beside the pixels (ISO/IEC 15948; animations: the third edition, 2025), as far as the file
/// goes.
struct PNGHeader {
  /// EXIF's orientation, 1 (as stored) to 8.
  private(set) var orientation = 1
  /// Frames of an animation (APNG), 1 for a still picture.
  private(set) var frames = 1
  /// Where the first frame's control chunk starts if the `IDAT` picture is no frame of the animation: only programs that
  /// know no animations show that picture.
  private var frameStart: Int?
  /// Whether the first frame is another picture than the file's own.
  var hasSeparateFrame: Bool { frameStart != nil }

  init(_ file: ByteView) {
    var (isAnimation, hasPixels, hasFrame) = (false, false, false)
    var offset = 8
    // Length, type, data, checksum.
    while let length = file.bigEndian32(offset), let data = file.part(offset + 8, count: length),
      !file.has("IEND", at: offset + 4)
    {
      if file.has("eXIf", at: offset + 4) { orientation = TIFFDirectory(data)?.orientation ?? orientation }
      if file.has("acTL", at: offset + 4), !hasPixels {
        isAnimation = true
        frames = max(1, data.bigEndian32(0) ?? 1)
      }
      if file.has("fcTL", at: offset + 4), isAnimation, !hasFrame {
        hasFrame = true
        frameStart = hasPixels ? offset : nil
      }
      if file.has("IDAT", at: offset + 4) { hasPixels = true }
      offset += 12 + length
    }
  }

  /// The first frame of an animation, as a PNG file of its own, and its place on the canvas.
  struct Frame {
    let x: Int
    let y: Int
    let width: Int
    let height: Int
    let canvas: (width: Int, height: Int)
    /// As whole as the frame is in its file.
    let file: [UInt8]

    var fillsCanvas: Bool { width == canvas.width && height == canvas.height }
  }

  /// The first frame of the animation in `file`, which this is the header of; `nil` if that is the `IDAT` picture.
  func firstFrame(of file: ByteView) -> Frame? {
    guard let frameStart, file.has("IHDR", at: 12), let header = file.part(16, count: 13),
      let canvasWidth = header.bigEndian32(0), let canvasHeight = header.bigEndian32(4),
      let control = file.part(frameStart + 8, count: 26), let width = control.bigEndian32(4),
      let height = control.bigEndian32(8), let x = control.bigEndian32(12), let y = control.bigEndian32(16),
      width > 0, height > 0, x <= canvasWidth - width, y <= canvasHeight - height,
      let pixels = Self.pixels(of: file, after: frameStart)
    else { return nil }
    let sizes = [width, height].flatMap(Self.bigEndian)
    var frame = Array(file.bytes[..<8]) + Self.chunk("IHDR", sizes + header.bytes[8...])
    var offset = 33
    while let length = file.bigEndian32(offset), !file.has("IDAT", at: offset + 4),
      let chunk = file.part(offset, count: 12 + length)
    {
      if file.has("PLTE", at: offset + 4) || file.has("tRNS", at: offset + 4) { frame += chunk.bytes }
      offset += 12 + length
    }
    return Frame(
      x: x, y: y, width: width, height: height, canvas: (canvasWidth, canvasHeight), file: frame + pixels)
  }

  /// The data of the frame whose control chunk starts at `start`, as `IDAT` chunks with the end marker, as far as they go;
  /// `nil` if there are none.
  private static func pixels(of file: ByteView, after start: Int) -> [UInt8]? {
    var chunks: [UInt8] = []
    var offset = start + 38
    while let length = file.bigEndian32(offset) {
      if file.has("fcTL", at: offset + 4) || file.has("IEND", at: offset + 4) {
        return chunks.isEmpty ? nil : chunks + chunk("IEND", [])
      }
      if file.has("fdAT", at: offset + 4), length >= 4 {
        // The frame's data follow a number of the chunk.
        guard let data = file.part(offset + 12, count: length - 4), let sum = file.bigEndian32(offset + 8 + length),
          let content = file.part(offset + 4, count: 4 + length)
        else {
          guard let rest = file.part(offset + 12, count: min(length - 4, file.count - offset - 12)) else { break }
          return chunks + bigEndian(length - 4) + Array("IDAT".utf8) + rest.bytes
        }
        // A wrong sum stays wrong.
        chunks += chunk("IDAT", Array(data.bytes), isWhole: Int(CRC32.of(content.bytes)) == sum)
      }
      offset += 12 + length
    }
    return chunks.isEmpty ? nil : chunks
  }

  private static func chunk(_ type: String, _ data: [UInt8], isWhole: Bool = true) -> [UInt8] {
    let content = Array(type.utf8) + data
    let sum = content.withUnsafeBytes { Int(CRC32.of($0)) }
    return bigEndian(data.count) + content + bigEndian(isWhole ? sum : sum ^ 1)
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
