import Foundation
import MienCore

/// What a video file says of itself before a decoder sees it: its container by content, whether it is whole, and, for
/// MP4 and QuickTime, whether there is a video stream and of which codec.
///
/// Only containers, bare streams and animations are let through that hold everything themselves: FFmpeg also takes
/// playlists and scripts, which name other files and addresses.
struct VideoContainer: Equatable {
  /// The container's name, for messages.
  var name: String
  /// Whether the file ends before its container does, as far as the container tells.
  var isTruncated = false
  /// The four characters that name the codec, or `nil` if they are not known.
  var codec: String?
  /// FFmpeg's name of the container, if its content alone would not tell FFmpeg.
  var format: String?
  /// Whether it is a bare stream, without time stamps.
  var isUntimed = false
  /// Frames of an animated AVIF or HEIC file, and whether it has a still picture beside them.
  var frames = 0
  var hasStill = false
  /// How frames have to be turned that FFmpeg and libwebp give as they are stored: EXIF's orientation, 1 (not at all) to 8.
  var orientation = 1

  /// Looks at a file's structure; of MP4 and QuickTime the index is read, of others the first kilobytes.
  ///
  /// - Throws: ``MienError`` without subject: missing, empty, no video, no video stream, or cut off before the index.
  init(contentsOf url: URL) throws {
    let type = (try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)[.type])
      .flatMap { $0 as? FileAttributeType }
    guard let type, type != .typeDirectory else {
      throw MienError(FileProblem.error(reading: url).kind, nil, FileProblem.reading(url))
    }
    guard type == .typeRegular else { throw MienError(.file, nil, "is not a regular file") }
    guard let file = try? FileHandle(forReadingFrom: url), let size = try? file.seekToEnd() else {
      throw MienError(.file, nil, FileProblem.reading(url))
    }
    guard size > 0 else { throw MienError(.format, nil, "is empty, expected a video") }
    try self.init(VideoBytes(file: file, size: size))
  }

  init(_ file: VideoBytes) throws {
    let start = try file.read(0, count: 4096)
    self = try start.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      if view.has([0x1A, 0x45, 0xDF, 0xA3]) {
        return VideoContainer(name: "Matroska or WebM", isTruncated: Self.isCutMatroska(view, size: file.size))
      }
      if view.has("RIFF"), view.has("AVI ", at: 8) {
        let length = UInt64(view.littleEndian32(4) ?? 0)
        return VideoContainer(name: "AVI", isTruncated: length + 8 > file.size)
      }
      // The first byte of a transport stream, and of a GIF.
      if view.has([0x47]), !view.has("GIF8"), view.has([0x47], at: 188) || file.size < 376 {
        return VideoContainer(name: "MPEG transport stream")
      }
      if view.has([0x47], at: 4), view.has([0x47], at: 196) { return VideoContainer(name: "M2TS") }
      if let name = Self.signatures.first(where: { view.has($0.signature) })?.name { return VideoContainer(name: name) }
      if let bare = Self.bareStream(view) { return bare }
      if ISOMedia.isStart(view) { return try ISOMedia.container(file) }
      if var animation = Self.animation(view) {
        animation.orientation = try EXIFChunk.orientation(in: file)
        return animation
      }
      if case .picture(.jpeg) = FileKind(view), try MotionJPEG.isStart(of: file) {
        return VideoContainer(name: "Motion JPEG", format: "mjpeg", isUntimed: true)
      }
      throw MienError(.format, nil, Self.refusal(view))
    }
  }

  /// What containers begin with whose content FFmpeg tells as surely.
  private static let signatures: [(signature: [UInt8], name: String)] = [
    ([0, 0, 1, 0xBA], "MPEG program stream"), (Array("FLV".utf8), "FLV"), (Array("OggS".utf8), "Ogg"),
    ([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], "ASF (WMV)"), (Array("YUV4MPEG2 ".utf8), "YUV4MPEG2"),
    (Array("DKIF".utf8), "IVF"), ([0x1F, 0x07, 0, 0], "DV"), ([0x1F, 0x07, 0, 0x3F], "DV"),
    ([0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01], "MXF"),
  ]

  /// A coded stream without a container, as single-board computers' cameras write it.
  private static func bareStream(_ view: ByteView) -> VideoContainer? {
    // Start codes of three or four bytes.
    let start = view.has([0, 0, 0, 1]) ? 4 : view.has([0, 0, 1]) ? 3 : 0
    guard start > 0, let first = view.u8(start), let second = view.u8(start + 1) else { return nil }
    func bare(_ name: String, _ format: String) -> VideoContainer {
      VideoContainer(name: name, format: format, isUntimed: true)
    }
    if start == 3, first == 0xB3 { return bare("MPEG-1 or MPEG-2", "mpegvideo") }
    if start == 3, first == 0xB0 { return bare("MPEG-4", "m4v") }
    // Parameter sets, access unit delimiters and messages (ITU-T H.265, 7.3.1.2; H.264, 7.3.1).
    if [0x40, 0x42, 0x44, 0x46, 0x4E].contains(first), second == 1 { return bare("HEVC", "hevc") }
    let isH264 = first & 0x80 == 0 && [5, 6, 7, 9].contains(first & 0x1F)
    return isH264 ? bare("H.264", "h264") : nil
  }

  /// A picture file of several pictures that are shown one after another.
  fileprivate static func animation(_ view: ByteView) -> VideoContainer? {
    switch FileKind(view) {
    case .picture(.gif): return VideoContainer(name: "GIF", format: "gif")
    case .picture(.png): return PNGHeader(view).frames > 1 ? VideoContainer(name: "animated PNG", format: "apng") : nil
    case .picture(.webP):
      // The extended format, whose flags say that it is animated (RFC 9649, section 2.7).
      let isAnimated = view.has("VP8X", at: 12) && (view.u8(20) ?? 0) & 2 != 0
      return isAnimated ? VideoContainer(name: "animated WebP", format: "webp") : nil
    case .picture(.avif), .picture(.heic):
      return ISOMedia.isSequence(view) ? VideoContainer(name: ISOMedia.sequenceName) : nil
    default: return nil
    }
  }

  /// What an animated AVIF or HEIC file in memory says; `nil` if it is none.
  static func sequence(_ view: ByteView) -> VideoContainer? {
    ISOMedia.isSequence(view) ? try? ISOMedia.container(VideoBytes(view)) : nil
  }

  /// What is wrong with a file that is no video, and what to do.
  private static func refusal(_ view: ByteView) -> String {
    switch FileKind(view) {
    case .picture(let format):
      return "is a picture (\(format.rawValue)), expected a video; `mien detect` reads photos, `mien dataset import` "
        + "makes a data set of pictures"
    case .other(let kind):
      let advice = kind.content == .none && !kind.advice.isEmpty ? "; \(kind.advice)" : ""
      return "is not a video (found \(kind.name))\(advice); expected MP4, QuickTime, Matroska, WebM, AVI, "
        + "MPEG, FLV, Ogg, WMV, DV, MXF, YUV4MPEG2, a stream of H.264, HEVC or Motion JPEG, or an animated GIF, PNG, WebP, "
        + "AVIF or HEIC"
    }
  }

  init(name: String, isTruncated: Bool = false, format: String? = nil, isUntimed: Bool = false) {
    self.name = name
    self.isTruncated = isTruncated
    self.format = format
    self.isUntimed = isUntimed
  }

  /// Whether the segment that follows the EBML header says that it is longer than the file (RFC 8794, RFC 9559).
  private static func isCutMatroska(_ view: ByteView, size: UInt64) -> Bool {
    /// A size of one to eight bytes, whose leading zeros count the bytes; nil where it stands for "unknown".
    func length(_ offset: Int) -> (value: UInt64, bytes: Int)? {
      guard let first = view.u8(offset), first > 0 else { return nil }
      let bytes = UInt8(first).leadingZeroBitCount + 1
      var value = UInt64(first & (0xFF >> bytes))
      for index in 1..<max(bytes, 1) {
        guard let next = view.u8(offset + index) else { return nil }
        value = value << 8 | UInt64(next)
      }
      return value == (1 << UInt64(7 * bytes)) - 1 ? nil : (value, bytes)
    }
    guard let header = length(4), header.value < 4000 else { return false }
    let segment = 4 + header.bytes + Int(header.value)
    guard view.has([0x18, 0x53, 0x80, 0x67], at: segment), let body = length(segment + 4) else { return false }
    return UInt64(segment + 4 + body.bytes) + body.value > size
  }
}

