public import Foundation
import Glibc
import MienCore

/// Where an importer reads a stream of bytes from.
public enum ByteSource: Sendable, Equatable {
  /// A file.
  case file(URL)
  /// The program's standard input.
  case standardInput

  /// The name to use in messages.
  public var name: String {
    switch self {
    case .file(let url): url.path
    case .standardInput: "standard input"
    }
  }
}

/// Reads a source line by line in bounded memory: one chunk, and a line at most.
final class LineReader {
  private let source: ByteSource
  private let descriptor: CInt
  private static let chunkBytes = 1 << 20
  /// The longest line accepted; a row of FER2013 takes about 9,000 bytes.
  static let longestLine = 4 << 20

  /// Opens `source`.
  ///
  /// - Throws: ``MienError`` naming the file where it cannot be read.
  init(_ source: ByteSource) throws {
    self.source = source
    switch source {
    case .standardInput: descriptor = STDIN_FILENO
    case .file(let url):
      descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw MienError(.file, url.path, FileProblem.reading(url)) }
    }
  }

  deinit {
    if source != .standardInput { close(descriptor) }
  }

  /// Calls `body` with each line, without its line end (LF or CRLF), and its number from 1. A byte order mark before
  /// the first line is left out, and the last line needs no line end.
  ///
  /// - Throws: ``MienError`` where reading fails or a line is longer than ``longestLine``; what `body` throws.
  func forEachLine(_ body: (Span<UInt8>, Int) throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
    var filled = 0
    var number = 0
    var atEnd = false
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
    while !atEnd {
      if filled == buffer.count {
        guard buffer.count < Self.longestLine else {
          throw MienError(
            .format, "\(source.name), line \(number + 1)",
            "longer than \(Self.longestLine) bytes, expected rows of a CSV")
        }
        buffer.append(contentsOf: repeatElement(0, count: buffer.count))
      }
      let searched = filled
      let count = try fill(&buffer, from: filled)
      atEnd = count == 0
      filled += count
      var start = 0
      var search = searched
      while let end = Self.newline(in: buffer, search..<filled) {
        try deliver(start..<end)
        start = end + 1
        search = start
      }
      if atEnd, start < filled { try deliver(start..<filled) }
      buffer.withUnsafeMutableBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<filled])
        bytes.copyMemory(from: rest)
      }
      filled -= start
    }
  }

  /// Reads once into `buffer` from `offset` on; 0 at the end.
  private func fill(_ buffer: inout [UInt8], from offset: Int) throws -> Int {
    while true {
      let count = buffer.withUnsafeMutableBytes { bytes in
        let free = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
        return read(descriptor, free.baseAddress, free.count)
      }
      if count >= 0 { return count }
      guard errno == EINTR else {
        let reason = errno == EISDIR ? "is a folder, expected a file" : String(cString: strerror(errno))
        throw MienError(.file, source.name, reason)
      }
    }
  }

  private static func newline(in buffer: [UInt8], _ range: Range<Int>) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard !range.isEmpty, let base = bytes.baseAddress,
        let found = memchr(base + range.lowerBound, CInt(UInt8(ascii: "\n")), range.count)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}
