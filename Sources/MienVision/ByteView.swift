/// A file's bytes for header parsers: every read past the end is nil, so that truncated data cannot be misread.
struct ByteView {
  let bytes: UnsafeRawBufferPointer

  var count: Int { bytes.count }

  func u8(_ offset: Int) -> Int? {
    guard offset >= 0, offset < bytes.count else { return nil }
    return Int(bytes[offset])
  }

  /// The unsigned number in `count` bytes (at most 7) from `offset`.
  func number(_ offset: Int, bytes count: Int, bigEndian: Bool) -> Int? {
    guard offset >= 0, count >= 0, count <= 7, offset <= bytes.count - count else { return nil }
    var value = 0
    for index in 0..<count {
      value = value << 8 | Int(bytes[offset + (bigEndian ? index : count - 1 - index)])
    }
    return value
  }

  func bigEndian16(_ offset: Int) -> Int? { number(offset, bytes: 2, bigEndian: true) }
  func bigEndian32(_ offset: Int) -> Int? { number(offset, bytes: 4, bigEndian: true) }
  func littleEndian16(_ offset: Int) -> Int? { number(offset, bytes: 2, bigEndian: false) }
  func littleEndian24(_ offset: Int) -> Int? { number(offset, bytes: 3, bigEndian: false) }
  func littleEndian32(_ offset: Int) -> Int? { number(offset, bytes: 4, bigEndian: false) }

  /// Whether `text`'s bytes stand at `offset`.
  func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    guard offset >= 0, offset <= bytes.count - text.utf8CodeUnitCount else { return false }
    return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[offset + $0] == text.utf8Start[$0] }
  }

  /// Whether `pattern` stands at `offset`.
  func has(_ pattern: [UInt8], at offset: Int = 0) -> Bool {
    guard offset >= 0, offset <= bytes.count - pattern.count else { return false }
    return pattern.indices.allSatisfy { bytes[offset + $0] == pattern[$0] }
  }

  /// The four bytes at `offset` as text.
  func text(_ offset: Int) -> String? { part(offset, count: 4).map { String(decoding: $0.bytes, as: UTF8.self) } }

  /// A part of the file; nil where it does not lie inside.
  func part(_ offset: Int, count: Int) -> ByteView? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
    return ByteView(bytes: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
  }
}