extension FileKind {
  /// Whether a file that starts so is a picture that is read as a video too: a GIF, or an animated PNG, WebP, AVIF or HEIC.
  ///
  /// - Parameter start: at least ``prefix`` bytes where the file has them.
  package static func isAnimation(start: [UInt8]) -> Bool {
    start.withUnsafeBytes { VideoContainer.animation(ByteView(bytes: $0)) != nil }
  }
}

/// Parts of a file by offset.
struct VideoBytes {
  let size: UInt64
  private let source: Source

  private enum Source {
    case file(FileHandle)
    case memory(ByteView)
  }

  init(file: FileHandle, size: UInt64) { (source, self.size) = (.file(file), size) }

  /// A file in memory.
  init(_ memory: ByteView) { (source, size) = (.memory(memory), UInt64(memory.count)) }

  /// Up to `count` bytes from `offset` on.
  func read(_ offset: UInt64, count: Int) throws -> Data {
    switch source {
    case .memory(let view):
      let start = Int(min(offset, size))
      return Data(view.bytes[start..<start + min(count, view.count - start)])
    case .file(let file):
      do {
        try file.seek(toOffset: offset)
        return try file.read(upToCount: count) ?? Data()
      } catch {
        throw MienError(.file, nil, "could not be read")
      }
    }
  }
}

