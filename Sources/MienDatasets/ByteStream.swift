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
    case .file(let url): url.relativePath
    case .standardInput: "standard input"
    }
  }
}

/// Bytes in chunks.
protocol ByteStream: AnyObject {
  /// The next chunk; empty at the end.
  ///
  /// - Throws: ``MienError`` naming the source if it cannot be read or is damaged.
  func next() throws -> [UInt8]
}

/// Opens tables: gzip is inflated, the one table in a tar archive is read, UTF-16 becomes UTF-8.
enum TableStream {
  /// The text of `source` as UTF-8.
  ///
  /// - Throws: ``MienError`` naming the source if it cannot be read, or is an archive, a picture or a document.
  static func open(_ source: ByteSource) throws -> any ByteStream {
    var stream = try PeekedStream(FileStream(source))
    if FileSignature(stream.start)?.kind == .gzip { stream = try PeekedStream(GzipStream(stream, name: source.name)) }
    if TarStream.isTar(stream.start) { stream = try PeekedStream(TarStream(stream, name: source.name)) }
    if let signature = FileSignature(stream.start) {
      switch signature.kind {
      case .table: break
      case .gzip:
        throw MienError(.format, source.name, "is a gzip file within a gzip file; unpack it first: gunzip FILE")
      case .archive:
        let command = signature.unpacking ?? ""
        let name = source == .standardInput ? "FILE" : ShellWord.quoted(source.name)
        throw MienError(
          .format, source.name, "is \(signature.name), expected a CSV; unpack it first: \(command) \(name)")
      case .picture:
        throw MienError(
          .format, source.name,
          "is \(signature.name), expected a CSV; pictures in class folders are read by `mien dataset import folders`")
      case .faces:
        throw MienError(
          .format, source.name, "is \(signature.name) already; `mien dataset inspect` shows what is in it")
      case .document: throw MienError(.format, source.name, "is \(signature.name), expected a CSV")
      }
    }
    return UTF16Stream.order(of: stream.start).map { UTF16Stream(stream, isBigEndian: $0) } ?? stream
  }
}

/// The bytes of a file or of standard input.
private final class FileStream: ByteStream {
  private let source: ByteSource
  private let descriptor: CInt
  private static let chunkBytes = 1 << 20

  init(_ source: ByteSource) throws {
    self.source = source
    switch source {
    case .standardInput: descriptor = STDIN_FILENO
    case .file(let url):
      descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileProblem.error(reading: url) }
    }
  }

  deinit {
    if source != .standardInput { close(descriptor) }
  }

  func next() throws -> [UInt8] {
    var failure: CInt = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
      while true {
        let read = read(descriptor, buffer.baseAddress, buffer.count)
        if read < 0, errno == EINTR { continue }
        if read < 0 { failure = errno }
        count = max(0, read)
        return
      }
    }
    guard failure == 0 else {
      let reason =
        failure == EISDIR
        ? "is a folder, expected a file; pictures in class folders are read by `mien dataset import folders`"
        : String(cString: strerror(failure))
      throw MienError(.file, source.name, reason)
    }
    return chunk
  }
}

/// A stream whose beginning can be looked at first.
private final class PeekedStream: ByteStream {
  /// The first bytes, ``FileSignature/bytes`` or more if there are as many.
  private(set) var start: [UInt8] = []
  private let source: any ByteStream
  private var isStarted = false

  init(_ source: any ByteStream) throws {
    self.source = source
    while start.count < FileSignature.bytes {
      let chunk = try source.next()
      if chunk.isEmpty { break }
      start += chunk
    }
  }

  func next() throws -> [UInt8] {
    if isStarted { return try source.next() }
    isStarted = true
    defer { start = [] }
    return start
  }
}

/// UTF-16 as UTF-8, as spreadsheets write "Unicode text".
private final class UTF16Stream: ByteStream {
  private let source: any ByteStream
  private let isBigEndian: Bool
  private var rest: [UInt8] = []

  init(_ source: any ByteStream, isBigEndian: Bool) {
    self.source = source
    self.isBigEndian = isBigEndian
  }

  /// Whether text that begins with `start` is big-endian UTF-16, by its byte order mark or the zeros of Latin letters;
  /// nil for other encodings.
  static func order(of start: [UInt8]) -> Bool? {
    guard start.count >= 4 else { return nil }
    if start.starts(with: [0xFE, 0xFF]) { return true }
    if start.starts(with: [0xFF, 0xFE]) { return false }
    switch (start[0] == 0, start[1] == 0, start[2] == 0, start[3] == 0) {
    case (true, false, true, false): return true
    case (false, true, false, true): return false
    default: return nil
    }
  }

  func next() throws -> [UInt8] {
    let chunk = try source.next()
    let bytes = rest + chunk
    guard !bytes.isEmpty else { return [] }
    let (high, low) = isBigEndian ? (0, 1) : (1, 0)
    var units = stride(from: 0, to: bytes.count - 1, by: 2).map { (index: Int) -> UInt16 in
      UInt16(bytes[index + high]) << 8 | UInt16(bytes[index + low])
    }
    rest = bytes.count % 2 == 0 || chunk.isEmpty ? [] : [bytes[bytes.count - 1]]
    // A character in two units may be cut in two.
    if let last = units.last, (0xD800..<0xDC00).contains(last), !chunk.isEmpty {
      units.removeLast()
      rest = bytes.suffix(rest.count + 2)
    }
    let text = [UInt8](String(decoding: units, as: UTF16.self).utf8)
    return text.isEmpty && !chunk.isEmpty ? try next() : text
  }
}
