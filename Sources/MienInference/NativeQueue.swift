import Dispatch
import Foundation
import Synchronization

/// Threads for native work that blocks. The cooperative pool has a thread a core: decoding and inference on it would
/// hold up everything else that awaits.
///
/// Each queue has threads of its own, so that none waits for another's work: an `OperationQueue` shares a pool of a thread
/// per core with all others of its quality of service.
package struct NativeQueue: Sendable {
  private typealias Work = @Sendable () -> Void

  private struct State {
    /// Threads with nothing to do: a serial queue's work does not count for the pool.
    var idle: [DispatchQueue]
    /// Work without a thread, the first first.
    var waiting: [Work] = []
  }

  private final class Threads: Sendable {
    private let state: Mutex<State>

    init(count: Int) {
      state = Mutex(State(idle: (0..<count).map { DispatchQueue(label: "mien.native.\($0)", qos: .userInitiated) }))
    }

    func start(_ work: @escaping Work) {
      let thread = state.withLock { state in
        let thread = state.idle.popLast()
        if thread == nil { state.waiting.append(work) }
        return thread
      }
      guard let thread else { return }
      thread.async { self.run(work, on: thread) }
    }

    /// Runs `first`, and what waits.
    private func run(_ first: @escaping Work, on thread: DispatchQueue) {
      var work = first
      while true {
        work()
        let next: Work? = state.withLock { state in
          if !state.waiting.isEmpty { return state.waiting.removeFirst() }
          state.idle.append(thread)
          return nil
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
  package init(width: Int) {
    self.width = max(1, width)
    threads = Threads(count: self.width)
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
  package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        threads.start {
          continuation.resume(with: Swift.Result { try Self.$cancellation.withValue(cancellation) { try body() } })
        }
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
  package func start(_ body: @escaping @Sendable () -> Void) { threads.start(body) }
}
