import Dispatch
import MienCore
import Synchronization

/// Finds the faces of a set that show the same picture.
struct CopySearch {
  private let faces: FaceSet

  /// Searches `faces`.
  init(_ faces: FaceSet) { self.faces = faces }

  /// The faces whose pixels are equal, as groups of two and more; ascending in each group, and by first face.
  func exactGroups() -> [[Int]] {
    // Groups of each hash, as several pictures may share one.
    var groups: [[Int]] = []
    var lookup: [Int: [Int]] = [:]
    faces.pixels.withUnsafeBytes { bytes in
      func face(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(index * faces.faceBytes)..<((index + 1) * faces.faceBytes)])
      }
      for index in 0..<faces.count {
        var hasher = Hasher()
        hasher.combine(bytes: face(index))
        let hash = hasher.finalize()
        if let group = lookup[hash, default: []].first(where: { face(groups[$0][0]).elementsEqual(face(index)) }) {
          groups[group].append(index)
        } else {
          lookup[hash, default: []].append(groups.count)
          groups.append([index])
        }
      }
    }
    return groups.filter { $0.count > 1 }
  }

  /// The signatures of all faces, made on every core.
  func signatures(progress: (Int) -> Void) throws -> [FaceSignature] {
    let batch = 1024
    var signatures: [FaceSignature] = []
    signatures.reserveCapacity(faces.count)
    for start in stride(from: 0, to: faces.count, by: batch) {
      let count = min(batch, faces.count - start)
      let results = Mutex([Result<FaceSignature, any Error>?](repeating: nil, count: count))
      DispatchQueue.concurrentPerform(iterations: count) { offset in
        let result = Result { try FaceSignature(faces.image(at: start + offset)) }
        results.withLock { $0[offset] = result }
      }
      for case let result? in results.withLock({ $0 }) { signatures.append(try result.get()) }
      progress(signatures.count)
    }
    return signatures
  }

  /// Groups of faces that are exact or near copies of one another, by way of others too; ascending in each group, and by
  /// first face.
  ///
  /// Only faces that share one of twelve bytes of their bits are looked at, so every pair whose bits differ in at most
  /// eleven of the 96 is found, and most others; of those the few with like bits are compared pixel by pixel.
  func families(exact: [[Int]], signatures: [FaceSignature]) -> [[Int]] {
    var groups = DisjointGroups(count: faces.count)
    var isRepeated = [Bool](repeating: false, count: faces.count)
    for group in exact {
      for index in group.dropFirst() {
        groups.join(group[0], index)
        isRepeated[index] = true
      }
    }
    let distinct = signatures.indices.filter { !isRepeated[$0] && !signatures[$0].isBlank }
    let bits = distinct.map { signatures[$0].bits }
    for key in 0..<FaceSignature.keyCount {
      for bucket in buckets(bits, key) {
        for (position, first) in bucket.enumerated() {
          for second in bucket[(position + 1)...] {
            let (a, b) = (bits[first], bits[second])
            guard FaceSignature.distance(a, b) <= FaceSignature.maximumDistance, !shareKey(a, b, before: key),
              !groups.areJoined(distinct[first], distinct[second])
            else { continue }
            let similarity = FaceSignature.similarity(signatures[distinct[first]], signatures[distinct[second]])
            if similarity >= FaceSignature.nearThreshold { groups.join(distinct[first], distinct[second]) }
          }
        }
      }
    }
    return groups.largerThanOne()
  }

  private func byte(_ bits: SIMD2<UInt64>, _ key: Int) -> Int { Int(bits[key / 8] >> UInt64(key % 8 * 8) & 255) }

  private func buckets(_ bits: [SIMD2<UInt64>], _ key: Int) -> [[Int]] {
    var buckets = [[Int]](repeating: [], count: 256)
    for (index, bits) in bits.enumerated() { buckets[byte(bits, key)].append(index) }
    return buckets
  }

  /// Whether the pair has been looked at under an earlier key.
  private func shareKey(_ a: SIMD2<UInt64>, _ b: SIMD2<UInt64>, before key: Int) -> Bool {
    let difference = a ^ b
    return (0..<key).contains { byte(difference, $0) == 0 }
  }
}

/// Numbers that are put together into groups (union by size, with path halving).
private struct DisjointGroups {
  private var parents: [Int]
  private var sizes: [Int]

  init(count: Int) {
    parents = Array(0..<count)
    sizes = [Int](repeating: 1, count: count)
  }

  private mutating func root(_ index: Int) -> Int {
    var index = index
    while parents[index] != index {
      parents[index] = parents[parents[index]]
      index = parents[index]
    }
    return index
  }

  mutating func areJoined(_ a: Int, _ b: Int) -> Bool { root(a) == root(b) }

  mutating func join(_ a: Int, _ b: Int) {
    var (large, small) = (root(a), root(b))
    guard large != small else { return }
    if sizes[large] < sizes[small] { swap(&large, &small) }
    parents[small] = large
    sizes[large] += sizes[small]
  }

  /// The groups with more than one member, ascending in each, and by first member.
  mutating func largerThanOne() -> [[Int]] {
    var members: [Int: [Int]] = [:]
    for index in parents.indices { members[root(index), default: []].append(index) }
    return members.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }
}
