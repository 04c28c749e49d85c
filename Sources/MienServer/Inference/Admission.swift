import MienInference
import Synchronization

/// Decides which requests are worked on: a few at a time, the others by ``ClientTurns``. Where clients have shares, the last quarter of the
/// places is for those that have used little. Requests that time out or find the queue full are refused, but not the only
/// one of a client: it waits until another client gives a place up.
final class Admission: Sendable {
  private struct Waiter {
    let number: Int
    let client: AccessTokens.Client
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var turns: ClientTurns
    var waiting: [Waiter] = []
    var nextNumber = 0

    /// Whether a client has no place, and waits for none.
    func isNew(_ client: AccessTokens.Client) -> Bool {
      !client.isEmpty && !turns.hasPlace(client) && !waiting.contains { $0.client == client }
    }
  }

  /// Seconds that the only request of a client waits at least.
  private static let patienceOfTheOnly = 20.0

  private let state: Mutex<State>
  private let capacity: Int
  /// How long clients have held places; `nil` where something else counts.
  private let heldTimes: RecentUse?
  private let (full, late): (APIError, APIError)

  /// - Parameters:
  ///   - places: how many are worked on at a time.
  ///   - share: how many of them one client may have; without tokens, all are one client. `nil` for all.
  ///   - capacity: how many may wait.
  ///   - full: the error response if too many wait.
  ///   - use: how long clients have used what the places stand for; `nil` for the time for which they have held places.
  ///   - late: the error response to a request that has waited too long.
  init(
    places: Int, share: Int? = nil, capacity: Int, use: RecentUse? = nil,
    full: APIError = .busy(.queue, "Too many requests are waiting."),
    late: APIError = .busy(.wait, "The server is busy.")
  ) {
    self.capacity = capacity
    (self.full, self.late) = (full, late)
    let times = use ?? RecentUse()
    heldTimes = use == nil ? times : nil
    state = Mutex(State(turns: ClientTurns(places: places, share: share, reserve: places / 4, use: times)))
  }

  /// How many wait.
  var waitingCount: Int { state.withLock { $0.waiting.count } }
  /// How many are worked on.
  var activeCount: Int { state.withLock { $0.turns.taken } }
  /// Whether one more would have to be refused.
  var isFull: Bool { state.withLock { $0.waiting.count >= capacity } }

  /// Waits for a place, runs `body`, gives the place up.
  ///
  /// - Parameters:
  ///   - client: whose request it is; empty where all are one client.
  ///   - patience: seconds to wait at most; nil for work that was accepted already, which waits as long as it takes however
  ///     many wait.
  /// - Throws: ``APIError`` where there was no place in time.
  func withPlace<Result>(
    for client: AccessTokens.Client, patience: Double?, _ body: () async throws -> Result
  ) async throws -> Result {
    try await withPlace(for: client, patience: patience) { _ in try await body() }
  }

  /// The same for work that may end its turn early.
  func withPlace<Result>(
    for client: AccessTokens.Client, patience: Double?, _ body: (Turn) async throws -> Result
  ) async throws -> Result {
    try await enter(client, patience: patience)
    let start = ContinuousClock.now
    let turn = Turn { self.leave(client, after: .now - start) }
    defer { turn.end() }
    return try await body(turn)
  }

  /// A place that is held until it is given up.
  final class Turn: Sendable {
    private let over = Atomic(false)
    private let leave: @Sendable () -> Void

    fileprivate init(_ leave: @escaping @Sendable () -> Void) { self.leave = leave }

    /// Whether the place was given up.
    var isOver: Bool { over.load(ordering: .relaxed) }

    /// Gives the place up, once.
    func end() {
      if !over.exchange(true, ordering: .relaxed) { leave() }
    }
  }

  private func enter(_ client: AccessTokens.Client, patience: Double?) async throws {
    // Most find a place: no number, no continuation and no timer are needed.
    let turn: (number: Int, patience: Double?)? = try state.withLock { state in
      if Task.isCancelled { throw CancellationError() }
      if state.turns.isFree(for: client) {
        state.turns.take(for: client)
        return nil
      }
      let isNew = state.isNew(client)
      if patience != nil, !isNew, state.waiting.count >= capacity {
        throw full
      }
      state.nextNumber += 1
      return (state.nextNumber, patience.map { isNew ? max($0, Self.patienceOfTheOnly) : $0 })
    }
    guard let (number, patience) = turn else { return }
    var timer: Task<Void, any Error>?
    defer { timer?.cancel() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          // A cancellation after this finds the waiter.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.turns.isFree(for: client) {
            state.turns.take(for: client)
            return .success(())
          }
          state.waiting.append(Waiter(number: number, client: client, continuation: continuation))
          return nil
        }
        if let result { return continuation.resume(with: result) }
        // It starts when the waiter is there to be found, however soon it fires.
        timer = patience.map { seconds in
          Task {
            try await Task.sleep(for: .seconds(seconds))
            self.giveUp(number, self.late)
          }
        }
      }
    } onCancel: {
      giveUp(number, CancellationError())
    }
  }

  /// Refuses `number`, if it still waits.
  private func giveUp(_ number: Int, _ error: any Error) {
    let waiter = state.withLock { state in
      state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
    }
    waiter?.continuation.resume(throwing: error)
  }

  private func leave(_ client: AccessTokens.Client, after duration: Duration) {
    heldTimes?.add(duration, of: client)
    let next: Waiter? = state.withLock { state in
      state.turns.giveBack(by: client)
      guard let index = state.turns.next(among: state.waiting.lazy.map(\.client)) else { return nil }
      let next = state.waiting.remove(at: index)
      state.turns.take(for: next.client)
      return next
    }
    next?.continuation.resume()
  }
}
