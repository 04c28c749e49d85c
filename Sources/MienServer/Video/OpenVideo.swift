import Foundation
import MienInference
import MienVision

/// A video that is being read: its decoder, the faces that are followed, and the files that get its rows. Whoever asks for no
/// more frames for a while lets it rest; little work goes ahead.
final class OpenVideo {
  /// How far it has been read.
  struct Progress {
    /// Frames read.
    var count = 0
    /// The share of the video, 0…1; nil if the file does not tell how long it is.
    var share: Double?
  }

  private let video: VideoDecoder
  private let (output, table): (GrowingFile, GrowingFile)
  private let emotions: [Emotion]
  private let files: NativeQueue
  private var frames: VideoReadings.AsyncIterator
  private var progress = Progress()

  /// Says about what it takes of memory, in bytes, or has already taken.
  var bytes: @Sendable () -> Int { { [video] in max(Self.bytes(pixels: video.pixels), video.ownBytes) } }

  /// About what an open video with frames of so many pixels takes of memory, in bytes: frames that the decoder keeps, and those
  /// that are searched ahead. Measured with H.264: 190 MB at 1080p, 310 MB at 4K, 470 MB at 8K, which is searched at half its
  /// size.
  static func bytes(pixels: Int) -> Int {
    let whole = min(pixels, 9_000_000)
    return 150_000_000 + 19 * whole + 6 * (pixels - whole)
  }

  /// What is wrong with the video though it was read, once there is no further frame; a sentence that starts after its name.
  var warning: String? { video.warnings.isEmpty ? nil : video.warnings.joined(separator: "; ") }

  /// Opens what was sent, and makes the files of its rows.
  ///
  /// - Parameters:
  ///   - program: `mien-server`.
  ///   - files: where files are written.
  /// - Throws: ``MienError`` if it is no video; ``APIError`` if the disk is full.
  init(
    _ place: VideoJobFolder, by reader: InferenceEngine.Reader, options: VideoOptions, program: String,
    limits: ServerLimits, files: NativeQueue
  ) async throws {
    (output, table) = try await files.run { (try GrowingFile(place.result), try GrowingFile(place.table)) }
    let recognizer = try await files.run { try reader.recognizer() }
    // On a thread of its own: to look into some files takes seconds.
    let (video, readings) = try await NativeQueue(width: 1).run {
      let video = try VideoDecoder(contentsOf: place.upload, program: program, limits: limits)
      return (video, try VideoReadings(source: video, recognizer: recognizer, options: options, isLive: false))
    }
    (self.video, self.files) = (video, files)
    frames = readings.makeAsyncIterator()
    emotions = recognizer.labels.emotions.sorted()
    try await files.run { [table, emotions] in try table.append(Data(VideoRow.csvHeader(emotions).utf8)) }
  }

  /// Reads the next frame and adds its rows to the files.
  ///
  /// - Returns: how far the video has been read; nil if there is no further frame.
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func next() async throws -> Progress? {
    let found = try await withTaskCancellationHandler {
      try await frames.next()
    } onCancel: { [video] in
      video.stop()
    }
    guard let frame = found else { return nil }
    let rows = frame.rows
    let lines = try rows.map { try JSON.encode($0) + Data("\n".utf8) }
    try await files.run { [output, table, emotions] in
      try output.append(Data(lines.joined()))
      try table.append(Data(rows.map { $0.csv(emotions) }.joined().utf8))
    }
    progress.count += 1
    progress.share = video.frameCount.map { min(1, Double(frame.index + 1) / Double($0)) }
    return progress
  }
}
