public import Foundation
import MienCore

/// Writes pictures as PNG (ISO/IEC 15948), so that a report can hold faces where no picture library is linked.
///
/// Samples are stored without compression: a 48x48 face takes 2.5 kB.
public enum PNG {
  /// The bytes of a PNG file.
  ///
  /// - Parameters:
  ///   - channels: 1 (grey) or 3 (RGB).
  ///   - pixels: [height, width, channels] samples, 0…255, interleaved.
  /// - Throws: ``MienError`` where a side is not positive, the channels are not 1 or 3, or the count does not fit.
  public static func encoded(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws -> Data {
    let (row, rowOverflow) = width.multipliedReportingOverflow(by: channels)
    let (count, overflow) = height.multipliedReportingOverflow(by: row)
    guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height), [1, 3].contains(channels),
      !rowOverflow, !overflow, pixels.count == count
    else {
      throw MienError(
        .mismatch, nil, "expected the samples of a \(width)x\(height)x\(channels) picture, found \(pixels.count)")
    }
    // Each row begins with its filter's number: 0, none.
    var rows: [UInt8] = []
    rows.reserveCapacity(count + height)
    for start in stride(from: 0, to: count, by: row) {
      rows.append(0)
      rows += pixels[start..<(start + row)]
    }
    let colourType: UInt8 = channels == 1 ? 0 : 2
    let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, colourType, 0, 0, 0]
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    return Data(signature + chunk("IHDR", header) + chunk("IDAT", stored(rows)) + chunk("IEND", []))
  }

  /// `bytes` as a zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4).
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    let longest = 65_535
    var result: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: bytes.count, by: longest) {
      let block = bytes[start..<min(start + longest, bytes.count)]
      let length = UInt16(block.count)
      result.append(block.endIndex == bytes.count ? 1 : 0)
      for value in [length, ~length] { result += [UInt8(value & 0xFF), UInt8(value >> 8)] }
      result += block
    }
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return result + bigEndian(b << 16 | a)
  }

  private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + body
    return bigEndian(UInt32(body.count)) + content + bigEndian(content.withUnsafeBytes { CRC32.of($0) })
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
