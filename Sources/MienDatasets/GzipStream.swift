import CSystemZlib
import MienCore

/// A gzip file (RFC 1952) inflated as it is read; several members in a row are one stream.
final class GzipStream: ByteStream {
  private let source: any ByteStream
  private let name: String
  /// zlib keeps the address, so it must not move.
  private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var input: [UInt8] = []
  private var offset = 0
  private var isInMember = false
  private var members = 0
  private static let chunkBytes = 1 << 20

  /// A stream over the bytes of `source`, called `name` in errors.
  ///
  /// - Throws: ``MienError`` if zlib cannot be set up.
  init(_ source: any ByteStream, name: String) throws {
    self.source = source
    self.name = name
    state.initialize(to: z_stream())
    // 16 more than the largest window: gzip's header and checksum.
    let status = inflateInit2_(state, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw MienError(.native, name, "cannot be inflated: zlib failed with \(status)") }
  }

  deinit {
    inflateEnd(state)
    state.deallocate()
  }

  func next() throws -> [UInt8] {
    while true {
      if offset == input.count {
        input = try source.next()
        offset = 0
        if input.isEmpty {
          guard !isInMember else {
            throw MienError(.format, name, "is a gzip file that ends early; it was not copied or downloaded whole")
          }
          return []
        }
      }
      if !isInMember {
        // Like gzip, pass over padding behind the last member.
        if members > 0, input[offset] != 0x1F {
          offset = input.count
          continue
        }
        inflateReset(state)
        isInMember = true
        members += 1
      }
      let output = try inflated()
      if !output.isEmpty { return output }
    }
  }

  private func inflated() throws -> [UInt8] {
    var status = Z_OK
    let output = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
      input.withUnsafeMutableBufferPointer { bytes in
        state.pointee.next_in = bytes.baseAddress.map { $0 + offset }
        state.pointee.avail_in = UInt32(bytes.count - offset)
        state.pointee.next_out = buffer.baseAddress
        state.pointee.avail_out = UInt32(buffer.count)
        status = inflate(state, Z_NO_FLUSH)
        offset = bytes.count - Int(state.pointee.avail_in)
      }
      count = buffer.count - Int(state.pointee.avail_out)
    }
    switch status {
    case Z_STREAM_END: isInMember = false
    case Z_OK, Z_BUF_ERROR: break
    default: throw MienError(.format, name, "is a damaged gzip file")
    }
    return output
  }
}
