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
    let width: Int
    /// The most threads that one client may use.
    let share: Int
    var hasShares: Bool { share < width }
    /// Work without a thread, the first first.
    var waiting: [Work] = []
    /// How many threads each client uses.
    var used: [String: Int] = [:]
    let recent: RecentUse
    /// When each client last got a thread, counted in pieces of work.
    var turns: [String: Int] = [:]
    var started = 0

    /// Takes the work that comes next: of the client that uses the fewest threads; of several such clients, of the one that
    /// has used them least of late; of equals, of the one whose turn was longest ago. `nil` if there is none, or none of a client
    /// that may use one more. The last free thread is for clients that have used little of late, so that they need not wait for those
    /// who use much.
    mutating func next() -> Work? {
      let now = ContinuousClock.now
      let isLast = hasShares && used.values.reduce(0, +) == width - 1
      func rank(_ index: Int) -> (Int, Int, Int) {
        let client = waiting[index].client
        return (used[client, default: 0], recent.rank(of: client, now: now), turns[client, default: 0])
      }
      var first: Int?
      for index in waiting.indices where used[waiting[index].client, default: 0] < share {
        if isLast, !recent.isLittle(of: waiting[index].client, now: now) { continue }
        // Of equals the first.
        if first.map({ rank(index) < rank($0) }) ?? true { first = index }
      }
      guard let index = first else { return nil }
      let work = waiting.remove(at: index)
      started += 1
      turns[work.client] = started
      used[work.client, default: 0] += 1
      return work
    }

    /// A piece of a client's work is done, which took so long.
    mutating func finish(_ client: String, after duration: Duration) {
      recent.add(duration, of: client)
      let rest = (used[client] ?? 1) - 1
      used[client] = rest > 0 ? rest : nil
    }
  }

  private final class Threads: Sendable {
    private let state: Mutex<State>

    init(count: Int, share: Int, use: RecentUse) {
      let threads = (0..<count).map { DispatchQueue(label: "mien.native.\($0)", qos: .userInitiated) }
      state = Mutex(State(idle: threads, width: count, share: share, recent: use))
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
        let next = state.withLock { [client = work.client] state in
          state.finish(client, after: .now - start)
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
