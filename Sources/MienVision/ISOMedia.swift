import Foundation
import MienCore

/// The boxes of MP4 and QuickTime files (ISO/IEC 14496-12), and how large the index is that FFmpeg makes of them.
///
/// FFmpeg expands the tables of a file to one entry per frame and piece of sound before the first frame is read. Tables may
/// claim millions of entries in a few bytes: samples of one size, fragments of one description, edits that repeat the film. So
/// this walk finds the tables where FFmpeg does, reads how many entries they claim, and refuses what the file cannot hold. It
/// reads the headers of boxes and a few tables, never the frames.
struct ISOMedia {
  private static let name = "MP4 or QuickTime"
  static let sequenceName = "animated AVIF or HEIC"
  /// Most boxes of a file. A day of video in a fragment per second has a million.
  private static let mostBoxes = 4_000_000
  /// Most bytes of all descriptions of samples, which have some hundred each.
  private static let mostDescription = 16 << 20

  struct Box {
    let type: String
    let body: Range<UInt64>
    let isCut: Bool
    var length: Int { Int(body.upperBound - body.lowerBound) }
  }

  /// What the boxes of a track say.
  private struct Track {
    /// Kinds of media that its headers name, as far as they matter.
    var handlers: Set<String> = []
    /// The description of its samples.
    var description: Box?
    var samples = 0
    /// Whether its header has the matrix of a track that FFmpeg shows as it is stored.
    var isAsStored = false
    var edits = 0
    var chunks = 0
    var samplesPerChunk = 0
    /// Whether every sample lasts one tick, as in uncompressed sound; `nil` before a table says.
    var isOneTick: Bool?
    /// Samples with a display time, and whether their groups have FFmpeg list them one by one.
    var displayTimes = 0
    var hasSyncGroups = false
  }

  private let file: VideoBytes
  private let isSequence: Bool
  private var name: String { isSequence ? Self.sequenceName : Self.name }
  private var index: IndexSize
  private var boxes = 0
  private var descriptionBytes = 0
  private var tracks = 0
  private var fragments = 0
  private var track = Track()
  private var hasVideo = false
  private var codec: String?
  private var frames = 0
  private var orientation = 1

  private init(_ file: VideoBytes, _ limits: VideoLimits) throws {
    self.file = file
    isSequence = try file.view(0, count: 12, Self.isSequence)
    index = IndexSize(of: isSequence ? Self.sequenceName : Self.name, in: file, limits)
  }

  /// Whether a file starts with a box that these files start with.
  static func isStart(_ view: ByteView) -> Bool {
    ["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot", "styp"].contains { type in
      view.has(Array(type.utf8), at: 4)
    }
  }

  /// Whether a file that starts so says that it is first of all a sequence of pictures. Browsers and FFmpeg show files of
  /// other brands as a still picture, whatever else they hold.
  static func isSequence(_ view: ByteView) -> Bool {
    view.has("ftyp", at: 4) && ["avis", "msf1", "hevc", "hevx"].contains { view.has(Array($0.utf8), at: 8) }
  }

  /// What a file says of itself.
  ///
  /// - Throws: ``MienError`` without subject: a picture, cut off before the index, an index that claims more than the file can
  ///   hold or has more entries than ``VideoLimits/maxIndexEntries``, or no video stream.
  static func container(_ file: VideoBytes, _ limits: VideoLimits) throws -> VideoContainer {
    var media = try ISOMedia(file, limits)
    var container = VideoContainer(name: media.name, format: "mov")
    var hasIndex = false
    try media.forEachBox(in: 0..<file.size) { media, box in
      if box.type == "ftyp", try file.text(box.body.lowerBound).map(["heic", "heix", "mif1", "avif"].contains) == true {
        throw MienError(.format, nil, "is a HEIC or AVIF picture, expected a video")
      }
      if box.isCut { container.isTruncated = true }
      if box.type == "moov" { hasIndex = hasIndex || !box.isCut }
      if box.type == "meta", media.isSequence { container.hasStill = true }
      try media.visit(box, in: "", depth: 0)
    }
    guard hasIndex else {
      throw MienError(
        .format, nil, "is a truncated or unfinished file (\(media.name)): its index, the moov box, is missing")
    }
    // FFmpeg keeps 56 bytes for each track of each fragment.
    try media.index.add(product(media.fragments, 3 * media.tracks))
    guard media.hasVideo else { throw MienError(.format, nil, "has no video stream (\(media.name))") }
    (container.codec, container.frames, container.orientation) = (media.codec, media.frames, media.orientation)
    return container
  }

