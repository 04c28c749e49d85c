/// The first directory of a TIFF structure, which EXIF uses too (TIFF 6.0, section 2; BigTIFF).
struct TIFFDirectory {
  private let data: ByteView
  private let isBigEndian: Bool
  private let isBig: Bool
  /// Tag to the entry's value field, type and count.
  private var entries: [Int: (offset: Int, type: Int, count: Int)] = [:]
  /// Where the next directory starts; `nil` if this is the last.
  private var next: Int?
  private let start: Int
  private let entryCount: Int

  /// Pages are counted up to here.
  private static let maxPages = 10_000
  /// Sizes of the numbers of the types BYTE, SHORT, LONG and LONG8.
  private static func size(ofType type: Int) -> Int? {
    switch type {
    case 1: 1
    case 3: 2
    case 4: 4
    case 16: 8
    default: nil
    }
  }

  /// Reads the directory; `nil` if `data` is no TIFF structure or ends within the directory.
  init?(_ data: ByteView) {
    self.init(data, at: nil)
  }

  /// - Parameter tags: the tags that are kept; all if `nil`.
  private init?(_ data: ByteView, at place: Int?, tags: [Int]? = nil) {
    let isClassic = data.has("II*\0") || data.has("MM\0*")
    guard isClassic || data.has("II+\0") || data.has("MM\0+") else { return nil }
    let (isBig, isBigEndian) = (!isClassic, data.has("MM"))
    let (fieldBytes, entryBytes) = isBig ? (8, 20) : (4, 12)
    guard let start = place ?? Self.number(data, isBig ? 8 : 4, fieldBytes, isBigEndian),
      let entryCount = Self.number(data, start, isBig ? 8 : 2, isBigEndian), entryCount <= 65535
    else { return nil }
    (self.data, self.isBig, self.isBigEndian, self.start) = (data, isBig, isBigEndian, start)
    self.entryCount = entryCount
    let first = start + (isBig ? 8 : 2)
    for index in 0..<entryCount {
      let offset = first + entryBytes * index
      guard let tag = number(offset, 2), let type = number(offset + 2, 2), let count = number(offset + 4, fieldBytes)
      else { return nil }
      // Of a tag that stands twice the first counts, as for libtiff.
      if tags?.contains(tag) != false, entries[tag] == nil { entries[tag] = (offset + 4 + fieldBytes, type, count) }
    }
    next = number(first + entryBytes * entryCount, fieldBytes).flatMap { $0 > 0 ? $0 : nil }
  }

  /// An unsigned number of up to eight bytes, which no file that is read here needs all bits of.
  private func number(_ offset: Int, _ bytes: Int) -> Int? { Self.number(data, offset, bytes, isBigEndian) }

  private static func number(_ data: ByteView, _ offset: Int, _ bytes: Int, _ isBigEndian: Bool) -> Int? {
    guard bytes == 8 else { return data.number(offset, bytes: bytes, bigEndian: isBigEndian) }
    let places = isBigEndian ? (high: offset, low: offset + 4) : (high: offset + 4, low: offset)
    guard let high = data.number(places.high, bytes: 4, bigEndian: isBigEndian), high < 1 << 30,
      let low = data.number(places.low, bytes: 4, bigEndian: isBigEndian)
    else { return nil }
    return high << 32 | low
  }

  /// The orientation tag; `nil` if it is absent or not 1...8.
  var orientation: Int? { value(274).flatMap { (1...8).contains($0) ? $0 : nil } }

  /// Whether the picture is a smaller version of another one in the file, as the first in a camera's raw file is.
  var isPreview: Bool { value(254).map { $0 & 1 == 1 } ?? false }

  /// Whether the file is a camera's raw photo: DNG says so, the others keep their picture in a directory below.
  var isRaw: Bool { entries[50706] != nil || data.has("CR", at: 8) || isPreview && entries[330] != nil }

  /// How many pages the file has, smaller versions of others and masks left out.
  var pageCount: Int {
    var (count, directory, bytes) = (1, self, 0)
    var seen: Set<Int> = [start]
    while let next = directory.next, seen.insert(next).inserted, seen.count < Self.maxPages,
      let following = TIFFDirectory(data, at: next, tags: [254, 256])
    {
      // Directories of which more lie over each other than the file has room for are none of pages.
      bytes += following.entryCount * (isBig ? 20 : 12)
      guard bytes <= data.count else { break }
      if (following.value(254) ?? 0) & 5 == 0, following.value(256) != nil { count += 1 }
      directory = following
    }
    return count
  }

