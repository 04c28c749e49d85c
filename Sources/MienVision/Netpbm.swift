import MienCore

/// The pictures of netpbm: PBM, PGM and PPM as text (P1 to P3) and binary (P4 to P6), and PAM (P7).
struct Netpbm {
  private let file: ByteView
  private let kind: Int
  private var width = 0
  private var height = 0
  /// Samples per pixel as stored: 1 to 4.
  private var depth = 1
  /// The sample that is white.
  private var maximum = 1
  /// Where the samples begin.
  private var start = 0

  /// Whether a file starts as these pictures do, and no text does: a blank follows, and then a number.
  static func isStart(_ file: ByteView) -> Bool {
    guard file.has("P"), let kind = file.u8(1), (49...55).contains(kind), let next = file.u8(2) else { return false }
    if kind == 55 { return next == 10 }
    guard isBlank(next) || next == 35 else { return false }
    var reader = Reader(file: file, offset: 2)
    return reader.number() != nil
  }

  private static func isBlank(_ byte: Int) -> Bool { [9, 10, 11, 12, 13, 32].contains(byte) }

  /// Reads the header.
  ///
  /// - Throws: ``MienError``: it is damaged, or the picture is over the limits.
  init(_ file: ByteView, _ limits: ImageLimits) throws {
    self.file = file
    kind = (file.u8(1) ?? 48) - 48
    var reader = Reader(file: file, offset: 2)
    let isComplete = kind == 7 ? readFields(&reader) : readNumbers(&reader)
    guard isComplete, (1...65535).contains(maximum), (1...4).contains(depth) else {
      throw MienError(
        .format, nil, "is a damaged or truncated PNM picture: its header has no width, height and largest sample")
    }
    start = reader.offset
    guard width > 0, height > 0 else {
      throw MienError(.format, nil, "expected a PNM picture with pixels, its header says \(width)x\(height)")
    }
    try limits.check(width: width, height: height, .pnm)
  }

  private mutating func readNumbers(_ reader: inout Reader) -> Bool {
    guard let width = reader.number(), let height = reader.number() else { return false }
    (self.width, self.height) = (width, height)
    if kind != 1, kind != 4 {
      guard let maximum = reader.number() else { return false }
      self.maximum = maximum
    }
    depth = kind == 3 || kind == 6 ? 3 : 1
    // Exactly one blank stands between a binary picture's header and its samples.
    reader.offset += 1
    return true
  }

  /// The lines of a PAM header, each a name and a value.
  private mutating func readFields(_ reader: inout Reader) -> Bool {
    while let name = reader.word() {
      switch name {
      case "WIDTH": width = reader.number() ?? 0
      case "HEIGHT": height = reader.number() ?? 0
      case "DEPTH": depth = reader.number() ?? 0
      case "MAXVAL": maximum = reader.number() ?? 0
      case "TUPLTYPE": _ = reader.word()
      case "ENDHDR":
        reader.offset += 1
        return true
      default: return false
      }
    }
    return false
  }

  /// The picture, as far as its samples go.
  ///
  /// - Throws: ``MienError`` where there is no row of them.
  func picture() throws -> DecodedPicture {
    let rowSamples = width * depth
    let channels = depth > 2 ? 3 : 1
    let hasAlpha = depth == 2 || depth == 4
    var pixels = [UInt8](repeating: 128, count: width * height * channels)
    var rows = 0
    var reader = Reader(file: file, offset: start)
    var samples = [Int](repeating: 0, count: rowSamples)
    while rows < height, read(row: rows, into: &samples, &reader) {
      var target = rows * width * channels
      for pixel in stride(from: 0, to: rowSamples, by: depth) {
        let alpha = hasAlpha ? level(samples[pixel + depth - 1]) : 255
        for channel in 0..<channels {
          pixels[target] = UInt8(level(samples[pixel + channel])).overWhite(alpha: alpha)
          target += 1
        }
      }
      rows += 1
    }
    guard rows > 0 else { throw DecodedPicture.truncated(.pnm, count: file.count) }
    var picture = DecodedPicture(format: .pnm, width: width, height: height, channels: channels, pixels: pixels)
    picture.goodRows = rows
    picture.isCut = rows < height
    return picture
  }

  private func level(_ sample: Int) -> Int { (min(sample, maximum) * 255 + maximum / 2) / maximum }

  /// The samples of the next row; false where the file ends within it. 1 is black in PBM, and white in all others.
  private func read(row: Int, into samples: inout [Int], _ reader: inout Reader) -> Bool {
    if kind <= 3 {
      for index in samples.indices {
        guard let value = kind == 1 ? reader.digit() : reader.number() else { return false }
        samples[index] = kind == 1 ? 1 - min(value, 1) : value
      }
      return true
    }
    let bytes = maximum > 255 ? 2 : 1
    let rowBytes = kind == 4 ? (width + 7) / 8 : samples.count * bytes
    guard let part = file.part(start + row * rowBytes, count: rowBytes) else { return false }
    for index in samples.indices {
      if kind == 4 {
        samples[index] = 1 - Int(part.bytes[index / 8] >> (7 - UInt8(index % 8)) & 1)
      } else if bytes == 1 {
        samples[index] = Int(part.bytes[index])
      } else {
        samples[index] = Int(part.bytes[2 * index]) << 8 | Int(part.bytes[2 * index + 1])
      }
    }
    return true
  }

  /// Reads words and numbers between blanks and comments.
  private struct Reader {
    let file: ByteView
    var offset: Int

    mutating func skipBlanks() {
      while let byte = file.u8(offset), Netpbm.isBlank(byte) || byte == 35 {
        offset += 1
        guard byte == 35 else { continue }
        while let next = file.u8(offset), next != 10 { offset += 1 }
      }
    }

    mutating func number() -> Int? {
      skipBlanks()
      var value: Int?
      while let byte = file.u8(offset), (48...57).contains(byte), value ?? 0 < 1_000_000_000 {
        value = (value ?? 0) * 10 + byte - 48
        offset += 1
      }
      return value
    }

    /// A single 0 or 1: the samples of PBM as text need no blanks between them.
    mutating func digit() -> Int? {
      skipBlanks()
      guard let byte = file.u8(offset), byte == 48 || byte == 49 else { return nil }
      offset += 1
      return byte - 48
    }

    mutating func word() -> String? {
      skipBlanks()
      let first = offset
      while let byte = file.u8(offset), !Netpbm.isBlank(byte), offset - first < 64 { offset += 1 }
      return offset > first
        ? file.part(first, count: offset - first).map { String(decoding: $0.bytes, as: UTF8.self) } : nil
    }
  }
}
