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

  /// Groups of faces that are exact or near copies of one another, by way of others too; ascending in each group, and
  /// by first face. Faces of one known subject whose labels differ share a group by exact copies only: the first near
  /// copies found decide which of them a face between goes with.
  ///
  /// Only faces that share one of twelve bytes of their bits are looked at, so every pair whose bits differ in at most
  /// eleven of the 96 is found, and most others; of those the few with like bits are compared pixel by pixel, on every
  /// core. Pairs in one group already are not compared. At worst, where most faces are alike and few near copies, that
  /// is nine correlations a pair, and the time grows with the square of the set.
  ///
  /// - Parameter progress: called often with the number of faces compared, as if all were compared at the same pace.
  func families(exact: [[Int]], signatures: [FaceSignature], progress: (Int) -> Void) -> [[Int]] {
    let block = 512
    var groups = DisjointGroups(faces)
    var isRepeated = [Bool](repeating: false, count: faces.count)
    for group in exact {
      for index in group.dropFirst() {
        groups.join(group[0], index)
        isRepeated[index] = true
      }
    }
    let distinct = signatures.indices.filter { !isRepeated[$0] && !signatures[$0].isBlank }
    let bits = distinct.map { signatures[$0].bits }
    var compared = 0
    for key in 0..<FaceSignature.keyCount {
      for bucket in buckets(bits, key) {
        for (position, first) in bucket.enumerated() {
          let face = distinct[first]
          for start in stride(from: position + 1, to: bucket.count, by: block) {
            var candidates: [Int] = []
            for second in bucket[start..<min(start + block, bucket.count)]
            where FaceSignature.distance(bits[first], bits[second]) <= FaceSignature.maximumDistance
              && !shareKey(bits[first], bits[second], before: key) && groups.mayJoin(face, distinct[second])
            {
              candidates.append(distinct[second])
            }
            for copy in nearCopies(of: face, among: candidates, signatures) where groups.mayJoin(face, copy) {
              groups.join(face, copy)
            }
          }
          compared += 1
          progress(compared / FaceSignature.keyCount)
        }
      }
    }
    return groups.largerThanOne()
  }

  /// Those of `candidates` that are near copies of `face`, in order.
  private func nearCopies(of face: Int, among candidates: [Int], _ signatures: [FaceSignature]) -> [Int] {
    let piece = 64
    guard candidates.count > piece else {
      return candidates.filter { FaceSignature.areSimilar(signatures[face], signatures[$0]) }
    }
    let pieces = (candidates.count + piece - 1) / piece
    let results = Mutex([[Int]](repeating: [], count: pieces))
    DispatchQueue.concurrentPerform(iterations: pieces) { index in
      let part = candidates[(index * piece)..<min((index + 1) * piece, candidates.count)]
      let copies = part.filter { FaceSignature.areSimilar(signatures[face], signatures[$0]) }
      results.withLock { $0[index] = copies }
    }
    return results.withLock { $0.flatMap(\.self) }
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

/// Faces that are put together into groups (union by size, with path halving).
private struct DisjointGroups {
  private var parents: [Int]
  private var sizes: [Int]
  /// The labels of each known subject in a group, at its root.
  private var labels: [[String: Set<Emotion>]]

  init(_ faces: FaceSet) {
    parents = Array(0..<faces.count)
    sizes = [Int](repeating: 1, count: faces.count)
    labels = [[String: Set<Emotion>]](repeating: [:], count: faces.count)
    guard faces.hasSubjects else { return }
    for index in 0..<faces.count {
      let row = faces[index]
      if let subject = row.subject, let label = row.label { labels[index] = [subject: [label]] }
    }
  }

  private mutating func root(_ index: Int) -> Int {
    var index = index
    while parents[index] != index {
      parents[index] = parents[parents[index]]
      index = parents[index]
    }
    return index
  }

  /// Whether `a` and `b` are in different groups that show no subject with different labels.
  mutating func mayJoin(_ a: Int, _ b: Int) -> Bool {
    let (rootA, rootB) = (root(a), root(b))
    guard rootA != rootB else { return false }
    let isAFewer = labels[rootA].count < labels[rootB].count
    let (few, many) = isAFewer ? (rootA, rootB) : (rootB, rootA)
    return labels[few].allSatisfy { subject, own in labels[many][subject].map { own.union($0).count == 1 } ?? true }
  }

  mutating func join(_ a: Int, _ b: Int) {
    var (large, small) = (root(a), root(b))
    guard large != small else { return }
    if sizes[large] < sizes[small] { swap(&large, &small) }
    parents[small] = large
    sizes[large] += sizes[small]
    let moved = labels[small]
    labels[small] = [:]
    labels[large].merge(moved) { $0.union($1) }
  }

  /// The groups with more than one member, ascending in each, and by first member.
  mutating func largerThanOne() -> [[Int]] {
    var members: [Int: [Int]] = [:]
    for index in parents.indices { members[root(index), default: []].append(index) }
    return members.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }
}
