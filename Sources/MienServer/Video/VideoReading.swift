import Foundation
import MienInference
import MienVision

/// Reads a video file frame by frame, as rows of JSON.
actor VideoReading {
  /// Frames read so far.
  private(set) var frames = 0
  /// How much of the file has been read, 0…1; nil where the file does not tell its length.
  private(set) var progress: Double?

  private let reader: VideoReader
  private let engine: InferenceEngine
  private let options: VideoJob.Options
  private let queue: NativeQueue
  private var tracker: ReadingTracker

  /// Opens the file.
  ///
  /// - Throws: ``MienCore/MienError`` that names it where it is no video.
  init(_ url: URL, _ options: VideoJob.Options, engine: InferenceEngine) async throws {
    let queue = NativeQueue(width: 1)
    let reader = try await queue.run { try VideoReader(contentsOf: url) }
    (self.queue, self.reader) = (queue, reader)
    self.engine = engine
    self.options = options
    var tracking = options.reading.tracking
    // Faces must last from one frame that is read to the one after the next.
    let pace = 1 / (reader.framesPerSecond ?? 25)
    tracking.maxGap = min(10, max(tracking.maxGap, 2.5 * Double(options.every) * pace))
    tracker = ReadingTracker(options: tracking)
  }

  /// The rows of the next frame that is read; nil at the end.
  func next() async throws -> Data? {
    let (reader, every, isFirst) = (reader, options.every, frames == 0)
    let found = try await queue.run { () throws -> VideoFrame? in
      for _ in 0..<(isFirst ? 0 : every - 1) where try reader.next() == nil { return nil }
      return try reader.next()
    }
    guard let frame = found else { return nil }
    let faces = tracker.update(try await engine.read(frame.image).faces, seconds: frame.seconds)
    frames += 1
    progress = reader.frameCount.map { min(1, Double(frame.index + 1) / Double($0)) }
    let rows = faces.isEmpty ? [Row(frame: frame, face: nil)] : faces.map { Row(frame: frame, face: $0) }
    return try rows.reduce(into: Data()) { $0 += try JSON.encode($1) + Data("\n".utf8) }
  }

  /// A row: the keys of `mien video --json`.
  private struct Row: Encodable {
    let frame: VideoFrame
    let face: TrackedReading?

    private enum Keys: String, CodingKey { case frame, seconds }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(frame.index, forKey: .frame)
      try container.encode((frame.seconds * 1e6).rounded() / 1e6, forKey: .seconds)
      try TrackedFaceJSON(face).encode(to: encoder)
    }
  }
}
