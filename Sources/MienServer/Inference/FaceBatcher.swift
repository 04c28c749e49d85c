import MienInference
import Synchronization

/// Classifies the faces of several requests in one go: whatever has come in while the network was busy is the next batch.
/// Nothing waits for a batch to fill up.
///
/// A batch has a few faces, first those of the clients whose turn was longest ago: a picture with many is classified in parts, so that
/// the few faces of others need not wait for all of them.
final class FaceBatcher: Sendable {
  /// The most faces of a batch.
  private static let batchFaces = 32

  /// The faces of a picture.
  private struct Picture {
    let prepared: FaceFinder.PreparedFaces
    let client: AccessTokens.Client
    let continuation: CheckedContinuation<[FaceReading], any Error>
    /// How many are in batches already.
    var begun = 0
    /// What is known of them, by the place of the part's first face.
    var readings: [Int: [FaceReading]] = [:]
    var readingCount = 0
  }

  /// Some faces of a picture in a batch.
  private struct Part {
    let picture: Int
    let faces: Range<Int>
    let prepared: FaceFinder.PreparedFaces
  }

  private struct State {
    /// By the order of their arrival.
    var pictures: [Int: Picture] = [:]
    /// Those with faces that are in no batch, in that order.
    var waiting: [Int] = []
    var arrivals = 0
    var running = 0
    /// When each client last had faces in a batch.
    var turns = ClientTurns(places: .max)

    /// The next faces of the client whose turn was longest ago.
    mutating func next(atMost count: Int) -> Part? {
      guard let place = turns.next(among: waiting.map { pictures[$0]?.client ?? "" }),
        case let number = waiting[place], var picture = pictures[number]
      else { return nil }
      let faces = picture.begun..<min(picture.begun + count, picture.prepared.faces.count)
      picture.begun = faces.upperBound
      if picture.begun == picture.prepared.faces.count { waiting.remove(at: place) }
      pictures[number] = picture
      turns.noteTurn(of: picture.client)
      return Part(picture: number, faces: faces, prepared: picture.prepared.part(faces))
    }

    /// Notes what came of a part.
    ///
    /// - Returns: the picture if all of it is known now, or it has failed.
    mutating func finish(_ part: Part, _ result: Result<[FaceReading], any Error>) -> Picture? {
      guard var picture = pictures[part.picture] else { return nil }
      if case .success(let readings) = result {
        picture.readings[part.faces.lowerBound] = readings
        picture.readingCount += readings.count
        pictures[part.picture] = picture
        guard picture.readingCount == picture.prepared.faces.count else { return nil }
      }
      pictures[part.picture] = nil
      waiting.removeAll { $0 == part.picture }
      return picture
    }
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
  ///
  /// - Parameter client: whose picture it is.
  func readings(of prepared: FaceFinder.PreparedFaces, for client: AccessTokens.Client) async throws -> [FaceReading] {
    if prepared.faces.isEmpty { return [] }
    return try await withCheckedThrowingContinuation { continuation in
      let startsRun = state.withLock { state in
        state.arrivals += 1
        state.pictures[state.arrivals] = Picture(prepared: prepared, client: client, continuation: continuation)
        state.waiting.append(state.arrivals)
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
        for (part, readings) in zip(batch, try classify(batch)) { finish(part, .success(readings)) }
      } catch  where batch.count > 1 {
        // One picture's failure is not the others'.
        for part in batch { finish(part, Result { try classify([part])[0] }) }
      } catch {
        for part in batch { finish(part, .failure(error)) }
      }
    }
  }

  private func finish(_ part: Part, _ result: Result<[FaceReading], any Error>) {
    guard let picture = state.withLock({ $0.finish(part, result) }) else { return }
    picture.continuation.resume(
      with: result.map { _ in picture.readings.sorted { $0.key < $1.key }.flatMap(\.value) })
  }

  private func classify(_ batch: [Part]) throws -> [[FaceReading]] {
    metrics.add(to: "mien_batches_total")
    metrics.add(batch.reduce(0) { $0 + $1.faces.count }, to: "mien_faces_total")
    return try recognizer.classify(batch.map(\.prepared))
  }

  /// What waits, as far as it fits; nil, and one run fewer, where nothing does.
  private func nextBatch() -> [Part]? {
    state.withLock { state in
      var (batch, left) = ([Part](), Self.batchFaces)
      while left > 0, let part = state.next(atMost: left) {
        batch.append(part)
        left -= part.faces.count
      }
      if batch.isEmpty { state.running -= 1 }
      return batch.isEmpty ? nil : batch
    }
  }
}
