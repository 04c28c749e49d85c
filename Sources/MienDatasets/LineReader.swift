import Foundation
import Glibc
import MienCore

/// Reads a table line by line in bounded memory: one chunk, and a line at most.
///
/// Lines end with LF, CRLF or CR. gzip, tar and UTF-16 are read as ``TableStream`` does.
final class LineReader {
  private let source: ByteSource
  private let stream: any ByteStream
  /// The longest line accepted; a row of FER2013 takes about 9,000 bytes.
  static let longestLine = 4 << 20

  /// Opens `source`.
  ///
  /// - Throws: ``MienError`` naming the file if it cannot be read or is no table.
  init(_ source: ByteSource) throws {
    self.source = source
    stream = try TableStream.open(source)
  }

  /// Calls `body` with each line, without its line end, and its number from 1. A byte order mark before the first line
  /// is left out, and the last line needs no line end.
  ///
  /// - Throws: ``MienError`` if reading fails or a line is longer than ``longestLine``; what `body` throws.
  func forEachLine(_ body: (Span<UInt8>, Int) throws -> Void) throws {
    // Begins with the first line that is not delivered yet.
    var buffer: [UInt8] = []
    var searched = 0
    var number = 0
    var lineEnd: UInt8?
    func deliver(_ range: Range<Int>) throws {
      number += 1
      let bytes = buffer.span
      var (start, end) = (range.lowerBound, range.upperBound)
      if number == 1, range.count >= 3, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF {
        start += 3
      }
      if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      try body(bytes.extracting(start..<end), number)
    }
    while true {
      let chunk = try stream.next()
      if chunk.isEmpty {
        if !buffer.isEmpty { try deliver(0..<buffer.count) }
        return
      }
      buffer += chunk
      let end = lineEnd ?? Self.lineEnd(of: buffer)
      lineEnd = end
      var start = 0
      while let found = Self.position(of: end, in: buffer, searched..<buffer.count) {
        try deliver(start..<found)
        start = found + 1
        searched = start
      }
      buffer.removeFirst(start)
      searched = buffer.count
      guard buffer.count <= Self.longestLine else {
        throw MienError(
          .format, "\(source.name), line \(number + 1)",
          "longer than \(Self.longestLine.grouped) bytes, expected rows of a CSV"
        )
      }
    }
  }

  /// CR if the first line of `text` ends with it alone, as on old Macs; else LF.
  private static func lineEnd(of text: [UInt8]) -> UInt8 {
    let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    guard let first = text.firstIndex(where: { $0 == carriageReturn || $0 == lineFeed }), text[first] == carriageReturn,
      first + 1 < text.count, text[first + 1] != lineFeed
    else { return lineFeed }
    return carriageReturn
  }

  private static func position(of byte: UInt8, in buffer: [UInt8], _ range: Range<Int>) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard !range.isEmpty, let base = bytes.baseAddress,
        let found = memchr(base + range.lowerBound, CInt(byte), range.count)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}
