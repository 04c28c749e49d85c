import MienCore
import MienVision

/// Reads a video: while the faces of some frames are read, the next frames are searched.
actor VideoSession {
  private let search: VideoSearch
  private let recognizer: Recognizer
  private let meter: VideoMeter
  private let isLive: Bool
  private let queue = NativeQueue.shared
  /// The search waits for the decoder, which may take seconds for a frame: no other video waits with it.
  private let searching = NativeQueue(width: 1)
  private var tracker: ReadingTracker
  private var ahead: Task<SearchedFrames, any Error>?
  private var failure: (any Error)?
  private var isAtEnd = false
  /// Frames whose faces are not all read yet, and readings of their first faces.
  private var frames: [SearchedFrame] = []
  private var distributions: [EmotionDistribution] = []
  /// Whether the last step finished no frame: then the next does not wait for a full batch, so that memory is bounded.
  private var isWaiting = false

  init(
    source: any FrameSource, recognizer: Recognizer, options: VideoOptions, isLive: Bool, meter: VideoMeter
  ) {
    search = VideoSearch(
      source: source, recognizer: recognizer, options: options, isLive: isLive, meter: meter)
    self.recognizer = recognizer
    self.meter = meter
    self.isLive = isLive
    tracker = ReadingTracker(options: options.tracking)
  }

  deinit { ahead?.cancel() }

  /// The next frames, in order, at least one; nil at the end.
  func next() async throws -> [FrameReadings]? {
    while true {
      try Task.checkCancellation()
      if isAtEnd {
        defer { failure = nil }
        if let failure { throw failure }
        return nil
      }
      let found = try await searched()
      frames += found.frames
      (isAtEnd, failure) = (found.isLast, found.failure)
      // What is searched next does not wait for what is read now. A camera's frames would grow old.
      if !isAtEnd && !isLive { ahead = startSearch() }
      do { try await readFaces(all: isLive || isAtEnd || isWaiting) } catch {
        // What was found is not given to other faces: a session that failed has ended.
        (isAtEnd, failure, frames, distributions) = (true, nil, [], [])
        throw error
      }
      let readings = finishedFrames()
      isWaiting = readings.isEmpty
      if !readings.isEmpty { return readings }
    }
  }

  private func searched() async throws -> SearchedFrames {
    let task = ahead ?? startSearch()
    ahead = nil
    return try await task.value
  }

  private func startSearch() -> Task<SearchedFrames, any Error> {
    Task { [search, searching] in try await searching.run { search.next() } }
  }

  /// Runs the network on full batches, or on all that waits.
  private func readFaces(all: Bool) async throws {
    let size = EmotionClassifier.batchSize
    let width = recognizer.classifier.card.preprocessing.elementCount
    let inputs = frames.flatMap(\.prepared.inputs).dropFirst(distributions.count * width)
    let waiting = inputs.count / width
    let count = all ? waiting : waiting / size * size
    guard count > 0 else { return }
    let batch = Array(inputs.prefix(count * width))
    let (recognizer, meter) = (recognizer, meter)
    distributions += try await queue.run {
      try meter.measure(\.classifying) {
        try recognizer.classifier.distributions(for: batch, count: count, labels: recognizer.labels)
      }
    }
  }

  /// The frames, from the first on, whose faces are all read.
  private func finishedFrames() -> [FrameReadings] {
    var finished: [FrameReadings] = []
    var used = 0
    for searched in frames {
      let faces = searched.prepared.faces
      guard used + faces.count <= distributions.count else { break }
      let readings = faces.indices.map {
        recognizer.reading(faces[$0], distributions[used + $0], searched.prepared.doubts[$0])
      }
      used += faces.count
      finished.append(
        FrameReadings(
          index: searched.frame.index, seconds: searched.frame.seconds, image: searched.frame.image,
          startsScene: searched.startsScene,
          faces: tracker.update(readings, seconds: searched.frame.seconds, sceneChanged: searched.startsScene)))
    }
    frames.removeFirst(finished.count)
    distributions.removeFirst(used)
    return finished
  }
}
