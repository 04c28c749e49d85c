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
  private var palette: [Color] = []
  private var firstColor = 0
  private var start: Int

  /// RGB.
  private typealias Color = (red: UInt8, green: UInt8, blue: UInt8)

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
    start = 18 + nameLength
    try limits.check(ImageHeader(format: .tga, width: width, height: height, pixelBytes: channels))
    guard mapType == 1 else { return }
    let bytes = (mapBits + 7) / 8
    guard let map = file.part(start, count: mapLength * bytes) else {
      throw DecodedPicture.truncated(.tga, count: file.count)
    }
    firstColor = first
    if kind == 1 || kind == 9 {
      palette = (0..<mapLength).map { Self.color(map, $0 * bytes, bits: mapBits, hasAlpha: false) }
    }
    start += mapLength * bytes
  }

  /// RGB over white of a sample, at an offset that is inside.
  private static func color(_ data: ByteView, _ offset: Int, bits: Int, hasAlpha: Bool) -> Color {
    let bytes = data.bytes
    if bits == 15 || bits == 16 {
      let value = Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
      func level(_ value: Int) -> UInt8 { UInt8(((value & 31) * 255 + 15) / 31) }
      return (level(value >> 10), level(value >> 5), level(value))
    }
    let alpha = hasAlpha && bits == 32 ? Int(bytes[offset + 3]) : 255
    return (
      bytes[offset + 2].overWhite(alpha: alpha), bytes[offset + 1].overWhite(alpha: alpha),
      bytes[offset].overWhite(alpha: alpha)
    )
  }

  private var isGrey: Bool { kind == 3 || kind == 11 }
  private var isCoded: Bool { kind > 8 }
  private var channels: Int { isGrey ? 1 : 3 }
  /// Bytes of a stored pixel.
  private var pixelBytes: Int { (bits + 7) / 8 }

  /// The picture, as far as its data go.
  ///
  /// - Parameter shouldStop: asked every million pixels.
  /// - Throws: ``MienError`` where there is no row of them; `CancellationError` when it was stopped.
  func picture(shouldStop: () -> Bool = { false }) throws -> DecodedPicture {
    // Nothing is allocated for a picture of which the file cannot hold a row. A packet has 128 pixels at most.
    let leastRowBytes = isCoded ? (width + 127) / 128 * (1 + pixelBytes) : width * pixelBytes
    guard leastRowBytes <= file.count - start else { throw DecodedPicture.truncated(.tga, count: file.count) }
    var pixels = [UInt8](repeating: 128, count: width * height * channels)
    let rows = try pixels.withUnsafeMutableBufferPointer { pixels in
      let count = try decode(into: pixels, shouldStop)
      turn(pixels)
      return count / width
    }
    guard rows > 0 else { throw DecodedPicture.truncated(.tga, count: file.count) }
    var picture = DecodedPicture(format: .tga, width: width, height: height, channels: channels, pixels: pixels)
    // Rows are missing at the top where the picture is stored from the bottom on.
    picture.goodRows = rows == height ? height : isTopFirst ? rows : 0
    picture.isCut = rows < height
    return picture
  }

  /// The first row stored is the lowest one, unless the descriptor says otherwise.
  private var isTopFirst: Bool { descriptor & 0x20 != 0 }

  /// Puts rows and columns into order that are stored the other way.
  private func turn(_ pixels: UnsafeMutableBufferPointer<UInt8>) {
    let rowCount = width * channels
    if !isTopFirst {
      for row in 0..<height / 2 {
        let (upper, lower) = (row * rowCount, (height - 1 - row) * rowCount)
        for index in 0..<rowCount { pixels.swapAt(upper + index, lower + index) }
      }
    }
    guard descriptor & 0x10 != 0 else { return }
    for row in 0..<height {
      for column in 0..<width / 2 {
        let (left, right) = (row * rowCount + column * channels, row * rowCount + (width - 1 - column) * channels)
        for channel in 0..<channels { pixels.swapAt(left + channel, right + channel) }
      }
    }
  }

  /// Writes the pixels in the order that they are stored; returns how many there are.
  private func decode(into pixels: UnsafeMutableBufferPointer<UInt8>, _ shouldStop: () -> Bool) throws -> Int {
    // Many writers leave 32 bits without saying that eight of them are alpha, and these are anything then.
    let hasAlpha = bits == 32 && descriptor & 15 == 8
    let (isGrey, pixelBytes, total) = (isGrey, pixelBytes, width * height)
    func write(_ color: Color, at index: Int) {
      if isGrey {
        pixels[index] = color.red
      } else {
        (pixels[3 * index], pixels[3 * index + 1], pixels[3 * index + 2]) = color
      }
    }
    func color(_ offset: Int) -> Color {
      if isGrey { return (file.bytes[offset], 0, 0) }
      guard palette.isEmpty else {
        let index = Int(file.bytes[offset]) - firstColor
        return palette.indices.contains(index) ? palette[index] : (0, 0, 0)
      }
      return Self.color(file, offset, bits: bits, hasAlpha: hasAlpha)
    }
    var (offset, index, nextStop) = (start, 0, 0)
    while index < total {
      if index >= nextStop {
        if shouldStop() { throw CancellationError() }
        nextStop = index + (1 << 20)
      }
      // What is not coded is read as packets of pixels that are all there.
      var packet = 127
      if isCoded {
        guard let next = file.u8(offset) else { return index }
        packet = next
        offset += 1
      }
      let count = min((packet & 127) + 1, total - index)
      if packet & 128 != 0 {
        guard pixelBytes <= file.count - offset else { return index }
        let repeated = color(offset)
        for place in index..<index + count { write(repeated, at: place) }
        offset += pixelBytes
        index += count
        continue
      }
      let here = min(count, (file.count - offset) / pixelBytes)
      for place in 0..<here { write(color(offset + place * pixelBytes), at: index + place) }
      offset += here * pixelBytes
      index += here
      guard here == count else { return index }
    }
    return index
  }
}
