import MienCore
import Synchronization

/// What came of many photos, one after another; see ``PhotoPipeline/outcomes(of:)``.
///
/// - Each iterator reads the photos anew.
/// - A bounded number of photos is decoded and searched ahead of the caller, on every core; faces are classified in batches.
///   When the iterator or the caller's task ends, no further photo is started; in a cancelled task iteration throws
///   `CancellationError`.
public struct PhotoOutcomes: AsyncSequence, Sendable {
  /// What came of one photo.
  public typealias Element = PhotoPipeline.Outcome
  private let pipeline: PhotoPipeline
  private let photos: [PhotoPipeline.Photo]
  private let meter = Meter()

  init(pipeline: PhotoPipeline, photos: [PhotoPipeline.Photo]) {
    (self.pipeline, self.photos) = (pipeline, photos)
  }

  /// Where the time went so far, of all iterators together.
  package var timings: PhotoPipeline.Timings { meter.timings.withLock { $0 } }

  /// Starts to read.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pipeline: pipeline, photos: photos, meter: meter)
  }

  fileprivate final class Meter: Sendable {
    let timings = Mutex(PhotoPipeline.Timings())
  }

  /// Hands out outcomes, and keeps the next photos coming meanwhile.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private typealias Prepared = Result<PhotoPipeline.Picture, MienError>

    private let pipeline: PhotoPipeline
    private let photos: [PhotoPipeline.Photo]
    private let meter: Meter
    /// Photos that are prepared, by number, as they get ready.
    private let finished: AsyncStream<(Int, Prepared)>.Continuation
    private var arriving: AsyncStream<(Int, Prepared)>.Iterator
    /// Those that wait for one before them.
    private var reorder: [Int: Prepared] = [:]
    private var ready: ArraySlice<PhotoPipeline.Outcome> = []
    /// How many photos were started, how many of them arrived, and of how many the outcome is there.
    private var started = 0
    private var arrived = 0
    private var read = 0
    private var isEmptyChecked = false

    fileprivate init(pipeline: PhotoPipeline, photos: [PhotoPipeline.Photo], meter: Meter) {
      (self.pipeline, self.photos, self.meter) = (pipeline, photos, meter)
      let (stream, finished) = AsyncStream.makeStream(of: (Int, Prepared).self)
      self.finished = finished
      arriving = stream.makeAsyncIterator()
    }

    /// The next photo's outcome; `nil` after the last.
    ///
    /// - Throws: ``MienError`` if the network fails, `CancellationError` if the task was cancelled.
    public mutating func next() async throws -> PhotoPipeline.Outcome? {
      try Task.checkCancellation()
      if photos.isEmpty, !isEmptyChecked {
        // A model that cannot be used is an error even if there is no photo.
        isEmptyChecked = true
        _ = try await pipeline.recognizer()
      }
      while ready.isEmpty, read < photos.count {
        start()
        guard let (index, prepared) = await arriving.next() else { throw CancellationError() }
        reorder[index] = prepared
        arrived += 1
        try await readBatch()
      }
      return ready.popFirst()
    }

    /// Starts photos: two a thread are under way, one at work, one next.
    private mutating func start() {
      while started < photos.count, started - read < pipeline.window, started - arrived < 2 * pipeline.width {
        let (pipeline, finished, index, photo) = (pipeline, finished, started, photos[started])
        Task { finished.yield((index, await pipeline.prepare(photo))) }
        started += 1
      }
    }

    /// Classifies the photos that are next in turn, if they hold a batch of faces, or nothing else is to be waited for.
    private mutating func readBatch() async throws {
      var next: [Prepared] = []
      while let prepared = reorder[read + next.count] { next.append(prepared) }
      let faces = next.reduce(0) { $0 + ((try? $1.get().prepared.faces.count) ?? 0) }
      let isDue =
        faces >= EmotionClassifier.batchSize || read + next.count == started || next.count * 2 >= pipeline.window
      guard isDue, !next.isEmpty else { return }
      for offset in next.indices { reorder[read + offset] = nil }
      let batch = photos[read..<(read + next.count)]
      read += next.count
      var timings = PhotoPipeline.Timings()
      ready = try await pipeline.outcomes(of: next, batch, &timings)[...]
      meter.timings.withLock { $0.add(timings) }
    }
  }
}
