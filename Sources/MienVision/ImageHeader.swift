import MienCore

/// What a picture file says of itself before anything is decoded: its kind by content, its size, its orientation.
///
/// Reading it needs no memory beyond the file, so a picture of a hostile size is refused before a decoder sees it. It
/// also tells whether the file is whole, as decoders fill up truncated pictures with grey.
struct ImageHeader: Equatable {
  /// The kinds of file that Mien decodes.
  enum Format: String {
    case jpeg = "JPEG"
    case png = "PNG"
    case webP = "WebP"
    case bmp = "BMP"
    case tiff = "TIFF"
    case pnm = "PNM"
  }

  var format: Format
  /// Stored width in pixels, before the orientation is applied.
  var width: Int
  /// Stored height in pixels.
  var height: Int
  /// EXIF's orientation, 1 (as stored) to 8.
  var orientation = 1
  /// The sample that is white, where the header says so; else 0, for the largest that its bits hold.
  var white = 0

  /// Reads the header of a whole file.
  ///
  /// - Throws: ``MienError`` of kind `format` that says what was found.
  static func read(_ file: ByteView) throws -> ImageHeader {
    guard file.count > 0 else { throw MienError(.format, nil, "is empty, expected a picture") }
    let header: ImageHeader
    if file.has([0xFF, 0xD8, 0xFF]) {
      header = try jpeg(file)
    } else if file.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      header = try png(file)
    } else if file.has("RIFF"), file.has("WEBP", at: 8) {
      header = try webP(file)
    } else if file.has("BM"), let length = file.littleEndian32(14), [12, 40, 52, 56, 64, 108, 124].contains(length) {
      header = try bmp(file)
    } else if file.has("II*\0") || file.has("MM\0*") {
      header = try tiff(file)
    } else if file.has("P5") || file.has("P6"), let next = file.u8(2), [9, 10, 13, 32, 35].contains(next) {
      header = try pnm(file)
    } else {
      throw MienError(.format, nil, UnreadableFile.explanation(of: file))
    }
    guard header.width > 0, header.height > 0 else {
      throw MienError(
        .format, nil,
        "expected a \(header.format.rawValue) picture with pixels, its header says \(header.width)x\(header.height)")
    }
    return header
  }

  /// The error for a file that stops before its end.
  static func truncated(_ format: Format, _ file: ByteView) -> MienError {
    MienError(
      .format, nil,
      "is a damaged or truncated \(format.rawValue) picture: its data end early, after \(file.count) bytes")
  }

  // MARK: - JPEG (ITU-T T.81, annex B)

  /// Encoders write about ten; each costs a decoder a pass over the whole picture, however few bytes it has.
  private static let maxScans = 200

  private static func jpeg(_ file: ByteView) throws -> ImageHeader {
    var header = ImageHeader(format: .jpeg, width: 0, height: 0)
    var scans = 0
    var offset = 2
    while true {
      guard file.u8(offset) == 0xFF, let marker = file.u8(offset + 1) else { throw truncated(.jpeg, file) }
      switch marker {
      case 0xFF: offset += 1
      case 0x01, 0xD0...0xD8: offset += 2
      case 0x00, 0x02...0xBF:
        // No segment follows: decoders look for the next marker in what its length would hide, or give up.
        throw MienError(.format, nil, "is a damaged JPEG picture: there is no marker at byte \(offset)")
      case 0xD9:
        guard scans > 0, header.width > 0 else {
          throw MienError(.format, nil, "is a JPEG file without a picture in it")
        }
        return header
      default:
        guard let length = file.bigEndian16(offset + 2), length >= 2,
          let segment = file.part(offset + 4, count: length - 2)
        else { throw truncated(.jpeg, file) }
        if marker == 0xE1, segment.has("Exif\0"), let exif = segment.part(6, count: segment.count - 6) {
          header.orientation = TIFFDirectory(exif)?.orientation ?? header.orientation
        } else if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker), header.width == 0 {
          header.height = segment.bigEndian16(1) ?? 0
          header.width = segment.bigEndian16(3) ?? 0
        }
        offset += 2 + length
        if marker == 0xDA {
          scans += 1
          guard scans <= maxScans else {
            throw MienError(.limit, nil, "has more than \(maxScans) scans; save it as a plain JPEG first")
          }
          offset = try endOfScan(file, from: offset)
        }
      }
    }
  }

  /// Where the next marker stands after entropy-coded data: 0xFF that is neither stuffed nor a restart.
  private static func endOfScan(_ file: ByteView, from start: Int) throws -> Int {
    var offset = start
    while let found = file.bytes[min(offset, file.count)...].firstIndex(of: 0xFF) {
      guard let next = file.u8(found + 1) else { break }
      if next != 0, !(0xD0...0xD7).contains(next), next != 0xFF { return found }
      offset = next == 0xFF ? found + 1 : found + 2
    }
    throw truncated(.jpeg, file)
  }

  // MARK: - PNG (ISO/IEC 15948)

  private static func png(_ file: ByteView) throws -> ImageHeader {
    guard file.bigEndian32(8) == 13, file.has("IHDR", at: 12), let width = file.bigEndian32(16),
      let height = file.bigEndian32(20)
    else { throw truncated(.png, file) }
    var header = ImageHeader(format: .png, width: width, height: height)
    var offset = 8
    while true {
      // Length, type, data, checksum.
      guard let length = file.bigEndian32(offset), let data = file.part(offset + 8, count: length),
        file.part(offset + 8 + length, count: 4) != nil
      else { throw truncated(.png, file) }
      if file.has("IEND", at: offset + 4) { return header }
      if file.has("eXIf", at: offset + 4) {
        header.orientation = TIFFDirectory(data)?.orientation ?? header.orientation
      }
      offset += 12 + length
    }
  }

  // MARK: - WebP (RFC 9649)

  private static func webP(_ file: ByteView) throws -> ImageHeader {
    guard let riffLength = file.littleEndian32(4), riffLength <= file.count - 8 else { throw truncated(.webP, file) }
    var header = ImageHeader(format: .webP, width: 0, height: 0)
    var offset = 12
    while offset + 8 <= 8 + riffLength {
      guard let length = file.littleEndian32(offset + 4), let data = file.part(offset + 8, count: length) else {
        throw truncated(.webP, file)
      }
      if offset == 12 {
        (header.width, header.height) = try webPSize(file, firstChunk: data)
      } else if file.has("EXIF", at: offset) {
        let exif = data.has("Exif\0\0") ? data.part(6, count: data.count - 6) : data
        header.orientation = exif.flatMap { TIFFDirectory($0) }?.orientation ?? header.orientation
      }
      offset += 8 + length + length % 2
    }
    return header
  }

  /// The size by the first chunk: a canvas, which the picture after it must fill, or the picture itself. Decoders take
  /// no other chunk's word for it, and a first chunk of another kind for a picture without a chunk around it.
  private static func webPSize(_ file: ByteView, firstChunk data: ByteView) throws -> (width: Int, height: Int) {
    if file.has("VP8X", at: 12), let flags = data.u8(0) {
      if flags & 2 != 0 {
        throw MienError(.format, nil, "is an animated WebP picture, expected a still one")
      }
      return ((data.littleEndian24(4) ?? -1) + 1, (data.littleEndian24(7) ?? -1) + 1)
    }
    if file.has("VP8 ", at: 12) {
      return ((data.littleEndian16(6) ?? 0) & 0x3FFF, (data.littleEndian16(8) ?? 0) & 0x3FFF)
    }
    if file.has("VP8L", at: 12), let bits = data.littleEndian32(1) {
      return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    }
    throw MienError(.format, nil, "is a damaged WebP picture: its first chunk is no picture")
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
    else { throw truncated(.bmp, file) }
    // 0: plain; 3: bit fields. Both have rows of known length; run-length codes (1, 2) do not.
    if compression == 0 || compression == 3, width > 0 {
      let rowBytes = (width * depth + 31) / 32 * 4
      let (bytes, overflow) = rowBytes.multipliedReportingOverflow(by: height)
      guard !overflow, bytes <= file.count - start else { throw truncated(.bmp, file) }
    }
    return ImageHeader(format: .bmp, width: width, height: height)
  }

  // MARK: - TIFF

  private static func tiff(_ file: ByteView) throws -> ImageHeader {
    guard let directory = TIFFDirectory(file), let width = directory.value(256), let height = directory.value(257)
    else {
      throw truncated(.tiff, file)
    }
    guard directory.isWhole(in: file) else { throw truncated(.tiff, file) }
    // The orientation stays 1: OpenCV's TIFF reader applies the tag itself, whatever it is asked for.
    return ImageHeader(format: .tiff, width: width, height: height)
  }

  // MARK: - PNM (netpbm's P5 and P6)

  private static func pnm(_ file: ByteView) throws -> ImageHeader {
    var offset = 2
    func field() -> Int? {
      while let byte = file.u8(offset), [9, 10, 13, 32, 35].contains(byte) {
        offset += 1
        guard byte == 35 else { continue }
        while let next = file.u8(offset), next != 10 { offset += 1 }
      }
      var value: Int?
      while let byte = file.u8(offset), (48...57).contains(byte), value ?? 0 < 1_000_000_000 {
        value = (value ?? 0) * 10 + byte - 48
        offset += 1
      }
      return value
    }
    guard let width = field(), let height = field(), let maximum = field(), (1...65535).contains(maximum) else {
      throw truncated(.pnm, file)
    }
    let sampleBytes = (file.has("P6") ? 3 : 1) * (maximum > 255 ? 2 : 1)
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, area <= (file.count - offset - 1) / sampleBytes else { throw truncated(.pnm, file) }
    return ImageHeader(format: .pnm, width: width, height: height, white: maximum)
  }
}
