import COpenCV
public import Foundation
import Glibc
package import MienCore

extension Image {
  /// Decodes a file.
  ///
  /// The content tells the kind of file, whatever its name: JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF, JPEG 2000, PNM,
  /// TGA or icon. Of animations the first frame is read, of TIFF the first page. The orientation tag is applied. Grey
  /// stays grey; 16-bit samples are scaled to 8; CMYK becomes RGB; alpha is composited on white (BMP's is dropped, as
  /// writers fill it with anything). A picture of which part is missing is read as far as it goes: see ``isDamaged`` and
  /// ``warning``. One of more than ``ImageLimits/decodedPixels`` is reduced: see ``reduction``.
  ///
  /// - Throws: ``MienError`` that names the file: it is missing, no picture, damaged, or over the limits; or the library
  ///   that reads its format is not installed.
  public init(contentsOf url: URL, limits: ImageLimits = .default) throws {
    try self.init(contentsOf: FilePath(url.path), limits: limits)
  }

  /// Decodes the file at a path of any bytes, as ``init(contentsOf:limits:)-(URL,_)`` does.
  package init(contentsOf path: FilePath, limits: ImageLimits = .default) throws {
    do {
      self = try Image(encoded: Self.read(path, limits: limits), limits: limits)
    } catch let error as MienError {
      throw error.about(path.text)
    }
  }

  /// Decodes a file's bytes, as ``init(contentsOf:limits:)`` does.
  public init(encoded data: Data, limits: ImageLimits = .default) throws {
    try self.init(encoded: data, limits: limits, shouldStop: { false })
  }

  /// Decodes a file's bytes, unless `shouldStop` says that nobody wants it any longer: it is asked before, and every few rows
  /// of JPEG, PNG, GIF, PNM and TGA.
  ///
  /// - Throws: also `CancellationError`, when it was stopped.
  package init(encoded data: Data, limits: ImageLimits, shouldStop: @escaping () -> Bool) throws {
    guard data.count <= limits.maxFileBytes else { throw Self.tooLarge(data.count, limits) }
    guard !data.isEmpty else { throw MienError(.format, nil, "is empty, expected a picture") }
    if shouldStop() { throw CancellationError() }
    var picture = try data.withUnsafeBytes { try Self.decode($0, limits, shouldStop) }
    try ImageCodecs.reduce(&picture, limits)
    self = try picture.upright()
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, _ limits: ImageLimits, _ shouldStop: @escaping () -> Bool
  ) throws -> DecodedPicture {
    let file = ByteView(bytes: bytes)
    let kind = FileKind(file)
    guard case .picture(let format) = kind else {
      throw MienError(.format, nil, kind.explanation ?? "is no picture")
    }
    switch format {
    case .jpeg: return try ImageCodecs.jpeg(bytes, limits, shouldStop: shouldStop)
    case .gif: return try ImageCodecs.gif(bytes, limits, shouldStop: shouldStop)
    case .heic, .avif: return try heif(file, format, limits)
    case .png: return try png(file, limits, shouldStop)
    case .pnm: return try Netpbm(file, limits).picture(shouldStop: shouldStop)
    case .tga: return try Targa(file, limits).picture(shouldStop: shouldStop)
    case .icon: return try IconFile(file).picture(limits) { try decode($0, limits, shouldStop) }
    case .webP: return try WebPFile(file).picture(limits)
    case .bmp, .tiff, .jpeg2000:
      let header = try ImageHeader.read(file, format)
      try limits.check(header)
      return try OpenCV.decode(bytes, header)
    }
  }

  /// Whether an encoded picture is decoded at full size, however little of it is kept: all kinds but JPEG and PNG, and a PNG
  /// animation whose first frame has to be placed on its canvas.
  package static func isDecodedWhole(_ data: Data) -> Bool {
    data.withUnsafeBytes { bytes in
      let file = ByteView(bytes: bytes)
      switch FileKind(file) {
      case .picture(.jpeg): return false
      case .picture(.png): return PNGHeader(file).hasSeparateFrame
      default: return true
      }
    }
  }

