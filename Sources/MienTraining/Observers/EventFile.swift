import Foundation
import MienCore

/// A file of TensorBoard events, written from its beginning, event by event.
///
/// Framing is that of TFRecord: length u64, masked CRC-32C of the length, bytes, masked CRC-32C of the bytes, all
/// little-endian. The bytes are protocol buffers: `Event` (1 wall_time double, 2 step int64, 3 file_version string, 5
/// summary, 7 session_log), `Summary` (1 value), `Value` (1 tag string, 2 simple_value float), `SessionLog` (1 status).
struct EventFile {
  private let handle: FileHandle
  private let url: URL

  /// Creates `url` and writes the header.
  ///
  /// - Throws: ``MienError`` where the file is there already or cannot be written.
  init(creating url: URL, seconds: Double) throws {
    self.url = url
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw MienError(.file, url.relativePath, "could not be made: \(String(cString: strerror(errno)))")
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try write(Self.event(seconds: seconds, step: 0, Self.field(3, Data("brain.Event:2".utf8))))
  }

  /// Tells readers to forget what earlier files say of `step` and later ones.
  func restart(at step: Int, seconds: Double) throws {
    try write(Self.event(seconds: seconds, step: step, Self.field(7, Self.field(1, varint: 1))))
  }

  /// Adds values of `step`.
  func add(step: Int, seconds: Double, scalars: [(tag: String, value: Double)]) throws {
    let summary = scalars.reduce(into: Data()) { summary, scalar in
      let value = Self.field(1, Data(scalar.tag.utf8)) + Self.field(2, float: Float(scalar.value))
      summary += Self.field(1, value)
    }
    try write(Self.event(seconds: seconds, step: step, Self.field(5, summary)))
  }

  private func write(_ event: Data) throws {
    let length = Self.littleEndian(UInt64(event.count))
    let record = length + Self.littleEndian(CRC32C.masked(length)) + event + Self.littleEndian(CRC32C.masked(event))
    do { try handle.write(contentsOf: record) } catch {
      throw MienError(.file, url.relativePath, "could not be written: \(error.localizedDescription)")
    }
  }

  private static func event(seconds: Double, step: Int, _ content: Data) -> Data {
    Data([1 << 3 | 1]) + littleEndian(seconds.bitPattern) + field(2, varint: UInt64(step)) + content
  }

  private static func field(_ number: UInt8, _ bytes: Data) -> Data {
    Data([number << 3 | 2]) + varint(UInt64(bytes.count)) + bytes
  }

  private static func field(_ number: UInt8, varint value: UInt64) -> Data { Data([number << 3]) + varint(value) }

  private static func field(_ number: UInt8, float value: Float) -> Data {
    Data([number << 3 | 5]) + littleEndian(value.bitPattern)
  }

  private static func varint(_ value: UInt64) -> Data {
    var (rest, bytes) = (value, Data())
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}

/// The Castagnoli checksum (RFC 3720, appendix B.4).
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// The checksum as TFRecord files hold it, so that a checksum of data with checksums in it stays sound.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let value = checksum(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