/// EXIF in the chunks of a PNG or WebP file that need not fit into memory.
private enum EXIFChunk {
  /// The largest EXIF block that is looked into, in bytes, and the most chunks that are looked at.
  private static let largest = 1 << 20
  private static let mostChunks = 200_000

  /// EXIF's orientation as photos of these formats have it, 1 (as stored) to 8; 1 for other formats.
  static func orientation(in file: VideoBytes) throws -> Int {
    let start = try file.read(0, count: 8)
    let isPNG = start.starts(with: [0x89, 0x50, 0x4E, 0x47])
    guard isPNG || start.starts(with: "RIFF".utf8) else { return 1 }
    let end = isPNG ? file.size : start.withUnsafeBytes { UInt64(8 + (ByteView(bytes: $0).littleEndian32(4) ?? 0)) }
    var (orientation, offset) = (1, UInt64(isPNG ? 8 : 12))
    for _ in 0..<mostChunks where offset + 8 <= end {
      let header = try file.read(offset, count: 8)
      let chunk = header.withUnsafeBytes { bytes in
        let view = ByteView(bytes: bytes)
        return (
          // PNG: length, name, data, checksum. WebP: name, length, data padded to an even length.
          length: isPNG ? view.bigEndian32(0) : view.littleEndian32(4),
          isEXIF: isPNG ? view.has("eXIf", at: 4) : view.has("EXIF"), isEnd: isPNG && view.has("IEND", at: 4)
        )
      }
      guard let length = chunk.length, header.count == 8, !chunk.isEnd else { break }
      if chunk.isEXIF, length <= largest {
        let data = try file.read(offset + 8, count: length)
        orientation = data.count == length ? Self.orientation(data) ?? orientation : orientation
      }
      offset += UInt64(isPNG ? 12 + length : 8 + length + length % 2)
    }
    return orientation
  }

  private static func orientation(_ data: Data) -> Int? {
    data.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      let exif = view.has("Exif\0\0") ? view.part(6, count: view.count - 6) : view
      return exif.flatMap { TIFFDirectory($0) }?.orientation
    }
  }
}

/// The boxes of MP4 and QuickTime files (ISO/IEC 14496-12).
private enum ISOMedia {
  private static let name = "MP4 or QuickTime"
  static let sequenceName = "animated AVIF or HEIC"
  /// The largest index that is looked into; hours of video take a few megabytes.
  private static let largestIndex: UInt64 = 256 << 20

  struct Box {
    let type: String
    let body: Range<UInt64>
    let isCut: Bool
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

  static func container(_ file: VideoBytes) throws -> VideoContainer {
    let boxes = try boxes(file, 0..<file.size)
    let start = try file.read(0, count: 16)
    let isSequence = start.withUnsafeBytes { Self.isSequence(ByteView(bytes: $0)) }
    let name = isSequence ? sequenceName : Self.name
    let isPicture = try boxes.first { $0.type == "ftyp" }.map { box in
      let brand = String(decoding: try file.read(box.body.lowerBound, count: 4), as: UTF8.self)
      return ["heic", "heix", "mif1", "avif"].contains(brand)
    }
    if isPicture == true { throw MienError(.format, nil, "is a HEIC or AVIF picture, expected a video") }
    guard let index = boxes.first(where: { $0.type == "moov" }), !index.isCut else {
      throw MienError(
        .format, nil, "is a truncated or unfinished file (\(name)): its index, the moov box, is missing")
    }
    var container = VideoContainer(name: name, isTruncated: boxes.contains(where: \.isCut))
    container.hasStill = isSequence && boxes.contains { $0.type == "meta" }
    guard index.body.upperBound - index.body.lowerBound <= largestIndex else { return container }
    for track in try self.boxes(file, index.body) where track.type == "trak" {
      let media = try path(["mdia"], file, track.body)
      guard let media, let handler = try path(["hdlr"], file, media.body),
        case let type = try file.read(handler.body.lowerBound + 8, count: 4),
        type == Data("vide".utf8) || isSequence && type == Data("pict".utf8)
      else { continue }
      let description = try path(["minf", "stbl", "stsd"], file, media.body)
      let codec = try description.map { try file.read($0.body.lowerBound + 12, count: 4) } ?? Data()
      if codec.count == 4 {
        container.codec = String(decoding: codec.map { (32..<127).contains($0) ? $0 : 63 }, as: UTF8.self)
      }
      guard isSequence else { return container }
      if let sizes = try path(["minf", "stbl", "stsz"], file, media.body) {
        container.frames = try file.read(sizes.body.lowerBound + 8, count: 4).reduce(0) { $0 << 8 | Int($1) }
      }
      if let description { container.orientation = try orientation(file, track, description) }
      return container
    }
    throw MienError(.format, nil, "has no video stream (\(name))")
  }

