/// A kind of file that Mien writes.
public enum ImageFormat: Sendable, Hashable {
  /// Portable Network Graphics: lossless.
  case png
  /// JPEG with a quality of 1 (small) to 100 (good).
  case jpeg(quality: Int)

  /// The format that a file's extension names (`png`, `jpg`, `jpeg`, any case); nil for others.
  public init?(fileExtension: String) {
    switch fileExtension.lowercased() {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg(quality: 92)
    default: return nil
    }
  }
}

/// How large a picture may be before it is refused.
public struct ImageLimits: Sendable, Hashable {
  /// Most pixels (width x height). A decoded picture takes three bytes a pixel.
  public var maxPixels: Int
  /// Most bytes of a file.
  public var maxFileBytes: Int

  /// Sets both limits.
  public init(maxPixels: Int = 100_000_000, maxFileBytes: Int = 268_435_456) {
    self.maxPixels = maxPixels
    self.maxFileBytes = maxFileBytes
  }

  /// 100 million pixels, 256 MiB.
  public static let `default` = ImageLimits()
}
