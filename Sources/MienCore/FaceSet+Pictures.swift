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

  /// Those of `indices` whose picture is that of a face in `others`, alike to the last pixel, and that are not in
  /// `others` themselves.
  func copies(among indices: [Int], of others: Set<Int>) -> Set<Int> {
    let pictures = Set(others.map(pictureHash))
    return Set(indices).subtracting(others).filter { pictures.contains(pictureHash(at: $0)) }
  }
}