  // MARK: - Boxes

  /// Calls `body` for the boxes that follow one another in `range`; bytes that cannot be a box end the list.
  private mutating func forEachBox(
    in range: Range<UInt64>, _ body: (inout ISOMedia, Box) throws -> Void
  ) throws {
    var offset = range.lowerBound
    while offset < range.upperBound, range.upperBound - offset >= 8 {
      boxes += 1
      guard boxes <= Self.mostBoxes else {
        throw MienError(
          .limit, nil,
          "has more than \(Self.mostBoxes.grouped) boxes (\(name)); write it anew first: ffmpeg -i IN -c copy out.mp4"
        )
      }
      let box: (type: String, length: UInt64, header: UInt64)? = try file.view(offset, count: 16) { view in
        guard let short = view.bigEndian32(0), let type = view.text(4) else { return nil }
        if short == 0 { return (type, range.upperBound - offset, 8) }
        guard short == 1 else { return (type, UInt64(short), 8) }
        guard let high = view.bigEndian32(8), let low = view.bigEndian32(12) else { return nil }
        return (type, UInt64(high) << 32 | UInt64(low), 16)
      }
      guard let box, box.length >= box.header else { return }
      let (end, overflow) = offset.addingReportingOverflow(box.length)
      let isCut = overflow || end > range.upperBound
      let bodyEnd = isCut ? range.upperBound : end
      try body(
        &self,
        Box(type: box.type, body: min(offset + box.header, bodyEnd)..<bodyEnd, isCut: isCut))
      offset = bodyEnd
    }
  }

  private mutating func walk(_ range: Range<UInt64>, in type: String, depth: Int) throws {
    // FFmpeg gives up there as well.
    guard depth < 12 else { return }
    try forEachBox(in: range) { try $0.visit($1, in: type, depth: depth) }
  }

  /// Looks at a box, at any depth: FFmpeg takes a table in whatever box it lies.
  private mutating func visit(_ box: Box, in parent: String, depth: Int) throws {
    switch box.type {
    case "moov", "mdia", "minf", "stbl", "dinf", "edts", "mvex", "traf", "tref", "udta", "sinf", "schi", "ilst":
      try walk(box.body, in: box.type, depth: depth + 1)
    case "trak":
      tracks += 1
      let outer = track
      track = Track()
      try walk(box.body, in: box.type, depth: depth + 1)
      try close(track)
      track = outer
    case "moof":
      fragments += 1
      try walk(box.body, in: box.type, depth: depth + 1)
    case "free", "hoov":
      // An index that an editor took out of use, which FFmpeg takes if there is no other.
      let first = try file.text(box.body.lowerBound + 4)
      if box.length >= 8, first == "mvhd" || first == "cmov" { try walk(box.body, in: "moov", depth: depth + 1) }
    case "meta": try walk(metadata(box), in: box.type, depth: depth + 1)
    case "cmov":
      throw MienError(
        .format, nil, "has a compressed index (cmov), which is not read; unpack it first: ffmpeg -i IN -c copy out.mov")
    case "hdlr":
      if let handler = try file.text(box.body.lowerBound + 8),
        ["vide", "pict", "soun", "subp", "clcp"].contains(handler)
      {
        track.handlers.insert(handler)
      }
    case "stsd", "wave":
      if box.type == "stsd", track.description == nil { track.description = box }
      try checkDescription(box)
    default: try visitTable(box, in: parent)
    }
  }

  /// Where the boxes of a `meta` box begin: with the first `hdlr`, in QuickTime at once, in MP4 after a version.
  private func metadata(_ box: Box) throws -> Range<UInt64> {
    var offset = box.body.lowerBound
    while box.body.upperBound - offset >= 8 {
      if try file.text(offset) == "hdlr" { return offset - 4..<box.body.upperBound }
      offset += 4
    }
    return box.body.upperBound..<box.body.upperBound
  }

  // MARK: - Tables

