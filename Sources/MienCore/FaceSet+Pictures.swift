public import Foundation

/// Telling pictures, and sets of them, from one another.
extension FaceSet {
  /// A 64-bit hash of the size and all pixels of face `index`. Equal pictures have equal hashes; different ones nearly
  /// always have different ones.
  package func pictureHash(at index: Int) -> UInt64 {
    var mixer = SeededRandom(seed: UInt64(width) << 32 | UInt64(height) << 8 | UInt64(channels))
    let start = index * faceBytes
    pixels.withUnsafeBytes { bytes in
      let face = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + faceBytes)])
      let whole = faceBytes / 8 * 8
      for offset in stride(from: 0, to: whole, by: 8) {
        mixer.state ^= UInt64(littleEndian: face.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        mixer.state = mixer.next()
      }
      for offset in whole..<faceBytes {
        mixer.state ^= UInt64(face[offset])
        mixer.state = mixer.next()
      }
    }
    return mixer.next()
  }

  /// A hash of the pictures of the faces at `indices`, as 32 hexadecimal digits: the same for the same pictures in any
  /// order and in any set. A model's card names by it the faces that its weights come from.
  public func picturesHash(of indices: some Sequence<Int>) -> String {
    let hashes = indices.map(pictureHash).sorted()
    // Two lanes of different seeds.
    return [UInt64(0x4D69_656E), 0x6661_6365].map { seed in
      var mixer = SeededRandom(seed: seed ^ UInt64(hashes.count))
      for hash in hashes {
        mixer.state ^= hash
        mixer.state = mixer.next()
      }
      let digits = String(mixer.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// A sample of the pictures of the faces at `indices`: the ``PictureSample/size`` smallest hashes, or all if there are
  /// fewer. A model's card holds it, so that faces of other sets can be compared with those that it was trained on.
  public func picturesSample(of indices: some Sequence<Int>) -> PictureSample {
    PictureSample(Set(indices.map(pictureHash)))
  }

  /// Those of `indices` whose picture is that of a face in `others`, alike to the last pixel, and that are not in
  /// `others` themselves.
  func copies(among indices: [Int], of others: Set<Int>) -> Set<Int> {
    let pictures = Set(others.map(pictureHash))
    return Set(indices).subtracting(others).filter { pictures.contains(pictureHash(at: $0)) }
  }
}

extension FaceSet {
  /// One set of the faces of `sets`, in their order, as a network with the input `preprocessing` takes them.
  ///
  /// Sets of one source share their subjects and sequences, as in ``splitFaces``.
  ///
  /// - Parameter labels: of what labels the faces keep their own; faces of sets with other labels have none, but keep their
  ///   votes. If no set has these, those of the first set.
  /// - Throws: ``MienError`` where there is no set, or they differ in size.
  package init(joining sets: [FaceSet], labels: LabelSet, for preprocessing: Preprocessing) throws {
    guard let first = sets.first else { throw MienError(.argument, nil, "no set of faces to join") }
    guard sets.count > 1 else {
      self = first
      return
    }
    let own = sets.contains { $0.labelSet == labels } ? labels : first.labelSet
    let rows = sets.flatMap { set in
      zip(0..<set.count, set.splitFaces).map { index, face in
        var row = set[index]
        if set.labelSet != own { row.label = nil }
        (row.subject, row.sequence) = (face.subject, face.sequence)
        return row
      }
    }
    try self.init(
      source: sets.map(\.info.source).joined(separator: "+"), labelSet: own, height: first.height, width: first.width,
      channels: preprocessing.channels, rows: rows,
      pixels: Data(sets.flatMap { preprocessing.bytes(Array($0.pixels), sourceChannels: $0.channels) }))
  }
}

/// Hashes of some pictures of a set, the smallest ones: a bottom-k sketch (Cohen and Kaplan, PODC 2007). As hashes are spread
/// evenly, it tells of a fair sample of any other pictures whether they are among those of the set.
public struct PictureSample: Sendable, Equatable, Codable {
  /// How many hashes are kept at most.
  public static let size = 512

  /// In rising order.
  private let hashes: [UInt64]

  init(_ pictures: Set<UInt64>) { hashes = Array(pictures.sorted().prefix(Self.size)) }

  /// Reads it as base64 of the hashes, 8 little-endian bytes each.
  public init(from decoder: any Decoder) throws {
    let data = try Data(from: decoder)
    hashes = stride(from: 0, to: data.count / 8 * 8, by: 8).map { offset in
      data.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }.sorted()
  }

  /// Writes it as base64 of the hashes, 8 little-endian bytes each.
  public func encode(to encoder: any Encoder) throws {
    try hashes.map(\.littleEndian).withUnsafeBytes { Data($0) }.encode(to: encoder)
  }

  /// Whether every picture of the set is in the sample.
  var isComplete: Bool { hashes.count < Self.size }

  /// The share of `pictures` that are in the set, 0…1, told by those for which the sample knows it; `nil` if there are
  /// none.
  func share(of pictures: [UInt64]) -> Double? {
    let known = pictures.filter { isComplete || $0 <= hashes.last ?? 0 }
    guard !known.isEmpty else { return nil }
    return Double(known.count(where: contains)) / Double(known.count)
  }

  /// Whether the sample holds a picture.
  func contains(_ picture: UInt64) -> Bool {
    var (low, high) = (0, hashes.count)
    while low < high {
      let middle = (low + high) / 2
      if hashes[middle] < picture { low = middle + 1 } else { high = middle }
    }
    return low < hashes.count && hashes[low] == picture
  }
}
