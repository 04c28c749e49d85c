import MienInference
import Synchronization

/// Classifies the faces of several requests in one go: whatever has come in while the network was busy is the next batch.
/// Nothing waits for a batch to fill up.
final class FaceBatcher: Sendable {
  /// The most faces of a batch; pictures are not torn apart, so one with more is a batch by itself.
  private static let batchFaces = 32

  private struct Job {
    let prepared: FaceFinder.PreparedFaces
    let continuation: CheckedContinuation<[FaceReading], any Error>
  }

  private struct State {
    var waiting: [Job] = []
    var running = 0
  }

  private let recognizer: Recognizer
  private let queue: NativeQueue
  private let metrics: Metrics
  private let state = Mutex(State())

  /// - Parameter queue: where batches run, each on an inference request of its own; the models of a server share it.
  init(recognizer: Recognizer, queue: NativeQueue, metrics: Metrics) {
    self.recognizer = recognizer
    self.metrics = metrics
    self.queue = queue
  }

  /// What a picture's faces show, in their order.
  func readings(of prepared: FaceFinder.PreparedFaces) async throws -> [FaceReading] {
    if prepared.faces.isEmpty { return [] }
    return try await withCheckedThrowingContinuation { continuation in
      let startsRun = state.withLock { state in
        state.waiting.append(Job(prepared: prepared, continuation: continuation))
        guard state.running < queue.width else { return false }
        state.running += 1
        return true
      }
      if startsRun { queue.start { self.work() } }
    }
  }

  /// Runs batches until none waits.
  private func work() {
    while let batch = nextBatch() {
      do {
        let readings = try classify(batch)
        for (job, readings) in zip(batch, readings) { job.continuation.resume(returning: readings) }
      } catch  where batch.count > 1 {
        // One picture's failure is not the others'.
        for job in batch { job.continuation.resume(with: Result { try classify([job])[0] }) }
      } catch {
        for job in batch { job.continuation.resume(throwing: error) }
      }
    }
  }

  private func classify(_ batch: [Job]) throws -> [[FaceReading]] {
    metrics.add(to: "mien_batches_total")
    metrics.add(batch.reduce(0) { $0 + $1.prepared.faces.count }, to: "mien_faces_total")
    return try recognizer.classify(batch.map(\.prepared))
  }

  /// What waits, as far as it fits; nil, and one run fewer, where nothing does.
  private func nextBatch() -> [Job]? {
    state.withLock { state in
      var (count, faces) = (0, 0)
      for job in state.waiting {
        guard count == 0 || faces + job.prepared.faces.count <= Self.batchFaces else { break }
        count += 1
        faces += job.prepared.faces.count
      }
      guard count > 0 else {
        state.running -= 1
        return nil
      }
      defer { state.waiting.removeFirst(count) }
      return Array(state.waiting.prefix(count))
    }
  }
}