  /// Bytes of all tags' values that stand outside of the directory: libtiff copies each, also of tags that it does not know.
  var valueBytes: Int {
    let fieldBytes = isBig ? 8 : 4
    return entries.values.reduce(0) { sum, entry in
      let size =
        switch entry.type {
        case 3, 8: 2
        case 4, 9, 11, 13: 4
        case 5, 10, 12, 16, 17, 18: 8
        default: 1
        }
      let (bytes, overflow) = entry.count.multipliedReportingOverflow(by: size)
      // What does not lie inside the file is not copied.
      guard !overflow, bytes > fieldBytes, let start = number(entry.offset, fieldBytes),
        data.part(start, count: bytes) != nil
      else { return sum }
      return sum + bytes
    }
  }

  /// A tag's first number, of type BYTE, SHORT, LONG or LONG8.
  func value(_ tag: Int) -> Int? { list(tag).flatMap { number($0.start, $0.size) } }

  /// As ``value(_:)``, `most` at most: for what a decoder allocates by. Without the tag it is `absent`; of a type that
  /// decoders read and TIFF does not allow there, `most`.
  func value(_ tag: Int, absent: Int, most: Int) -> Int { min(most, entries[tag] == nil ? absent : value(tag) ?? most) }

  /// Where a tag's numbers stand, all of them inside the file.
  private func list(_ tag: Int) -> (start: Int, size: Int, count: Int)? {
    guard let entry = entries[tag], entry.count > 0, let size = Self.size(ofType: entry.type) else { return nil }
    let fieldBytes = isBig ? 8 : 4
    let (bytes, overflow) = entry.count.multipliedReportingOverflow(by: size)
    // What fits stands in the entry itself; more stands where it points to.
    guard !overflow, let start = bytes <= fieldBytes ? entry.offset : number(entry.offset, fieldBytes),
      data.part(start, count: bytes) != nil
    else { return nil }
    return (start, size, entry.count)
  }

  /// Whether all strips or tiles of the first picture lie inside the file.
  func isWhole(in file: ByteView) -> Bool {
    let isTiled = entries[324] != nil
    guard let offsets = list(isTiled ? 324 : 273) else { return false }
    // Old writers leave the lengths out; the decoder must notice then.
    guard entries[isTiled ? 325 : 279] != nil else { return true }
    guard let lengths = list(isTiled ? 325 : 279), lengths.count >= min(offsets.count, partCount) else { return false }
    return (0..<min(offsets.count, partCount)).allSatisfy { index in
      guard let offset = number(offsets.start + index * offsets.size, offsets.size),
        let length = number(lengths.start + index * lengths.size, lengths.size)
      else { return false }
      return offset <= file.count && length <= file.count - offset
    }
  }

  /// What decoding strips or tiles takes that are compressed as JPEG, each of which may have many scans.
  ///
  /// - Parameter mostBytes: counting ends if they have more bytes together.
  /// - Returns: How many strips or tiles all scans together pass over, and bytes; zeros if they are compressed otherwise.
  func scans(in file: ByteView, mostBytes: Int) -> (parts: Int, bytes: Int) {
    let isTiled = entries[324] != nil
    // Of a type that TIFF does not allow there, it may be JPEG.
    guard [7, 65535].contains(value(259, absent: 1, most: 65535)), let offsets = list(isTiled ? 324 : 273) else {
      return (0, 0)
    }
    let lengths = list(isTiled ? 325 : 279)
    var (parts, bytes) = (0, 0)
    for index in 0..<min(offsets.count, partCount) where bytes <= mostBytes {
      guard let offset = number(offsets.start + index * offsets.size, offsets.size) else { continue }
      let length = lengths.flatMap { index < $0.count ? number($0.start + index * $0.size, $0.size) : nil }
      guard let data = file.part(offset, count: length ?? file.count - offset)?.bytes else { continue }
      bytes += data.count
      // The marker of a scan stands nowhere else but in tables and comments.
      for place in data.indices.dropLast() where data[place] == 0xFF && data[place + 1] == 0xDA { parts += 1 }
    }
    return (parts, bytes)
  }

  /// The most strips or tiles that the picture can have: a file may list any number of others, which nobody reads.
  private var partCount: Int {
    let samples = max(1, min(value(277) ?? 1, 65535))
    func parts(_ length: Int?, of side: Int?) -> Int {
      guard let side, side > 0 else { return 1 }
      let length = max(1, min(length ?? side, side))
      return (side + length - 1) / length
    }
    // Of a type that TIFF does not allow there, it may be any.
    func side(_ tag: Int) -> Int? { entries[tag] == nil ? nil : value(tag) ?? 1 }
    let down = parts(side(entries[324] != nil ? 323 : 278), of: value(257))
    let across = entries[324] != nil ? parts(side(322), of: value(256)) : 1
    let (area, overflow) = down.multipliedReportingOverflow(by: across)
    let (all, tooMany) = area.multipliedReportingOverflow(by: samples)
    // Limits on pixels come later; a picture of this many strips is over them.
    return overflow || tooMany ? 10_000_000 : min(all, 10_000_000)
  }
}