  /// Reads how many entries a table claims.
  private mutating func visitTable(_ box: Box, in parent: String) throws {
    // Version and flags come first in all of them.
    func number(_ offset: Int) throws -> Int { try self.number(box, offset) }
    switch box.type {
    case "stsz", "stz2":
      let count = try number(8)
      // One size for all, or a table of 32 bits, in the compact form of 4, 8 or 16.
      let size = try number(4)
      let bits = box.type == "stz2" ? size & 0xFF : size == 0 ? 32 : 0
      try check(box, claims: count, bits: bits, after: 12)
      track.samples = max(track.samples, count)
    case "tkhd":
      // The version tells whether times have 64 bits. FFmpeg turns frames by the first two rows.
      let start = try number(0) >> 24 == 1 ? 52 : 40
      track.isAsStored = try [0x10000, 0, 0, 0, 0x10000] == (0..<5).map { try number(start + 4 * $0) }
    case "stts":
      let count = try number(4)
      try check(box, claims: count, bits: 64, after: 8)
      let isOneTick = try count == 1 && number(12) == 1
      track.isOneTick = isOneTick && track.isOneTick != false
    case "ctts":
      try check(box, claims: number(4), bits: 64, after: 8)
      for entry in 0..<min(try number(4), max(0, box.length - 8) / 8) {
        track.displayTimes += try number(8 + 8 * entry)
      }
    case "stsc":
      try check(box, claims: number(4), bits: 96, after: 8)
      for entry in 0..<min(try number(4), max(0, box.length - 8) / 12) {
        track.samplesPerChunk = try max(track.samplesPerChunk, number(12 + 12 * entry))
      }
    case "stco", "co64":
      let count = try number(4)
      try check(box, claims: count, bits: box.type == "stco" ? 32 : 64, after: 8)
      track.chunks = max(track.chunks, count)
    case "stss", "stps": try check(box, claims: number(4), bits: 32, after: 8)
    case "elst": track.edits += max(0, box.length - 8) / (try number(0) >> 24 == 1 ? 20 : 12)
    case "sbgp":
      let start = try number(0) >> 24 == 1 ? 12 : 8
      try check(box, claims: number(start), bits: 64, after: start + 4)
      if try file.text(box.body.lowerBound + 4) == "sync" { track.hasSyncGroups = true }
    case "sgpd":
      let start = try 8 + 4 * min(2, number(0) >> 24)
      try check(box, claims: number(start), bits: 8, after: start + 4)
    case "keys" where parent == "meta": try check(box, claims: number(4), bits: 64, after: 8)
    case "sidx": fragments += try number(number(0) >> 24 == 0 ? 20 : 28) & 0xFFFF
    case "trun":
      let (flags, count) = try (number(0) & 0xFFFFFF, number(4))
      let fields = [0x100, 0x200, 0x400, 0x800].count { flags & $0 != 0 }
      try check(box, claims: count, bits: 32 * fields, after: 8)
      try index.add(count)
    case "senc": try index.add(20 * number(4))
    case "saiz":
      let start = try number(0) & 1 == 0 ? 4 : 12
      // A byte for the size of all stands before the count.
      try index.add(20 * number(start + 1))
    default: break
    }
  }

  /// The number of 32 bits at `offset` in the box, 0 if it ends before.
  private func number(_ box: Box, _ offset: Int) throws -> Int {
    guard offset + 4 <= box.length else { return 0 }
    return try file.view(box.body.lowerBound + UInt64(offset), count: 4) { $0.bigEndian32(0) } ?? 0
  }

  /// Refuses a table that claims more entries of `bits` than its box has after the first `start` bytes.
  private func check(_ box: Box, claims count: Int, bits: Int, after start: Int) throws {
    let room = max(0, box.length - start)
    guard count > IndexSize.unchecked, count * bits / 8 > room else { return }
    throw MienError(
      .format, nil,
      "has a damaged index (\(name)): its \(box.type) box claims \(count.grouped) entries and has room for "
        + "\((room * 8 / bits).grouped); \(IndexSize.advice)")
  }

  // MARK: - Tracks

