package import Foundation
import MienCore
import MienONNX

/// Keeps compiled networks between runs of the program: taking one from here costs a fraction of compiling it.
///
/// An entry is a file in `networks` of the cache folder (`Folders.cache`), named by the network, its input,
/// OpenVINO's version and the processor. One that is missing or damaged is made anew; a folder that cannot be written to
/// only costs time. Each size of pictures has networks of its own, so the entries used longest ago go when they become too
/// many.
package struct NetworkCache: Sendable {
  /// The folder; `nil` keeps nothing.
  let folder: URL?

  private static let magic = Data("mien-network-1\n".utf8)

  /// Bytes that the entries take at most.
  private let capacity: Int

  /// A cache in `folder`.
  package init(folder: URL?, capacity: Int = 256 << 20) { (self.folder, self.capacity) = (folder, capacity) }

  /// The process's cache.
  package static let shared = NetworkCache(
    folder: Folders.cache().appendingPathComponent("networks", isDirectory: true))

  /// Whether nothing was kept yet: then the first use takes longer.
  package var isEmpty: Bool {
    folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.path).isEmpty } ?? true
  }

  /// The network of `key`, from the cache or else by `compile`.
  ///
  /// - Parameters:
  ///   - key: names the network and all that was done to it.
  ///   - rounds: whether it may compute in bf16.
  func network(
    _ key: String, threads: Int?, rounds: Bool = false, compile: () throws -> CompiledNetwork
  ) throws -> CompiledNetwork {
    guard let folder else { return try compile() }
    let identity = Data((key + (rounds ? " rounds\n" : "\n") + (try OpenVINO.identity())).utf8)
    let url = folder.appendingPathComponent(SHA256.hexadecimal(of: identity).prefix(40) + ".bin")
    if let kept = Self.payload(url),
      let network = try? CompiledNetwork(exported: kept, threads: threads, rounds: rounds)
    {
      // It was used now.
      utimes(url.path, nil)
      return network
    }
    let network = try compile()
    // Without room or rights the next run compiles again.
    if let bytes = try? network.exported() {
      try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let sum = withUnsafeBytes(of: Self.checksum(bytes).littleEndian) { Data($0) }
      try? AtomicFile.write(to: url, chunks: [Self.magic, sum, Data(bytes)])
      makeRoom(in: folder)
    }
    return network
  }

  /// Removes the entries that were used longest ago until the rest fit.
  private func makeRoom(in folder: URL) {
    let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey]
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys))) ?? []
    let entries = files.filter { $0.pathExtension == "bin" }.compactMap { url in
      (try? url.resourceValues(forKeys: keys)).map {
        (url: url, size: $0.fileSize ?? 0, used: $0.contentModificationDate ?? .distantPast)
      }
    }
    var total = entries.reduce(0) { $0 + $1.size }
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > capacity {
      try? FileManager.default.removeItem(at: entry.url)
      total -= entry.size
    }
  }

  /// What an entry holds; `nil` where it is missing or damaged.
  private static func payload(_ url: URL) -> [UInt8]? {
    guard let data = try? Data(contentsOf: url), data.starts(with: magic), data.count > magic.count + 8 else {
      return nil
    }
    let sum = data[magic.count..<(magic.count + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let payload = [UInt8](data[(magic.count + 8)...])
    return checksum(payload) == sum ? payload : nil
  }

  /// Tells damage: FNV-1a (RFC 9923) over words of eight bytes, and the length.
  private static func checksum(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { bytes in
      var sum: UInt64 = 0xCBF2_9CE4_8422_2325
      func add(_ word: UInt64) { sum = (sum ^ word) &* 0x100_0000_01B3 }
      let whole = bytes.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      }
      for offset in whole..<bytes.count { add(UInt64(bytes[offset])) }
      add(UInt64(bytes.count))
      return sum
    }
  }
}
