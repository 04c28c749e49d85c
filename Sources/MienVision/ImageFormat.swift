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
