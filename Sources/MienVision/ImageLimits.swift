import MienCore

/// How large a picture may be, and how much of it is kept in memory.
public struct ImageLimits: Sendable, Hashable {
  /// Most pixels (width x height) of a picture.
  public var maxPixels: Int
  /// Most bytes of a file.
  public var maxFileBytes: Int
  /// Most pixels to keep in memory, at three bytes per pixel. Larger pictures are reduced to 1/2, 1/4 or 1/8 of their
  /// sides: JPEG and PNG while they are decoded, others afterwards.
  public var decodedPixels: Int
  /// Most bytes of the samples of a BMP, TIFF, JPEG 2000, PNM, TGA or interlaced PNG picture, which is decoded whole: three
  /// per pixel with 8 bits per sample, twelve with 32. Decoding takes up to twice as much memory. HEIC and AVIF, whose
  /// planes are not counted one by one, may take three times as much.
  public var sampleBytes: Int
  /// Most bytes that decoding is to hold of a JPEG picture in several scans, as progressive ones are, or an interlaced PNG: more stops
  /// it, as if nobody wanted the picture.
  package var heldBytes = Int.max

  /// Sets the limits; each is at least 1.
  public init(
    maxPixels: Int = 200_000_000, maxFileBytes: Int = 268_435_456, decodedPixels: Int = 32_000_000,
    sampleBytes: Int = .max
  ) {
    self.maxPixels = max(maxPixels, 1)
    self.maxFileBytes = max(maxFileBytes, 1)
    self.decodedPixels = max(decodedPixels, 1)
    self.sampleBytes = max(sampleBytes, 1)
  }

  /// 200 million pixels, of which 32 million are kept, and 256 MiB.
  public static let `default` = ImageLimits()

  /// Most pixels of a picture that cannot be decoded at a reduced size: 100 million, or ``maxPixels`` if that is less.
  var maxWholePixels: Int { min(maxPixels, 100_000_000) }

  /// Checks the size of a picture that has to be decoded whole.
  ///
  /// - Throws: ``MienError`` of kind `limit`.
  func check(width: Int, height: Int, _ format: PictureFormat) throws {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, area <= maxWholePixels else { throw error(width: width, height: height, format) }
  }

  /// Checks the size of a picture whose samples are all in memory at a time.
  ///
  /// - Throws: ``MienError`` of kind `limit`.
  func check(_ header: ImageHeader) throws {
    try check(width: header.width, height: header.height, header.format)
    let area = header.width * header.height
    guard
      header.tilePixels <= area
        || header.tilePixels <= maxWholePixels && header.tilePixels * header.pixelBytes <= sampleBytes
    else {
      throw MienError(
        .limit, nil,
        "has tiles of \(header.tilePixels.grouped) pixels, which have to be decoded whole; save it with smaller ones: "
          + "tiffcp -t -w 256 -l 256 in.tif out.tif")
    }
    let bytes = area * header.pixelBytes
    guard bytes <= sampleBytes else {
      throw MienError(
        .limit, nil,
        "is \(header.width)x\(header.height) pixels of \(header.pixelBytes) bytes while it is decoded, together more than the limit "
          + "of \(sampleBytes.grouped) bytes; shrink it, or save it as a plain JPEG first")
    }
    guard header.structureBytes <= Double(sampleBytes) else {
      throw MienError(
        .limit, nil,
        "is coded in so many parts that decoding takes \(Int(header.structureBytes / 1e6).grouped) MB beside its pixels, more "
          + "than the limit of \(Spelling.size(sampleBytes)); save it as a plain JPEG first")
    }
  }

  /// The error for a picture that is too large.
  func error(width: Int, height: Int, _ format: PictureFormat) -> MienError {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    if overflow || area > maxPixels {
      return MienError(
        .limit, nil, "is \(width)x\(height) pixels, more than the limit of \(maxPixels.grouped) pixels; shrink it first"
      )
    }
    return MienError(
      .limit, nil,
      "is \(width)x\(height) pixels, more than the limit of \(maxWholePixels.grouped) pixels for a \(format.rawValue) picture that "
        + "has to be decoded whole; shrink it, or save it as a plain JPEG first")
  }
}
