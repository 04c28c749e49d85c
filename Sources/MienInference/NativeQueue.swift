import Foundation

/// Threads for native work that blocks. The cooperative pool has a thread a core: decoding and inference on it would
/// hold up everything else that awaits.
package struct NativeQueue: Sendable {
  private let queue: OperationQueue
  /// How many pieces of work run at a time.
  package let width: Int

  /// A queue of `width` threads.
  package init(width: Int) {
    self.width = max(1, width)
    queue = OperationQueue()
    queue.maxConcurrentOperationCount = self.width
    queue.qualityOfService = .userInitiated
  }

  /// A thread a core, for the process.
  package static let shared = NativeQueue(width: ProcessInfo.processInfo.activeProcessorCount)

  /// Runs `body` on one of the threads.
  package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.addOperation { continuation.resume(with: Swift.Result { try body() }) }
    }
  }

  /// Starts `body` on one of the threads, and does not wait for it.
  package func start(_ body: @escaping @Sendable () -> Void) { queue.addOperation(body) }
}
