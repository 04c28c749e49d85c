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
    try limits.check(ImageHeader(format: .pnm, width: width, height: height, pixelBytes: channels))
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
  /// - Parameter shouldStop: asked every million pixels.
  /// - Throws: ``MienError`` where there is no row of them; `CancellationError` when it was stopped.
  func picture(shouldStop: () -> Bool = { false }) throws -> DecodedPicture {
    // Nothing is allocated for a picture of which the file cannot hold a row.
    guard leastRowBytes <= file.count - start else { throw DecodedPicture.truncated(.pnm, count: file.count) }
    let rowCount = width * channels
    var pixels = [UInt8](repeating: 128, count: height * rowCount)
    let levels = (0...maximum).map { UInt8(($0 * 255 + maximum / 2) / maximum) }
    var rows = 0
    var reader = Reader(file: file, offset: start)
    try pixels.withUnsafeMutableBufferPointer { pixels in
      while rows < height {
        if rows % max(1, (1 << 20) / width) == 0, shouldStop() { throw CancellationError() }
        let row = UnsafeMutableBufferPointer(rebasing: pixels[rows * rowCount..<(rows + 1) * rowCount])
        guard kind <= 3 ? readText(into: row, &reader, levels) : readBytes(of: rows, into: row, levels) else { return }
        rows += 1
      }
    }
    guard rows > 0 else { throw DecodedPicture.truncated(.pnm, count: file.count) }
    var picture = DecodedPicture(format: .pnm, width: width, height: height, channels: channels, pixels: pixels)
    picture.goodRows = rows
    picture.isCut = rows < height
    return picture
  }

  /// Channels of the picture that is made: 1 or 3.
  private var channels: Int { depth > 2 ? 3 : 1 }

  /// Bytes of a row; the least if its samples are text, which have a blank between them unless they are bits.
  private var leastRowBytes: Int {
    switch kind {
    case 1: width
    case 2, 3: 2 * width * depth - 1
    case 4: (width + 7) / 8
    default: width * depth * (maximum > 255 ? 2 : 1)
    }
  }

  /// Reads the next row of text, whose samples are those of the picture; false, and nothing of it, if the file ends within
  /// it. 1 is black in PBM, and white in all others.
  private func readText(into row: UnsafeMutableBufferPointer<UInt8>, _ reader: inout Reader, _ levels: [UInt8]) -> Bool
  {
    for index in row.indices {
      guard let value = kind == 1 ? reader.digit().map({ 1 - $0 }) : reader.number() else {
        row.update(repeating: 128)
        return false
      }
      row[index] = levels[min(value, maximum)]
    }
    return true
  }

  /// Reads a row of bytes or bits; false if the file ends within it.
  private func readBytes(of row: Int, into target: UnsafeMutableBufferPointer<UInt8>, _ levels: [UInt8]) -> Bool {
    guard let bytes = file.part(start + row * leastRowBytes, count: leastRowBytes)?.bytes else { return false }
    func level(_ index: Int) -> UInt8 {
      if kind == 4 { return levels[1 - Int(bytes[index / 8] >> (7 - UInt8(index % 8)) & 1)] }
      let sample = maximum > 255 ? Int(bytes[2 * index]) << 8 | Int(bytes[2 * index + 1]) : Int(bytes[index])
      return levels[min(sample, maximum)]
    }
    let hasAlpha = depth == 2 || depth == 4
    for pixel in 0..<width {
      let alpha = hasAlpha ? Int(level(pixel * depth + depth - 1)) : 255
      for channel in 0..<channels {
        target[pixel * channels + channel] = level(pixel * depth + channel).overWhite(alpha: alpha)
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