  private static func png(
    _ file: ByteView, _ limits: ImageLimits, _ shouldStop: @escaping () -> Bool
  ) throws -> DecodedPicture {
    let header = PNGHeader(file)
    var picture: DecodedPicture
    if let frame = header.firstFrame(of: file) {
      var limits = limits
      if !frame.fillsCanvas {
        // It is placed at full size, and reduced afterwards.
        try limits.check(ImageHeader(format: .png, width: frame.canvas.width, height: frame.canvas.height))
        limits.decodedPixels = limits.maxPixels
      }
      picture = try frame.file.withUnsafeBytes { try ImageCodecs.png($0, limits, shouldStop: shouldStop) }
      if !frame.fillsCanvas { picture = picture.placed(x: frame.x, y: frame.y, on: frame.canvas) }
    } else {
      picture = try ImageCodecs.png(file.bytes, limits, shouldStop: shouldStop)
    }
    picture.orientation = header.orientation
    if header.frames > 1 { picture.notes.append(DecodedPicture.animation(.png, frames: header.frames)) }
    return picture
  }

  private static func heif(_ file: ByteView, _ format: PictureFormat, _ limits: ImageLimits) throws -> DecodedPicture {
    let sequence = VideoContainer.sequence(file)
    if let sequence, !sequence.hasStill {
      throw MienError(
        .format, nil,
        "is an animated \(format.rawValue) of \(sequence.frames.grouped) frames without a still picture to read as a photo; "
          + videoAdvice)
    }
    try HEIFFile(file, format).check(limits)
    var picture = try ImageCodecs.heif(format, file.bytes, limits)
    if let sequence, sequence.frames > 1 {
      picture.notes.append(DecodedPicture.animation(format, frames: sequence.frames))
    }
    return picture
  }

  /// A file's bytes, refused by size before they are read.
  private static func read(_ path: FilePath, limits: ImageLimits) throws -> Data {
    // A pipe without a writer would be waited for.
    let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      let code = errno
      switch code {
      case ENOENT, ENOTDIR: throw MienError(.missing, nil, "no such file")
      default: throw MienError(.file, nil, "may not be read: \(String(cString: strerror(code)))")
      }
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw MienError(.file, nil, "could not be read") }
    // A device or pipe has no size to check first, and may never end.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw MienError(
        .file, nil, status.st_mode & S_IFMT == S_IFDIR ? "is a folder, expected a file" : "is not a regular file")
    }
    guard status.st_size <= limits.maxFileBytes else { throw tooLarge(Int(status.st_size), limits) }
    do { return try handle.read(upToCount: limits.maxFileBytes) ?? Data() } catch {
      throw MienError(.file, nil, "could not be read")
    }
  }

  private static func tooLarge(_ count: Int, _ limits: ImageLimits) -> MienError {
    MienError(.limit, nil, "is \(count.grouped) bytes, more than the limit of \(limits.maxFileBytes.grouped) bytes")
  }
}

extension DecodedPicture {
  /// The picture, turned upright.
  fileprivate func upright() throws -> Image {
    try Image(
      uncheckedWidth: width, height: height, channels: channels, pixels: pixels, reduction: reduction,
      wholeWidth: wholeWidth, wholeHeight: wholeHeight, warning: warning, isDamaged: isDamaged
    ).turned(byOrientation: orientation)
  }
}

extension Image {
  /// A box of this image in pixels of the whole picture that it was decoded from; the same unless that was reduced.
  public func whole(_ box: Box) -> Box {
    guard reduction > 1 else { return box }
    let (x, y) = (box.x * reduction, box.y * reduction)
    // The last row and column may stand for fewer pixels than the others.
    return Box(
      x: x, y: y, width: box.x + box.width == width ? wholeWidth - x : box.width * reduction,
      height: box.y + box.height == height ? wholeHeight - y : box.height * reduction)
  }

  /// A box of the whole picture in pixels of this image, rounded outwards: the inverse of ``whole(_:)``.
  public func reduced(_ box: Box) -> Box {
    guard reduction > 1 else { return box }
    func down(_ value: Int) -> Int { Int((Double(value) / Double(reduction)).rounded(.down)) }
    func up(_ value: Int) -> Int { Int((Double(value) / Double(reduction)).rounded(.up)) }
    return Box(
      x: down(box.x), y: down(box.y), width: up(box.x + box.width) - down(box.x),
      height: up(box.y + box.height) - down(box.y))
  }
}