  /// How the frames of a sequence have to be turned: by the boxes `irot` and `imir` of their description (ISO/IEC 23008-12,
  /// 6.5.10 and 6.5.12), as EXIF's orientation. Browsers go by these; FFmpeg goes by the track's matrix, if it has one.
  private static func orientation(_ file: VideoBytes, _ track: Box, _ description: Box) throws -> Int {
    let header = try path(["tkhd"], file, track.body)
    let matrix = try header.map { box in
      // The box's version tells whether times have 64 bits.
      let isLong = try file.read(box.body.lowerBound, count: 1) == Data([1])
      return try file.read(box.body.lowerBound + (isLong ? 52 : 40), count: 20)
    }
    let upright: [UInt8] = [0, 1, 0, 0] + [UInt8](repeating: 0, count: 12) + [0, 1, 0, 0]
    // The description's own fields: one entry, then those of a picture (ISO/IEC 14496-12, 12.1.3).
    let start = description.body.lowerBound + 8 + 8 + 78
    guard matrix == Data(upright), start < description.body.upperBound else { return 1 }
    var (quarters, mirror): (Int, UInt8?) = (0, nil)
    for box in try boxes(file, start..<description.body.upperBound) {
      guard let value = try file.read(box.body.lowerBound, count: 1).first else { continue }
      if box.type == "irot" { quarters = Int(value & 3) }
      if box.type == "imir" { mirror = value & 1 }
    }
    // Turned counter-clockwise first; then top and bottom (0) or left and right (1) change places.
    switch mirror {
    case 0?: return [4, 5, 2, 7][quarters]
    case 1?: return [2, 7, 4, 5][quarters]
    default: return [1, 8, 3, 6][quarters]
    }
  }

  private static func path(_ types: [String], _ file: VideoBytes, _ range: Range<UInt64>) throws -> Box? {
    var range = range
    var found: Box?
    for type in types {
      found = try boxes(file, range).first { $0.type == type }
      guard let found else { return nil }
      range = found.body
    }
    return found
  }

  /// The boxes that follow one another in `range`; bytes that cannot be a box end the list.
  private static func boxes(_ file: VideoBytes, _ range: Range<UInt64>) throws -> [Box] {
    var boxes: [Box] = []
    var offset = range.lowerBound
    while offset < range.upperBound, range.upperBound - offset >= 8, boxes.count < 100_000 {
      let header = try file.read(offset, count: 16)
      let box: (type: String, length: UInt64, header: UInt64)? = header.withUnsafeBytes { bytes in
        let view = ByteView(bytes: bytes)
        guard let short = view.bigEndian32(0), bytes.count >= 8 else { return nil }
        let type = String(decoding: bytes[4..<8], as: UTF8.self)
        if short == 0 { return (type, range.upperBound - offset, 8) }
        guard short == 1 else { return (type, UInt64(short), 8) }
        guard let high = view.bigEndian32(8), let low = view.bigEndian32(12) else { return nil }
        return (type, UInt64(high) << 32 | UInt64(low), 16)
      }
      guard let box, box.length >= box.header else { break }
      let (end, overflow) = offset.addingReportingOverflow(box.length)
      let isCut = overflow || end > range.upperBound
      let bodyEnd = isCut ? range.upperBound : end
      boxes.append(Box(type: box.type, body: min(offset + box.header, bodyEnd)..<bodyEnd, isCut: isCut))
      offset = bodyEnd
    }
    return boxes
  }
}
