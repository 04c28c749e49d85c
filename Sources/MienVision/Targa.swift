import MienCore

/// A TGA picture (Truevision, 1989): palette, true colour or grey, plain or run-length coded.
struct Targa {
  private let file: ByteView
  private let kind: Int
  private let width: Int
  private let height: Int
  private let bits: Int
  private let descriptor: Int
  /// RGB of the palette, and the index of its first colour.
  private var palette: [[UInt8]] = []
  private var firstColor = 0
  private var start: Int

  /// Whether a file starts with a header of this kind: it has no signature, so every field must make sense.
  static func isStart(_ file: ByteView) -> Bool {
    guard let mapType = file.u8(1), let kind = file.u8(2), let mapLength = file.littleEndian16(5),
      let mapBits = file.u8(7),
      let width = file.littleEndian16(12), let height = file.littleEndian16(14), let bits = file.u8(16),
      let descriptor = file.u8(17), width > 0, height > 0, descriptor & 0xC0 == 0, descriptor & 15 <= 8
    else { return false }
    switch kind {
    case 1, 9: return mapType == 1 && mapLength > 0 && [15, 16, 24, 32].contains(mapBits) && bits == 8
    case 2, 10: return mapType <= 1 && [15, 16, 24, 32].contains(bits) && (mapType == 1 || mapLength == 0)
    case 3, 11: return mapType == 0 && mapLength == 0 && [8, 16].contains(bits)
    default: return false
    }
  }

  /// Reads header and palette.
  ///
  /// - Throws: ``MienError``: the file is truncated, or the picture over the limits.
  init(_ file: ByteView, _ limits: ImageLimits) throws {
    guard let nameLength = file.u8(0), let mapType = file.u8(1), let kind = file.u8(2),
      let first = file.littleEndian16(3),
      let mapLength = file.littleEndian16(5), let mapBits = file.u8(7), let width = file.littleEndian16(12),
      let height = file.littleEndian16(14), let bits = file.u8(16), let descriptor = file.u8(17)
    else { throw DecodedPicture.truncated(.tga, count: file.count) }
    (self.file, self.kind, self.width, self.height, self.bits, self.descriptor) = (
      file, kind, width, height, bits, descriptor
    )
    try limits.check(width: width, height: height, .tga)
    start = 18 + nameLength
    guard mapType == 1 else { return }
    let bytes = (mapBits + 7) / 8
    guard let map = file.part(start, count: mapLength * bytes) else {
      throw DecodedPicture.truncated(.tga, count: file.count)
    }
    firstColor = first
    if kind == 1 || kind == 9 {
      palette = (0..<mapLength).map { Array(Self.color(map, $0 * bytes, bits: mapBits, hasAlpha: false)) }
    }
    start += mapLength * bytes
  }

  /// RGB over white of the sample at an offset, which is inside.
  private static func color(_ data: ByteView, _ offset: Int, bits: Int, hasAlpha: Bool) -> [UInt8] {
    if bits == 15 || bits == 16 {
      let value = data.littleEndian16(offset) ?? 0
      let levels = [value >> 10 & 31, value >> 5 & 31, value & 31]
      return levels.map { UInt8(($0 * 255 + 15) / 31) }
    }
    let bytes = data.bytes
    let alpha = hasAlpha && bits == 32 ? Int(bytes[offset + 3]) : 255
    return [bytes[offset + 2], bytes[offset + 1], bytes[offset]].map { $0.overWhite(alpha: alpha) }
  }

  /// The picture, as far as its data go.
  ///
  /// - Throws: ``MienError`` where there is no row of them.
  func picture() throws -> DecodedPicture {
    let isGrey = kind == 3 || kind == 11
    let channels = isGrey ? 1 : 3
    var pixels = [UInt8](repeating: 128, count: width * height * channels)
    let count = try decode { index, color in
      // The first row stored is the lowest one, unless the descriptor says otherwise.
      let (line, column) = (index / width, index % width)
      let row = descriptor & 0x20 != 0 ? line : height - 1 - line
      let place = (row * width + (descriptor & 0x10 != 0 ? width - 1 - column : column)) * channels
      for channel in 0..<channels { pixels[place + channel] = color[channel] }
    }
    let rows = count / width
    guard rows > 0 else { throw DecodedPicture.truncated(.tga, count: file.count) }
    var picture = DecodedPicture(format: .tga, width: width, height: height, channels: channels, pixels: pixels)
    // Rows are missing at the top where the picture is stored from the bottom on.
    picture.goodRows = rows == height ? height : descriptor & 0x20 != 0 ? rows : 0
    picture.isCut = rows < height
    return picture
  }

  /// Hands out the pixels in the order that they are stored; returns how many there are.
  private func decode(_ body: (Int, [UInt8]) -> Void) throws -> Int {
    let bytes = (bits + 7) / 8
    // Many writers leave 32 bits without saying that eight of them are alpha, and these are anything then.
    let hasAlpha = bits == 32 && descriptor & 15 == 8
    let total = width * height
    func color(_ offset: Int) -> [UInt8]? {
      guard offset <= file.count - bytes else { return nil }
      if kind == 3 || kind == 11 { return [file.bytes[offset]] }
      guard palette.isEmpty else {
        let index = Int(file.bytes[offset]) - firstColor
        return palette.indices.contains(index) ? palette[index] : [0, 0, 0]
      }
      return Self.color(file, offset, bits: bits, hasAlpha: hasAlpha)
    }
    var (offset, index) = (start, 0)
    let isCoded = kind > 8
    while index < total {
      guard isCoded else {
        guard let next = color(offset) else { return index }
        body(index, next)
        index += 1
        offset += bytes
        continue
      }
      guard let packet = file.u8(offset) else { return index }
      offset += 1
      for repeated in 0...(packet & 127) where index < total {
        guard let next = color(offset) else { return index }
        body(index, next)
        index += 1
        if packet & 128 == 0 || repeated == packet & 127 { offset += bytes }
      }
    }
    return index
  }
}
