import MienCore

/// A picture and its faces. Its JSON is that of `mien detect --json` and of the server's `/v1/detect`, described in
/// `docs/detect.md`. Part of both contracts.
public struct PictureReadings: Sendable, Hashable, Codable {
  /// The picture's file or name; `nil` if it has none.
  public let file: String?
  /// The whole upright picture's width in pixels; `nil` if it failed.
  public let width: Int?
  /// The whole upright picture's height in pixels; `nil` if it failed.
  public let height: Int?
  /// The faces, the largest first, in pixels of the whole picture.
  public let faces: [FaceReading]
  /// Why the picture could not be read; `nil` if it was.
  public let error: String?
  /// What is wrong with a picture that was read: that it is too small to hold a face, or what ``Image/warning`` says; `nil`
  /// if nothing is.
  public let warning: String?

  /// A picture that was read.
  public init(file: String?, width: Int?, height: Int?, faces: [FaceReading], warning: String? = nil) {
    (self.file, self.width, self.height, error, self.faces) = (file, width, height, nil, faces)
    var warnings = [warning].compactMap(\.self)
    if faces.isEmpty, let width, let height, min(width, height) < NetworkDetector.leastMinFace {
      warnings.insert(
        "has \(width)x\(height) pixels, which is too small to hold a face (at least \(NetworkDetector.leastMinFace) "
          + "pixels from forehead to chin)", at: 0)
    }
    self.warning = warnings.isEmpty ? nil : warnings.joined(separator: "; ")
  }

  /// A picture that failed.
  public init(file: String?, error: String) {
    (self.file, self.error) = (file, error)
    (width, height, faces, warning) = (nil, nil, [], nil)
  }

  /// Writes what is not known as null; `warning` is there only if there is one.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file, forKey: .file)
    try container.encode(width, forKey: .width)
    try container.encode(height, forKey: .height)
    try container.encode(faces, forKey: .faces)
    try container.encode(error, forKey: .error)
    try container.encodeIfPresent(warning, forKey: .warning)
  }
}
