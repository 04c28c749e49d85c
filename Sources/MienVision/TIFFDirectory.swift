/// The first directory of a TIFF structure, which EXIF uses too (TIFF 6.0, section 2).
struct TIFFDirectory {
  private let data: ByteView
  private let isBigEndian: Bool
  /// Tag to the entry's place, type and count.
  private var entries: [Int: (offset: Int, type: Int, count: Int)] = [:]

  /// Reads the directory; nil where `data` is no TIFF structure or ends within the directory.
  init?(_ data: ByteView) {
    guard data.has("II*\0") || data.has("MM\0*") else { return nil }
    self.data = data
    isBigEndian = data.has("MM")
    guard let start = data.number(4, bytes: 4, bigEndian: isBigEndian),
      let entryCount = data.number(start, bytes: 2, bigEndian: isBigEndian)
    else { return nil }
    for index in 0..<entryCount {
      let offset = start + 2 + 12 * index
      guard let tag = data.number(offset, bytes: 2, bigEndian: isBigEndian),
        let type = data.number(offset + 2, bytes: 2, bigEndian: isBigEndian),
        let count = data.number(offset + 4, bytes: 4, bigEndian: isBigEndian)
      else { return nil }
      // Of a tag that stands twice the first counts, as for libtiff.
      if entries[tag] == nil { entries[tag] = (offset, type, count) }
    }
  }

  /// The orientation tag; nil where it is absent or not 1...8.
  var orientation: Int? { value(274).flatMap { (1...8).contains($0) ? $0 : nil } }

  /// A tag's first number, of type BYTE, SHORT or LONG.
  func value(_ tag: Int) -> Int? { value(tag, index: 0) }

  private func value(_ tag: Int, index: Int) -> Int? {
    guard let entry = entries[tag], index < entry.count, let size = [1: 1, 3: 2, 4: 4][entry.type] else { return nil }
    // Up to four bytes stand in the entry itself; more stand where it points to.
    let start =
      entry.count * size <= 4
      ? entry.offset + 8 : data.number(entry.offset + 8, bytes: 4, bigEndian: isBigEndian)
    return start.flatMap { data.number($0 + index * size, bytes: size, bigEndian: isBigEndian) }
  }

  /// Whether all strips or tiles of the first picture lie inside the file.
  func isWhole(in file: ByteView) -> Bool {
    let (offsetTag, lengthTag) = entries[324] == nil ? (273, 279) : (324, 325)
    guard let entry = entries[offsetTag], entry.count > 0, entry.count <= file.count else { return false }
    // Old writers leave the lengths out; the decoder must notice then.
    guard entries[lengthTag] != nil else { return true }
    return (0..<entry.count).allSatisfy { index in
      guard let offset = value(offsetTag, index: index), let length = value(lengthTag, index: index) else {
        return false
      }
      return offset <= file.count && length <= file.count - offset
    }
  }
}
