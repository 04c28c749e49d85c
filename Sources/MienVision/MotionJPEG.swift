import Foundation
import MienCore

/// JPEG pictures one after another in a file, as webcams and single-board computers' cameras write them.
enum MotionJPEG {
  /// Pictures larger than this are not looked for.
  private static let largestPicture = 32 << 20
  private static let chunk = 1 << 20

  /// Whether a file that begins with a JPEG picture goes on with another that is none of a photo's extras: stereo
  /// cameras' second shot, phones' depth maps and clips are announced in the photo's headers or have no start of their own
  /// right behind its end.
  static func isStart(of file: VideoBytes) throws -> Bool {
    var offset: UInt64 = 2
    // Headers: a marker, a length, data (ITU-T T.81, B.1.1.4).
    while true {
      let header = [UInt8](try file.read(offset, count: 8))
      guard header.count == 8, header[0] == 0xFF else { return false }
      if header[1] == 0xFF {
        offset += 1
        continue
      }
      if header[1] == 0xD9 { return false }
      // Multi-picture format (CIPA DC-007): a stereo camera's photo.
      if header[1] == 0xE2, Array(header[4..<8]) == Array("MPF\0".utf8) { return false }
      offset += 2 + UInt64(header[2]) << 8 + UInt64(header[3])
      if header[1] == 0xDA { break }
    }
    guard let end = try end(of: file, from: offset) else { return false }
    // Writers may pad pictures.
    let behind = [UInt8](try file.read(end, count: 64)).drop { $0 == 0 }
    return behind.starts(with: [0xFF, 0xD8, 0xFF])
  }

  /// What follows the end marker of the picture whose coded data begin at `start`; `nil` if it has none.
  private static func end(of file: VideoBytes, from start: UInt64) throws -> UInt64? {
    var offset = start
    while offset < file.size, offset - start < UInt64(largestPicture) {
      let bytes = [UInt8](try file.read(offset, count: chunk))
      guard bytes.count > 1 else { return nil }
      for index in 0..<(bytes.count - 1) where bytes[index] == 0xFF && bytes[index + 1] == 0xD9 {
        return offset + UInt64(index) + 2
      }
      // The marker may lie across two parts.
      offset += UInt64(bytes.count - 1)
    }
    return nil
  }
}
