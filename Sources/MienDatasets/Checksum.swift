import CSystemZlib
package import Foundation

/// CRC-32 as zlib, gzip and PNG have it: tells whether bytes arrived as they were written.
package struct Checksum: Sendable {
  /// The checksum of the bytes so far.
  package private(set) var value: UInt32 = 0

  /// The checksum of no bytes.
  package init() {}

  /// Takes in more bytes.
  package mutating func update(_ data: Data) {
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      // zlib counts with 32 bits.
      while !rest.isEmpty {
        let part = rest.prefix(1 << 30)
        let start = UnsafeRawBufferPointer(rebasing: part).bindMemory(to: UInt8.self).baseAddress
        value = UInt32(truncatingIfNeeded: crc32(uLong(value), start, uInt(part.count)))
        rest = rest.dropFirst(part.count)
      }
    }
  }

  /// The checksum of `data`.
  package static func of(_ data: Data) -> UInt32 {
    var checksum = Checksum()
    checksum.update(data)
    return checksum.value
  }
}
