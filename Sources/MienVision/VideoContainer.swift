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
  /// FFmpeg's name of the container, or `webp`. FFmpeg is told: it would take some files for another container, whose index
  /// was not looked at.
  var format: String
  /// Whether it is a bare stream, without time stamps.
  var isUntimed = false
  /// Frames of an animated AVIF or HEIC file, and whether it has a still picture beside them.
  var frames = 0
  var hasStill = false
  /// How frames have to be turned that FFmpeg and libwebp give as they are stored: EXIF's orientation, 1 (not at all) to 8.
  var orientation = 1

  /// Looks at a file's structure; of MP4, QuickTime and MXF the index is read, of others the first kilobytes.
  ///
  /// - Throws: ``MienError`` without subject: missing, empty, no video, no video stream, cut off before the index, or with an
  ///   index that claims more than the file or `limits` allow.
  init(contentsOf url: URL, limits: VideoLimits = VideoLimits()) throws {
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
    try self.init(VideoBytes(file: file, size: size), limits)
  }

  private init(_ file: VideoBytes, _ limits: VideoLimits) throws {
    let start = try file.read(0, count: 4096)
    self = try start.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      if view.has([0x1A, 0x45, 0xDF, 0xA3]) {
        return VideoContainer(
          name: "Matroska or WebM", isTruncated: Self.isCutMatroska(view, size: file.size), format: "matroska")
      }
      if view.has("RIFF"), view.has("AVI ", at: 8) {
        let length = UInt64(view.littleEndian32(4) ?? 0)
        return VideoContainer(name: "AVI", isTruncated: length + 8 > file.size, format: "avi")
      }
      // The first byte of a transport stream, and of a GIF.
      if view.has([0x47]), !view.has("GIF8"), view.has([0x47], at: 188) || file.size < 376 {
        return VideoContainer(name: "MPEG transport stream", format: "mpegts")
      }
      if view.has([0x47], at: 4), view.has([0x47], at: 196) {
        return VideoContainer(name: "M2TS", format: "mpegts")
      }
      if let found = Self.signatures.first(where: { view.has($0.signature) }) {
        if found.name == MXF.name { try MXF.check(file, limits) }
        return VideoContainer(name: found.name, format: found.format)
      }
      if let bare = Self.bareStream(view) { return bare }
      if ISOMedia.isStart(view) { return try ISOMedia.container(file, limits) }
      if var animation = try Self.animation(view, file) {
        animation.orientation = try EXIFChunk.orientation(in: file)
        return animation
      }
      if case .picture(.jpeg) = FileKind(view), try MotionJPEG.isStart(of: file) {
        return VideoContainer(name: "Motion JPEG", format: "mjpeg", isUntimed: true)
      }
      throw MienError(.format, nil, Self.refusal(view))
    }
  }

  /// What other containers begin with.
  private static let signatures: [(signature: [UInt8], name: String, format: String)] = [
    ([0, 0, 1, 0xBA], "MPEG program stream", "mpeg"), (Array("FLV".utf8), "FLV", "flv"),
    (Array("OggS".utf8), "Ogg", "ogg"), ([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], "ASF (WMV)", "asf"),
    (Array("YUV4MPEG2 ".utf8), "YUV4MPEG2", "yuv4mpegpipe"), (Array("DKIF".utf8), "IVF", "ivf"),
    // Frames of 525 lines and of 625 (IEC 61834-2), whose bits for reserved fields are set or not.
    ([0x1F, 0x07, 0, 0], "DV", "dv"), ([0x1F, 0x07, 0, 0x3F], "DV", "dv"), ([0x1F, 0x07, 0, 0x80], "DV", "dv"),
    ([0x1F, 0x07, 0, 0xBF], "DV", "dv"),
    ([0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01], MXF.name, "mxf"),
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
  fileprivate static func animation(_ view: ByteView, _ file: VideoBytes) throws -> VideoContainer? {
    switch FileKind(view) {
    case .picture(.gif): return VideoContainer(name: "GIF", format: "gif")
    case .picture(.png): return try isAnimatedPNG(file) ? VideoContainer(name: "animated PNG", format: "apng") : nil
    case .picture(.webP):
      // The extended format, whose flags say that it is animated (RFC 9649, section 2.7).
      let isAnimated = view.has("VP8X", at: 12) && (view.u8(20) ?? 0) & 2 != 0
      return isAnimated ? VideoContainer(name: "animated WebP", format: "webp") : nil
    case .picture(.avif), .picture(.heic):
      return ISOMedia.isSequence(view) ? VideoContainer(name: ISOMedia.sequenceName, format: "mov") : nil
    default: return nil
    }
  }

  /// Whether a PNG file has several frames, which a chunk before its pixels says, behind a colour profile for instance.
  private static func isAnimatedPNG(_ file: VideoBytes) throws -> Bool {
    var offset: UInt64 = 8
    for _ in 0..<1000 {
      let chunk = try file.view(offset, count: 12) { view in
        (length: view.bigEndian32(0), name: view.text(4), frames: view.bigEndian32(8))
      }
      guard let length = chunk.length, let name = chunk.name, name != "IDAT", name != "IEND" else { return false }
      if name == "acTL" { return chunk.frames ?? 1 > 1 }
      offset += UInt64(12 + length)
    }
    return false
  }

  /// What an animated AVIF or HEIC file in memory says; `nil` if it is none.
  static func sequence(_ view: ByteView) -> VideoContainer? {
    ISOMedia.isSequence(view) ? try? ISOMedia.container(VideoBytes(view), VideoLimits()) : nil
  }

  /// What is wrong with a file that is no video, and what to do.
  private static func refusal(_ view: ByteView) -> String {
    switch FileKind(view) {
    case .picture(let format):
      return "is a picture (\(format.rawValue)), expected a video; `mien detect` reads photos, `mien dataset import` "
        + "makes a data set of pictures that hold one face each"
    case .other(let kind):
      let advice = kind.content == .none && !kind.advice.isEmpty ? "; \(kind.advice)" : ""
      return "is not a video (found \(kind.name))\(advice); expected MP4, QuickTime, Matroska, WebM, AVI, "
        + "MPEG, FLV, Ogg, WMV, DV, MXF, YUV4MPEG2, a stream of H.264, HEVC or Motion JPEG, or an animated GIF, PNG, WebP, "
        + "AVIF or HEIC"
    }
  }

  init(name: String, isTruncated: Bool = false, format: String, isUntimed: Bool = false) {
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
  /// Whether a file that starts so is a picture that is read as a video too: a GIF, an animated PNG, WebP, AVIF or HEIC, or
  /// Motion JPEG.
  ///
  /// - Parameter start: at least ``prefix`` bytes where the file has them; of Motion JPEG, also the start of the second
  ///   picture, and of a PNG as far as its pixels.
  package static func isVideo(start: [UInt8]) -> Bool {
    start.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      if case .picture(.jpeg) = FileKind(view) { return (try? MotionJPEG.isStart(of: VideoBytes(view))) == true }
      return (try? VideoContainer.animation(view, VideoBytes(view))) != nil
    }
  }
}

/// Parts of a file by offset.
final class VideoBytes {
  let size: UInt64
  private let source: Source
  /// The part that was read last.
  private var window = Data()
  private var start: UInt64 = 0

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

  /// Lends up to `count` bytes, at most 4096, from `offset` on; a file is not read twice for what lies close together.
  func view<Result>(_ offset: UInt64, count: Int, _ body: (ByteView) throws -> Result) throws -> Result {
    if offset < start || offset + UInt64(count) > start + UInt64(window.count) {
      (window, start) = (try read(offset, count: 4096), offset)
    }
    return try window.withUnsafeBytes { bytes in
      let first = Int(offset - start)
      return try body(ByteView(bytes: UnsafeRawBufferPointer(rebasing: bytes[first..<min(first + count, bytes.count)])))
    }
  }

  /// The four letters at `offset`, such as a box's type; `nil` behind the end of the file.
  func text(_ offset: UInt64) throws -> String? { try view(offset, count: 4) { $0.text(0) } }
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
