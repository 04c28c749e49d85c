package import Foundation

/// SHA-256 (FIPS 180-4), to tell one set of weights from another, and HMAC-SHA-256 (RFC 2104), by which the server names
/// its clients.
///
/// Written out here since the package that offers it compiles the whole of BoringSSL, five minutes on two cores; see
/// `docs/decisions/sha256.md`.
package enum SHA256 {
  /// The digest of `data` as 64 lower-case hexadecimal digits.
  package static func hexadecimal(of data: Data) -> String {
    digest(of: data).map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// The HMAC-SHA-256 of `data`, 32 bytes.
  package static func authenticationCode(of data: Data, key: Data) -> Data {
    func bytes(_ words: [UInt32]) -> Data {
      words.reduce(into: Data()) { data, word in withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) } }
    }
    var block = [UInt8](key.count > blockBytes ? bytes(digest(of: key)) : key)
    block += [UInt8](repeating: 0, count: blockBytes - block.count)
    let inner = bytes(digest(of: Data(block.map { $0 ^ 0x36 }) + data))
    return bytes(digest(of: Data(block.map { $0 ^ 0x5C }) + inner))
  }

  private static func digest(of data: Data) -> [UInt32] {
    var state: [UInt32] = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    let whole = data.count / blockBytes * blockBytes
    data.withUnsafeBytes { update(&state, UnsafeRawBufferPointer(rebasing: $0[..<whole])) }

    var tail = [UInt8](data.suffix(data.count - whole))
    tail.append(0x80)
    while tail.count % blockBytes != blockBytes - 8 { tail.append(0) }
    withUnsafeBytes(of: (UInt64(data.count) * 8).bigEndian) { tail.append(contentsOf: $0) }
    tail.withUnsafeBytes { update(&state, $0) }
    return state
  }

  private static let blockBytes = 64

  /// Section 6.2.2, over whole blocks.
  private static func update(_ state: inout [UInt32], _ blocks: UnsafeRawBufferPointer) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
      constants.withUnsafeBufferPointer { constants in
        for block in stride(from: 0, to: blocks.count, by: blockBytes) {
          for t in 0..<16 {
            let word = blocks.loadUnaligned(fromByteOffset: block + 4 * t, as: UInt32.self)
            schedule.initializeElement(at: t, to: UInt32(bigEndian: word))
          }
          for t in 16..<64 {
            let (w15, w2) = (schedule[t - 15], schedule[t - 2])
            let sigma0 = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 >> 3)
            let sigma1 = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 >> 10)
            schedule.initializeElement(at: t, to: sigma1 &+ schedule[t - 7] &+ sigma0 &+ schedule[t - 16])
          }
          var (a, b, c, d) = (state[0], state[1], state[2], state[3])
          var (e, f, g, h) = (state[4], state[5], state[6], state[7])
          for t in 0..<64 {
            let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let t1 = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ constants[t] &+ schedule[t]
            let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let t2 = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
          }
          for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
      }
    }
  }

  @inline(__always)
  private static func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
  private static let constants: [UInt32] = primes(64).map { prime in
    // floor(cbrt(prime) * 2^32) by bisection in whole numbers, so that no rounding can touch the last bit.
    var (low, high) = (UInt64(0), UInt64(8) << 32)
    while high - low > 1 {
      let middle = (low + high) / 2
      if cubeIsAtMost(middle, prime << 96) { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  private static func cubeIsAtMost(_ value: UInt64, _ limit: UInt128) -> Bool {
    let square = UInt128(value) * UInt128(value)
    let (cube, overflow) = square.multipliedReportingOverflow(by: UInt128(value))
    return !overflow && cube <= limit
  }

  private static func primes(_ count: Int) -> [UInt128] {
    var found: [UInt128] = []
    var candidate: UInt128 = 2
    while found.count < count {
      if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
      candidate += 1
    }
    return found
  }
}
