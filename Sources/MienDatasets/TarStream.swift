import MienCore

/// The bytes of the one CSV in a tar archive (POSIX ustar, GNU).
final class TarStream: ByteStream {
  private let source: any ByteStream
  private let name: String
  private var buffer: [UInt8] = []
  /// Bytes of the table that are still to come, and of the padding behind it.
  private var left = 0
  private var padding = 0
  private var table: String?
  private var others: [String] = []
  private static let block = 512

  /// A stream over the archive in `source`, called `name` in errors.
  init(_ source: any ByteStream, name: String) {
    self.source = source
    self.name = name
  }

  /// Whether a file that begins with `start` is a tar archive.
  static func isTar(_ start: [UInt8]) -> Bool { start.dropFirst(257).starts(with: Array("ustar".utf8)) }

  func next() throws -> [UInt8] {
    if left == 0, try !findTable() { return [] }
    if buffer.isEmpty { try fill() }
    let chunk = Array(buffer.prefix(left))
    buffer.removeFirst(chunk.count)
    left -= chunk.count
    return chunk
  }

  /// Goes on to the next table; false at the archive's end.
  private func findTable() throws -> Bool {
    try skip(padding)
    padding = 0
    while true {
      while buffer.count < Self.block, try !isAtEnd() {}
      // Archives end with blocks of zeros, which may be missing.
      guard buffer.count >= Self.block, buffer[0] != 0 else { break }
      let header = Array(buffer.prefix(Self.block))
      buffer.removeFirst(Self.block)
      let size = try Self.size(header[124..<136]) ?? { throw MienError(.format, name, "is a damaged tar archive") }()
      let path = Self.text(header[0..<100])
      let file = path.split(separator: "/").last.map(String.init) ?? path
      let blanks = (Self.block - size % Self.block) % Self.block
      let isFile = header[156] == UInt8(ascii: "0") || header[156] == 0
      if isFile, file.lowercased().hasSuffix(".csv"), !file.hasPrefix(".") {
        if let table {
          throw MienError(
            .format, name,
            "is an archive of several tables (\(table), \(path), …); unpack it and name one: tar xf \(quotedName)")
        }
        table = path
        (left, padding) = (size, blanks)
        if size > 0 { return true }
      } else {
        if isFile, others.count < 3 { others.append(path) }
        try skip(size + blanks)
      }
    }
    guard table != nil else {
      let found = others.isEmpty ? "" : " (but \(others.joined(separator: ", ")), …)"
      throw MienError(
        .format, name,
        "is an archive without a CSV\(found); unpack it with tar xf \(quotedName) and, if it holds pictures in class "
          + "folders, give the folder to `mien dataset import folders`")
    }
    return false
  }

  private var quotedName: String { ShellWord.quoted(name) }

  private func skip(_ count: Int) throws {
    var count = count
    while count > 0 {
      if buffer.isEmpty { try fill() }
      let part = min(count, buffer.count)
      buffer.removeFirst(part)
      count -= part
    }
  }

  /// Reads a chunk, which must be there.
  private func fill() throws {
    guard try !isAtEnd() else {
      throw MienError(.format, name, "is an archive that ends early; it was not copied or downloaded whole")
    }
  }

  /// Reads a chunk; true if there is none.
  private func isAtEnd() throws -> Bool {
    let chunk = try source.next()
    buffer += chunk
    return chunk.isEmpty
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// A size: octal digits, or big-endian bytes behind a set first bit.
  private static func size(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      let value = field.dropFirst().suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Int(exactly: value).flatMap { $0 <= 1 << 50 ? $0 : nil }
    }
    return Int(text(field).filter { !$0.isWhitespace }, radix: 8).flatMap { $0 >= 0 ? $0 : nil }
  }
}
