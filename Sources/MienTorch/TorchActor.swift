import Dispatch
import Foundation
import Synchronization

/// The one thread that libtorch runs on.
///
/// libtorch keeps its gradient mode and its OpenMP team a thread, and Swift tasks hop threads: everything that touches
/// a ``Tensor`` is isolated to this actor, whose executor owns a single thread. Blocking native work there does not
/// stall the cooperative pool.
@globalActor public actor TorchActor {
  /// The shared instance.
  public static let shared = TorchActor()

  private let executor = ThreadExecutor(name: "libtorch")

  /// The executor with the thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Runs `body` on libtorch's thread.
  public static func run<Result: Sendable>(
    _ body: @TorchActor @Sendable () throws -> Result
  ) async rethrows -> Result { try await body() }
}

/// A serial executor over one thread of its own, with a stack deep enough for native code.
///
/// It lives as long as the process, as the actor does that owns it: its thread never ends.
private final class ThreadExecutor: SerialExecutor {
  private let queue = Mutex<[UnownedJob]>([])
  private let pending = DispatchSemaphore(value: 0)

  init(name: String) {
    let thread = Thread { [unowned self] in
      while true {
        pending.wait()
        let jobs = queue.withLock { jobs in
          defer { jobs = [] }
          return jobs
        }
        for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
      }
    }
    thread.name = name
    thread.stackSize = 16 << 20
    thread.start()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.withLock { $0.append(job) }
    pending.signal()
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