  /// Adds up a track, all of whose boxes are known.
  private mutating func close(_ track: Track) throws {
    if track.handlers.contains("vide") || isSequence && track.handlers.contains("pict"), !hasVideo {
      hasVideo = true
      let code = try track.description.map { try file.read($0.body.lowerBound + 12, count: 4) } ?? Data()
      if code.count == 4 {
        codec = String(decoding: code.map { (32..<127).contains($0) ? $0 : 63 }, as: UTF8.self)
      }
      if isSequence {
        frames = track.samples
        if track.isAsStored, let description = track.description { orientation = try orientation(description) }
      }
    }
    // Uncompressed sound has millions of samples, of which FFmpeg makes an entry per thousand; of few codecs, per 160.
    let pieces = Self.product(track.chunks, (track.samplesPerChunk + 159) / 160)
    let isSound = track.handlers == ["soun"] && track.isOneTick == true
    // Each edit may repeat the whole track; the first is often an empty one.
    try index.add(Self.product(isSound ? pieces : max(track.samples, pieces), max(1, track.edits - 1)))
    if track.hasSyncGroups { try index.add(track.displayTimes) }
  }

  /// How the frames of a sequence have to be turned: by the boxes `irot` and `imir` of their description (ISO/IEC 23008-12,
  /// 6.5.10 and 6.5.12), as EXIF's orientation. Browsers go by these; FFmpeg goes by the track's matrix, if it has one.
  private mutating func orientation(_ description: Box) throws -> Int {
    // The description's own fields: one entry, then those of a picture (ISO/IEC 14496-12, 12.1.3).
    let start = description.body.lowerBound + 8 + 8 + 78
    guard start < description.body.upperBound else { return 1 }
    var (quarters, mirror): (Int, Int?) = (0, nil)
    try forEachBox(in: start..<description.body.upperBound) { media, box in
      guard box.length > 0, let value = try media.file.view(box.body.lowerBound, count: 1, { $0.u8(0) }) else { return }
      if box.type == "irot" { quarters = value & 3 }
      if box.type == "imir" { mirror = value & 1 }
    }
    // Turned counter-clockwise first; then top and bottom (0) or left and right (1) change places.
    switch mirror {
    case 0?: return [4, 5, 2, 7][quarters]
    case 1?: return [2, 7, 4, 5][quarters]
    default: return [1, 8, 3, 6][quarters]
    }
  }

  /// The product, or a number that is far beyond every limit.
  private static func product(_ one: Int, _ other: Int) -> Int {
    let (product, overflow) = one.multipliedReportingOverflow(by: other)
    return overflow ? 1 << 60 : min(product, 1 << 60)
  }

  /// Refuses tables of the index that lie in a description of samples, where FFmpeg would take them, too.
  private mutating func checkDescription(_ box: Box) throws {
    descriptionBytes += box.length
    guard descriptionBytes <= Self.mostDescription else {
      throw MienError(
        .format, nil,
        "has a damaged index (\(name)): its samples have descriptions of \(Spelling.size(descriptionBytes)); "
          + IndexSize.advice)
    }
    if box.type == "stsd", box.length > 8, track.handlers.isEmpty {
      // Descriptions of notes, such as where a phone was, hold names and types; FFmpeg passes over them in a track of its own.
      var isNotes = true
      try forEachBox(in: box.body.lowerBound + 8..<box.body.upperBound) {
        isNotes = isNotes && ["mebx", "mett", "metx", "urim"].contains($1.type)
      }
      if isNotes { return }
    }
    var offset = box.body.lowerBound
    while box.body.upperBound - offset >= 4 {
      let count = Int(min(4096, box.body.upperBound - offset))
      let found = try file.view(offset, count: count) { view in
        (0..<max(0, view.count - 3)).first { Self.isTable(view, $0) }.flatMap { view.text($0) }
      }
      if let found {
        throw MienError(
          .format, nil,
          "has a damaged index (\(name)): a \(found) box lies in its \(box.type) box; \(IndexSize.advice)"
        )
      }
      offset += UInt64(max(1, count - 3))
    }
  }

  private static let tables = Set(
    [
      "cmov", "co64", "ctts", "elst", "hdlr", "meta", "moof", "moov", "saiz", "sbgp", "senc", "sgpd", "sidx", "stco",
      "stsc", "stsz", "stts", "stz2", "trun",
    ].map { $0.utf8.reduce(0) { $0 << 8 | Int($1) } })

  private static func isTable(_ view: ByteView, _ offset: Int) -> Bool {
    // Most bytes can be told from the first letter.
    guard let first = view.u8(offset), first == 99 || first == 101 || first == 104 || first == 109 || first >= 115
    else {
      return false
    }
    return view.bigEndian32(offset).map(tables.contains) == true
  }
}
