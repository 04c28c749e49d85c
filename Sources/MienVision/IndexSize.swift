import MienCore

/// How many entries FFmpeg's index of a file will have, added up before FFmpeg is given the file.
struct IndexSize {
  /// Entries that may be claimed whatever the size of the file: a small untruth harms nobody.
  static let unchecked = 65_536
  static let advice = "fetch or export the file again"

  private let container: String
  private let fileBytes: UInt64
  private let limits: VideoLimits
  private var entries = 0

  /// For a file of a container of this name.
  init(of container: String, in file: VideoBytes, _ limits: VideoLimits) {
    (self.container, fileBytes, self.limits) = (container, file.size, limits)
  }

  /// Adds entries, at most 2^60.
  ///
  /// - Throws: ``MienError`` without subject if there are more than bytes in the file, as each stands for at least one, or
  ///   more than ``VideoLimits/maxIndexEntries``.
  mutating func add(_ count: Int) throws {
    entries += count
    guard entries > Self.unchecked else { return }
    if entries > fileBytes {
      throw MienError(
        .format, nil,
        "has a damaged index (\(container)): it claims \(entries.grouped) entries, for frames, sound and fragments, in a "
          + "file of \(Spelling.size(Int(fileBytes))); \(Self.advice)")
    }
    if entries > limits.maxIndexEntries {
      throw MienError(
        .limit, nil,
        "has an index of \(entries.grouped) or more entries, for frames, sound and fragments, more than the limit of "
          + "\(limits.maxIndexEntries.grouped); cut it into parts first: "
          + "ffmpeg -i IN -c copy -f segment -segment_time 3600 -reset_timestamps 1 part%d.mp4")
    }
  }
}
