import Foundation
import Glibc
import MienCore

/// The indexes of MXF files (SMPTE ST 377-1), of which FFmpeg believes how many frames they say they are for.
enum MXF {
  static let name = "MXF"
  /// The key of an index table segment, wherever it lies: partitions name each other's place.
  private static let key: [UInt8] = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x53, 1, 1, 0x0D, 1, 2, 1, 1, 0x10, 1, 0]
  /// Of a larger file, so many bytes at either end are searched: that is where indexes are.
  private static let searched: UInt64 = 512 << 20
  /// Most items of all segments; a segment has about ten.
  private static let mostItems = 1_000_000

  /// Refuses a file whose indexes claim more frames than it can hold or `limits` allow.
  ///
  /// - Throws: ``MienError`` without subject.
  static func check(_ file: VideoBytes, _ limits: VideoLimits) throws {
    var (index, items) = (IndexSize(of: name, in: file, limits), 0)
    var offset: UInt64 = 0
    while offset < file.size {
      if offset >= searched, file.size - offset > searched { offset = file.size - searched }
      let part = try file.read(offset, count: 1 << 20)
      for place in places(in: part) {
        try add(file, offset + UInt64(place + key.count), to: &index, &items)
      }
      // A key may lie across the end of a part.
      offset += UInt64(max(part.count - key.count + 1, key.count))
    }
  }

  /// Where keys begin.
  private static func places(in part: Data) -> [Int] {
    part.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return [] }
      var (places, next): ([Int], Int) = ([], 0)
      while bytes.count - next >= key.count, let found = memchr(start + next, Int32(key[0]), bytes.count - next) {
        let place = UnsafeRawPointer(found) - start
        if bytes.count - place >= key.count, memcmp(found, key, key.count) == 0 { places.append(place) }
        next = place + 1
      }
      return places
    }
  }

  /// Adds the duration of the segment whose length stands at `offset`, if it lists frames.
  private static func add(
    _ file: VideoBytes, _ offset: UInt64, to index: inout IndexSize, _ items: inout Int
  ) throws {
    let length: (value: Int, bytes: Int)? = try file.view(offset, count: 9) { view in
      guard let first = view.u8(0) else { return nil }
      if first < 0x80 { return (first, 1) }
      return view.number(1, bytes: min(first & 0x7F, 7), bigEndian: true).map { ($0, 1 + (first & 0x7F)) }
    }
    guard let length else { return }
    var item = offset + UInt64(length.bytes)
    let end = min(item + UInt64(length.value), file.size)
    var (duration, hasFrames) = (0, false)
    while item + 4 < end {
      items += 1
      guard items <= mostItems else {
        throw MienError(.format, nil, "has a damaged index (\(name)); \(IndexSize.advice)")
      }
      item += try file.view(item, count: 12) { view in
        switch view.bigEndian16(0) {
        // An unknown duration is -1; FFmpeg ignores those of more than 31 bits.
        case 0x3F0D where view.bigEndian32(4) == 0: duration += (view.bigEndian32(8) ?? 0) & 0x7FFF_FFFF
        case 0x3F0A: hasFrames = (view.bigEndian32(4) ?? 0) != 0 || hasFrames
        default: break
        }
        return 4 + UInt64(view.bigEndian16(2) ?? 0)
      }
    }
    if hasFrames { try index.add(duration) }
  }
}
