import MienCore

/// A Windows icon or cursor: several sizes of one picture, each a PNG file or the inside of a BMP file.
struct IconFile {
  private let file: ByteView
  /// Where the largest picture stands.
  private let part: ByteView

  /// Whether a file starts with a directory of such pictures, the first of them inside the file.
  static func isStart(_ file: ByteView) -> Bool {
    guard file.has([0, 0, 1, 0]) || file.has([0, 0, 2, 0]), let count = file.littleEndian16(4),
      (1...1024).contains(count),
      file.u8(9) == 0, let length = file.littleEndian32(14), let offset = file.littleEndian32(18)
    else { return false }
    return length >= 40 && offset >= 6 + 16 * count
  }

  /// Finds the largest picture; of equal ones, the one with most colours.
  ///
  /// - Throws: ``MienError`` where it does not lie inside the file.
  init(_ file: ByteView) throws {
    self.file = file
    let entries = (0..<min(file.littleEndian16(4) ?? 0, 1024)).compactMap {
      index -> (size: Int, bits: Int, data: ByteView?)? in
      let entry = 6 + 16 * index
      guard let width = file.u8(entry), let bits = file.littleEndian16(entry + 6),
        let length = file.littleEndian32(entry + 8), let offset = file.littleEndian32(entry + 12)
      else { return nil }
      let data = file.part(offset, count: min(length, max(0, file.count - offset)))
      return (width == 0 ? 256 : width, file.has([0, 0, 2, 0]) ? 0 : bits, data)
    }
    guard let part = entries.max(by: { ($0.size, $0.bits) < ($1.size, $1.bits) })?.data, part.count > 0 else {
      throw DecodedPicture.truncated(.icon, count: file.count)
    }
    self.part = part
  }

  /// Decodes it.
  ///
  /// - Parameter decodePNG: decodes a file inside.
  /// - Throws: ``MienError``: it is damaged, or of a kind that is not read.
  func picture(
    _ limits: ImageLimits, decodePNG: (UnsafeRawBufferPointer) throws -> DecodedPicture
  ) throws -> DecodedPicture {
    if part.has([0x89, 0x50, 0x4E, 0x47]) {
      return try decodePNG(part.bytes)
    }
    return try bitmap(limits)
  }

  /// The inside of a BMP file: rows of colours from the bottom on, then a mask of one bit per pixel, 1 is transparent.
  private func bitmap(_ limits: ImageLimits) throws -> DecodedPicture {
    guard let headerLength = part.littleEndian32(0), headerLength >= 40, let width = part.littleEndian32(4),
      let doubled = part.littleEndian32(8), let bits = part.littleEndian16(14),
      let compression = part.littleEndian32(16),
      let colorCount = part.littleEndian32(32)
    else { throw DecodedPicture.truncated(.icon, count: file.count) }
    let height = doubled / 2
    guard (1...4096).contains(width), (1...4096).contains(height), [1, 4, 8, 24, 32].contains(bits), compression == 0
    else {
      throw MienError(
        .format, nil,
        "is an icon of a kind that is not read (\(width)x\(height) pixels of \(bits) bits); convert it first: "
          + "magick in.ico out.png")
    }
    try limits.check(width: width, height: height, .icon)
    let colors = bits > 8 ? 0 : colorCount > 0 && colorCount <= 256 ? colorCount : 1 << bits
    let palette = headerLength
    let start = palette + 4 * colors
    let rowBytes = (width * bits + 31) / 32 * 4
    let maskBytes = (width + 31) / 32 * 4
    guard part.part(start, count: rowBytes * height) != nil else {
      throw DecodedPicture.truncated(.icon, count: file.count)
    }
    // A mask may be missing where the colours have alpha.
    let mask = part.part(start + rowBytes * height, count: maskBytes * height)
    let bytes = part.bytes
    // Old icons of 32 bits leave alpha 0 everywhere and rely on the mask.
    let hasAlpha =
      bits == 32 && stride(from: start + 3, to: start + rowBytes * height, by: 4).contains { bytes[$0] > 0 }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 3)
    for row in (0..<height).reversed() {
      for column in 0..<width {
        let line = start + row * rowBytes
        var place = line + column * bits / 8
        if bits <= 8 {
          let index = Int(bytes[place]) >> (8 - bits - column * bits % 8) & ((1 << bits) - 1)
          place = palette + 4 * min(index, colors - 1)
        }
        let isMasked = mask.map { $0.bytes[row * maskBytes + column / 8] >> (7 - UInt8(column % 8)) & 1 == 1 } ?? false
        let alpha = hasAlpha ? Int(bytes[place + 3]) : isMasked ? 0 : 255
        for channel in [2, 1, 0] {
          pixels.append(bytes[place + channel].overWhite(alpha: alpha))
        }
      }
    }
    return DecodedPicture(format: .icon, width: width, height: height, channels: 3, pixels: pixels)
  }
}
