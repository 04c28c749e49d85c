import MienCore

/// A WebP file's chunks (RFC 9649): its size, its orientation, and the first frame of an animation.
struct WebPFile {
  private let file: ByteView
  private var width = 0
  private var height = 0
  private var orientation = 1
  /// The first frame's place on the canvas and its data, and how many frames there are.
  private var frame: (x: Int, y: Int, width: Int, height: Int, data: ByteView)?
  private var frames = 0
  private let isAnimated: Bool

  /// Reads the chunks of a whole file.
  ///
  /// - Throws: ``MienError``: it is truncated, or its first chunk is no picture.
  init(_ file: ByteView) throws {
    self.file = file
    let truncated = DecodedPicture.truncated(.webP, count: file.count)
    guard let riffLength = file.littleEndian32(4), riffLength <= file.count - 8 else { throw truncated }
    isAnimated = file.has("VP8X", at: 12) && (file.u8(20) ?? 0) & 2 != 0
    var offset = 12
    while offset + 8 <= 8 + riffLength {
      guard let length = file.littleEndian32(offset + 4), let data = file.part(offset + 8, count: length) else {
        throw truncated
      }
      if offset == 12 {
        (width, height) = try Self.size(file, firstChunk: data)
      } else if file.has("EXIF", at: offset) {
        let exif = data.has("Exif\0\0") ? data.part(6, count: data.count - 6) : data
        orientation = exif.flatMap { TIFFDirectory($0) }?.orientation ?? orientation
      } else if file.has("ANMF", at: offset) {
        if frames == 0 { frame = Self.frame(data) }
        frames += 1
      }
      offset += 8 + length + length % 2
    }
    guard width > 0, height > 0 else {
      throw MienError(
        .format, nil, "expected a WebP picture with pixels, its header says \(width)x\(height)")
    }
  }

  /// Decodes the picture, or the first frame on its canvas.
  ///
  /// - Throws: ``MienError``: it is damaged or over the limits.
  func picture(_ limits: ImageLimits) throws -> DecodedPicture {
    try limits.check(width: width, height: height, .webP)
    var header = ImageHeader(format: .webP, width: width, height: height, orientation: orientation)
    guard isAnimated else { return try OpenCV.decode(file.bytes, header) }
    guard let frame, let still = Self.still(frame) else { throw DecodedPicture.truncated(.webP, count: file.count) }
    header.notes = frames > 1 ? [DecodedPicture.animation(.webP, frames: frames)] : []
    try limits.check(width: frame.width, height: frame.height, .webP)
    let picture = try still.withUnsafeBytes { try OpenCV.decode($0, header) }
    guard frame.x > 0 || frame.y > 0 || picture.width != width || picture.height != height else { return picture }
    // What the frame leaves free of the canvas is transparent, so white.
    return picture.placed(x: frame.x, y: frame.y, on: (width, height))
  }

  /// The size by the first chunk: a canvas, which the picture after it must fill, or the picture itself. Decoders take
  /// no other chunk's word for it, and a first chunk of another kind for a picture without a chunk around it.
  private static func size(_ file: ByteView, firstChunk data: ByteView) throws -> (width: Int, height: Int) {
    if file.has("VP8X", at: 12) {
      return ((data.littleEndian24(4) ?? -1) + 1, (data.littleEndian24(7) ?? -1) + 1)
    }
    if let size = pictureSize(file, at: 12) { return size }
    throw MienError(.format, nil, "is a damaged WebP picture: its first chunk is no picture")
  }

  /// The size that a picture's own data begin with; `nil` if no picture starts at `offset`.
  private static func pictureSize(_ file: ByteView, at offset: Int) -> (width: Int, height: Int)? {
    let start = offset + 8
    if file.has("VP8 ", at: offset) {
      return ((file.littleEndian16(start + 6) ?? 0) & 0x3FFF, (file.littleEndian16(start + 8) ?? 0) & 0x3FFF)
    }
    if file.has("VP8L", at: offset), let bits = file.littleEndian32(start + 1) {
      return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    }
    return nil
  }

  private static func frame(_ data: ByteView) -> (x: Int, y: Int, width: Int, height: Int, data: ByteView)? {
    guard let x = data.littleEndian24(0), let y = data.littleEndian24(3), let width = data.littleEndian24(6),
      let height = data.littleEndian24(9), let chunks = data.part(16, count: data.count - 16)
    else { return nil }
    return (2 * x, 2 * y, width + 1, height + 1, chunks)
  }

  /// A file of one frame alone: its picture, behind its transparency where it has one.
  private static func still(_ frame: (x: Int, y: Int, width: Int, height: Int, data: ByteView)) -> [UInt8]? {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var chunks: [UInt8] = []
    var hasAlpha = false
    var offset = 0
    while let length = frame.data.littleEndian32(offset + 4), let data = frame.data.part(offset, count: 8 + length) {
      if frame.data.has("ALPH", at: offset) { hasAlpha = true }
      let isPicture = frame.data.has("VP8 ", at: offset) || frame.data.has("VP8L", at: offset)
      if isPicture || frame.data.has("ALPH", at: offset) {
        chunks += Array(data.bytes) + (length % 2 == 1 ? [0] : [])
      }
      if isPicture {
        // The decoder goes by the picture's own size.
        guard let size = pictureSize(frame.data, at: offset), size.width == frame.width, size.height == frame.height
        else { return nil }
        let flags: [UInt8] = Array("VP8X".utf8) + number(10, 4) + [0x10, 0, 0, 0]
        let canvas = flags + number(frame.width - 1, 3) + number(frame.height - 1, 3)
        let body = Array("WEBP".utf8) + (hasAlpha ? canvas : []) + chunks
        return Array("RIFF".utf8) + number(body.count, 4) + body
      }
      offset += 8 + length + length % 2
    }
    return nil
  }
}
