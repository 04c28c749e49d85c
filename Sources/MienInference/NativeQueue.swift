import Foundation
import Synchronization

/// Threads for native work that blocks. The cooperative pool has a thread a core: decoding and inference on it would
/// hold up everything else that awaits.
package struct NativeQueue: Sendable {
  private let queue: OperationQueue
  /// How many pieces of work run at a time.
  package let width: Int

  /// A queue of `width` threads.
  ///
  /// - Parameter isBackground: for work that keeps a thread busy for seconds. Other queues and Swift's tasks share a pool of
  ///   a thread per core, in which they would wait for it.
  package init(width: Int, isBackground: Bool = false) {
    self.width = max(1, width)
    queue = OperationQueue()
    queue.maxConcurrentOperationCount = self.width
    queue.qualityOfService = isBackground ? .utility : .userInitiated
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
        queue.addOperation {
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
  package func start(_ body: @escaping @Sendable () -> Void) { queue.addOperation(body) }
}
