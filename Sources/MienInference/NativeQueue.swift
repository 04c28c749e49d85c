import Dispatch
import Foundation
import Synchronization

/// Threads for native work that blocks. The cooperative pool has a thread a core: decoding and inference on it would
/// hold up everything else that awaits.
///
/// Each queue has threads of its own, so that none waits for another's work: an `OperationQueue` shares a pool of a thread
/// per core with all others of its quality of service.
package struct NativeQueue: Sendable {
  private struct Work {
    let client: String
    let body: @Sendable () -> Void
  }

  private struct State {
    /// Threads with nothing to do: a serial queue's work does not count for the pool.
    var idle: [DispatchQueue]
    /// Who uses the threads.
    var turns: ClientTurns
    /// Work without a thread, the first first.
    var waiting: [Work] = []

    /// Takes the work that comes next; `nil` if there is none of a client that may use one more thread.
    mutating func next() -> Work? {
      guard let index = turns.next(among: waiting.lazy.map(\.client)) else { return nil }
      let work = waiting.remove(at: index)
      turns.take(for: work.client)
      return work
    }
  }

  private final class Threads: Sendable {
    private let state: Mutex<State>
    private let use: RecentUse

    init(count: Int, share: Int, use: RecentUse) {
      let threads = (0..<count).map { DispatchQueue(label: "mien.native.\($0)", qos: .userInitiated) }
      self.use = use
      state = Mutex(State(idle: threads, turns: ClientTurns(places: count, share: share, reserve: 1, use: use)))
    }

    func start(_ work: Work) {
      let begun: (DispatchQueue, Work)? = state.withLock { state in
        state.waiting.append(work)
        guard !state.idle.isEmpty, let work = state.next() else { return nil }
        return (state.idle.removeLast(), work)
      }
      guard let (thread, work) = begun else { return }
      thread.async { self.run(work, on: thread) }
    }

    /// Runs `first`, and what waits.
    private func run(_ first: Work, on thread: DispatchQueue) {
      var work = first
      while true {
        let start = ContinuousClock.now
        work.body()
        use.add(.now - start, of: work.client)
        let next = state.withLock { [client = work.client] state in
          state.turns.giveBack(by: client)
          let next = state.next()
          if next == nil { state.idle.append(thread) }
          return next
        }
        guard let next else { return }
        work = next
      }
    }
  }

  private let threads: Threads
  /// How many pieces of work run at a time.
  package let width: Int

  /// A queue of `width` threads, at least one.
  ///
  /// - Parameters:
  ///   - share: the most of them that one client may use; `nil` for all.
  ///   - use: where it is noted how long each client uses them.
  package init(width: Int, share: Int? = nil, use: RecentUse = RecentUse()) {
    self.width = max(1, width)
    threads = Threads(count: self.width, share: share.map { max(1, $0) } ?? self.width, use: use)
  }

  /// A thread a core, for the process.
  package static let shared = NativeQueue(width: ProcessInfo.processInfo.activeProcessorCount)

  /// Whether the task that waits for some work was cancelled.
  private final class Cancellation: Sendable {
    let isCancelled = Atomic(false)
  }

  /// That of the work on this thread.
  @TaskLocal private static var cancellation: Cancellation?

  /// Runs `body` on one of the threads. Work that takes long and is of no use to anybody if the task is cancelled asks now
  /// and then by ``checkCancellation()``; other work is done to its end.
  ///
  /// - Parameter client: whose work it is: threads that become free go to the client that uses the fewest, and has used them least
  ///   in the last seconds. The work of one
  ///   client starts in the order of its arrival.
  package func run<Result: Sendable>(
    for client: String = "", _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        threads.start(
          Work(client: client) {
            continuation.resume(with: Swift.Result { try Self.$cancellation.withValue(cancellation) { try body() } })
          })
      }
    } onCancel: {
      cancellation.isCancelled.store(true, ordering: .relaxed)
    }
  }

  /// Whether the task that waits for the work on this thread, or that does it, was cancelled.
  package static var isCancelled: Bool {
    Task.isCancelled || cancellation?.isCancelled.load(ordering: .relaxed) == true
  }

  /// Ends the work on this thread if ``isCancelled``.
  ///
  /// - Throws: `CancellationError`.
  package static func checkCancellation() throws {
    if isCancelled { throw CancellationError() }
  }

  /// Starts `body` on one of the threads, and does not wait for it.
  ///
  /// - Parameter client: whose work it is, as for ``run(for:_:)``.
  package func start(for client: String = "", _ body: @escaping @Sendable () -> Void) {
    threads.start(Work(client: client, body: body))
  }
}
