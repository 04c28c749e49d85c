import Foundation
import MienVision

/// Picture files made byte by byte, for what no encoder at hand would write.
enum PictureFiles {
  static func bigEndian(_ value: Int, bytes: Int) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func littleEndian(_ value: Int, bytes: Int) -> [UInt8] { bigEndian(value, bytes: bytes).reversed() }

  // MARK: - PNG

  /// A PNG of `rows`, each with its samples as bytes and without the filter byte.
  ///
  /// - Parameters:
  ///   - colorType: 0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha.
  ///   - isInterlaced: whether `rows` are those of the seven passes.
  static func png(
    width: Int, height: Int, depth: Int, colorType: UInt8, rows: [[UInt8]], extra: [(String, [UInt8])] = [],
    isInterlaced: Bool = false
  ) -> Data {
    var header = bigEndian(width, bytes: 4)
    header += bigEndian(height, bytes: 4)
    header += [UInt8(depth), colorType, 0, 0, isInterlaced ? 1 : 0]
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + pngChunk("IHDR", header)
    for (type, data) in extra { file += pngChunk(type, data) }
    file += pngChunk("IDAT", zlibStored(rows.flatMap { [0] + $0 })) + pngChunk("IEND", [])
    return Data(file)
  }

  static func pngChunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return bigEndian(data.count, bytes: 4) + body + bigEndian(Int(crc32(body)), bytes: 4)
  }

  /// A zlib stream of one stored block.
  static func zlibStored(_ data: [UInt8]) -> [UInt8] {
    precondition(data.count < 65536)
    var low = 1
    var high = 0
    for byte in data {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    var stream: [UInt8] = [0x78, 0x01, 0x01]
    stream += littleEndian(data.count, bytes: 2)
    stream += littleEndian(~data.count, bytes: 2)
    stream += data
    stream += bigEndian(high << 16 | low, bytes: 4)
    return stream
  }

  private static func crc32(_ data: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in data {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  // MARK: - EXIF and TIFF

  /// An EXIF block that holds nothing but the orientation.
  static func exif(orientation: Int, bigEndian isBig: Bool = false) -> [UInt8] {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
      isBig ? bigEndian(value, bytes: bytes) : littleEndian(value, bytes: bytes)
    }
    // Byte order, 42, the directory's place, one entry (tag, type SHORT, count 1, value, padding), no next directory.
    let fields: [(value: Int, bytes: Int)] = [
      (42, 2), (8, 4), (1, 2), (0x0112, 2), (3, 2), (1, 4), (orientation, 2), (0, 2), (0, 4),
    ]
    return Array((isBig ? "MM" : "II").utf8) + fields.flatMap { number($0.value, $0.bytes) }
  }

  /// A JPEG with an EXIF segment put in after its first marker.
  static func jpeg(_ jpeg: Data, exif: [UInt8]) -> Data {
    let segment = Array("Exif\0\0".utf8) + exif
    var file = Data(jpeg.prefix(2))
    file += [0xFF, 0xE1]
    file += bigEndian(segment.count + 2, bytes: 2)
    file += segment
    file += jpeg.dropFirst(2)
    return file
  }

  /// An uncompressed TIFF of one strip.
  static func tiff(_ image: Image, orientation: Int = 1) -> Data {
    tiff(
      width: image.width, height: image.height, channels: image.channels, samples: image.pixels,
      more: [(274, 3, orientation)])
  }

  /// An uncompressed TIFF of one strip of little-endian samples.
  ///
  /// - Parameter more: further tags with their type (3: SHORT, 4: LONG) and value.
  static func tiff(
    width: Int, height: Int, channels: Int, bits: Int = 8, samples: [UInt8],
    more: [(tag: Int, type: Int, value: Int)] = []
  ) -> Data {
    let entries: [(tag: Int, type: Int, value: Int)] =
      [
        (256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, channels == 3 ? 2 : 1), (273, 4, 8),
        (277, 3, channels), (278, 4, height), (279, 4, samples.count),
      ] + more
    let padded = samples + [UInt8](repeating: 0, count: samples.count % 2)
    var fields: [(value: Int, bytes: Int)] = [(entries.count, 2)]
    for entry in entries.sorted(by: { $0.tag < $1.tag }) {
      // One count of bits a sample stands for all samples: libtiff takes that, and no second place is needed.
      fields += [(entry.tag, 2), (entry.type, 2), (1, 4)]
      fields += entry.type == 3 ? [(entry.value, 2), (0, 2)] : [(entry.value, 4)]
    }
    fields.append((0, 4))
    var file = Array("II".utf8) + littleEndian(42, bytes: 2) + littleEndian(8 + padded.count, bytes: 4) + padded
    for field in fields { file += littleEndian(field.value, bytes: field.bytes) }
    return Data(file)
  }

  // MARK: - BMP, PNM

  /// A 24-bit BMP, bottom row first.
  static func bmp(_ image: Image) -> Data {
    var rows: [UInt8] = []
    for row in (0..<image.height).reversed() {
      for column in 0..<image.width {
        let start = 3 * (row * image.width + column)
        rows += [image.pixels[start + 2], image.pixels[start + 1], image.pixels[start]]
      }
      rows += [UInt8](repeating: 0, count: (4 - image.width * 3 % 4) % 4)
    }
    let fields: [(value: Int, bytes: Int)] = [
      (54 + rows.count, 4), (0, 4), (54, 4), (40, 4), (image.width, 4), (image.height, 4), (1, 2), (24, 2), (0, 4),
      (rows.count, 4), (0, 4), (0, 4), (0, 4), (0, 4),
    ]
    var file = Array("BM".utf8)
    for field in fields { file += littleEndian(field.value, bytes: field.bytes) }
    return Data(file + rows)
  }

  /// A binary PNM (P5 or P6).
  static func pnm(_ image: Image) -> Data {
    Data("P\(image.channels == 3 ? 6 : 5)\n# made by a test\n\(image.width) \(image.height)\n255\n".utf8)
      + Data(image.pixels)
  }

  // MARK: - Pictures

  /// A picture whose every pixel differs from its neighbours, the same on every machine.
  static func pattern(width: Int, height: Int, channels: Int) throws -> Image {
    let count = width * height * channels
    var pixels = [UInt8](repeating: 0, count: count)
    for index in 0..<count {
      let value = index * 37 + (index / 7) * 11
      pixels[index] = UInt8(truncatingIfNeeded: value)
    }
    return try Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// 24 x 16 with flat quarters of red, green, blue and grey: corners can be told apart after lossy coding.
  static func quarters() throws -> Image {
    let colors: [[UInt8]] = [[200, 30, 40], [30, 180, 60], [40, 50, 190], [128, 128, 128]]
    var pixels: [UInt8] = []
    for row in 0..<16 {
      for column in 0..<24 { pixels += colors[row / 8 * 2 + column / 12] }
    }
    return try Image(width: 24, height: 16, channels: 3, pixels: pixels)
  }
}

extension Image {
  func pixel(_ column: Int, _ row: Int) -> [Int] {
    (0..<channels).map { Int(pixels[(row * width + column) * channels + $0]) }
  }

  /// What EXIF's `orientation` says to do with a stored picture, pixel by pixel (EXIF 2.32, tag 0x0112: where row 0 and
  /// column 0 of the stored picture stand in the upright one).
  func uprightBySlowRule(_ orientation: Int) throws -> Image {
    let swaps = orientation >= 5
    let (newWidth, newHeight) = swaps ? (height, width) : (width, height)
    var result: [UInt8] = []
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        let (storedColumn, storedRow) =
          switch orientation {
          case 2: (width - 1 - column, row)
          case 3: (width - 1 - column, height - 1 - row)
          case 4: (column, height - 1 - row)
          case 5: (row, column)
          case 6: (row, height - 1 - column)
          case 7: (width - 1 - row, height - 1 - column)
          case 8: (width - 1 - row, column)
          default: (column, row)
          }
        result += pixel(storedColumn, storedRow).map { UInt8($0) }
      }
    }
    return try Image(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}
