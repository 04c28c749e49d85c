import Foundation
import MienInference
import Synchronization
import Testing

@Suite struct NativeQueueTests {
  private final class Flag: Sendable {
    let isSet = Atomic(false)

    /// Keeps a core busy until it is set, or for a minute.
    func spin() -> Bool {
      let end = ContinuousClock.now + .seconds(60)
      while ContinuousClock.now < end {
        if isSet.load(ordering: .relaxed) { return true }
      }
      return false
    }
  }

  /// How much runs.
  private final class Meter: Sendable {
    let state = Mutex((now: 0, most: 0, total: 0))

    func run() {
      state.withLock { state in
        state.now += 1
        state.total += 1
        state.most = max(state.most, state.now)
      }
      usleep(1000)
      state.withLock { $0.now -= 1 }
    }
  }

  private final class Order: Sendable {
    let numbers = Mutex<[Int]>([])
  }

  @Test func aQueueDoesNotWaitForTheWorkOfAnother() async throws {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let (busy, other, flag) = (NativeQueue(width: cores), NativeQueue(width: 1), Flag())
    try await withThrowingTaskGroup(of: Bool.self) { group in
      // Twice as much as runs at a time.
      for _ in 0..<(2 * cores) { group.addTask { try await busy.run { flag.spin() } } }
      group.addTask {
        try await other.run { flag.isSet.store(true, ordering: .relaxed) }
        return true
      }
      for try await wasTold in group { #expect(wasTold) }
    }
  }

  @Test func aQueueRunsAsMuchAtATimeAsItIsWide() async throws {
    let (queue, meter) = (NativeQueue(width: 3), Meter())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { try await queue.run { meter.run() } } }
      try await group.waitForAll()
    }
    let (now, most, total) = meter.state.withLock { $0 }
    #expect(now == 0 && total == 50 && most == 3)
  }

  @Test func workRunsInTheOrderOfItsArrival() async throws {
    let (queue, order) = (NativeQueue(width: 1), Order())
    for number in 0..<20 { queue.start { order.numbers.withLock { $0.append(number) } } }
    try await queue.run {}
    #expect(order.numbers.withLock { $0 } == Array(0..<20))
  }

  /// While one client's work keeps its share of the threads busy, another client's starts at once; and a thread that becomes
  /// free takes the work of whoever uses the fewest.
  @Test func noClientUsesMoreThanItsShare() async throws {
    let (queue, flag, order) = (NativeQueue(width: 2, share: 1), Flag(), Order())
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<3 { group.addTask { try await queue.run(for: "busy") { flag.spin() } } }
      group.addTask {
        for number in 0..<3 { try await queue.run(for: "other") { order.numbers.withLock { $0.append(number) } } }
        try await queue.run(for: "third") { flag.isSet.store(true, ordering: .relaxed) }
        return true
      }
      for try await wasTold in group { #expect(wasTold) }
    }
    #expect(order.numbers.withLock { $0 } == [0, 1, 2])
  }

  /// Keeps a thread until `flag` is set, and waits until it has begun.
  private func occupy(_ queue: NativeQueue, for client: String, until flag: Flag) {
    let started = Flag()
    queue.start(for: client) {
      started.isSet.store(true, ordering: .relaxed)
      _ = flag.spin()
    }
    #expect(started.spin())
  }

  /// Though the other one's turn was later. Nothing waits between what is noted and what is asked for: use is forgotten in seconds.
  @Test func whoHasUsedLittleComesBeforeWhoHasUsedMuch() async throws {
    let (use, order, flag) = (RecentUse(), Order(), Flag())
    let queue = NativeQueue(width: 1, use: use)
    for client in ["heavy", "light"] { queue.start(for: client) {} }
    occupy(queue, for: "third", until: flag)
    use.add(.seconds(2), of: "heavy")
    for (number, client) in [(1, "heavy"), (2, "light")] {
      queue.start(for: client) { order.numbers.withLock { $0.append(number) } }
    }
    flag.isSet.store(true, ordering: .relaxed)
    try await queue.run(for: "heavy") {}
    #expect(order.numbers.withLock { $0 } == [2, 1])
  }

  /// The last free thread is for those who have used little.
  @Test func whoUsesMuchLeavesTheLastThreadToOthers() async throws {
    let (use, order, flag, other) = (RecentUse(), Order(), Flag(), Flag())
    let queue = NativeQueue(width: 2, share: 1, use: use)
    occupy(queue, for: "busy", until: flag)
    use.add(.seconds(5), of: "heavy")
    queue.start(for: "heavy") { order.numbers.withLock { $0.append(2) } }
    queue.start(for: "light") {
      order.numbers.withLock { $0.append(1) }
      other.isSet.store(true, ordering: .relaxed)
    }
    #expect(other.spin())
    flag.isSet.store(true, ordering: .relaxed)
    try await queue.run(for: "heavy") {}
    #expect(order.numbers.withLock { $0 } == [1, 2])
  }

  @Test func useOfLongAgoCountsLess() {
    let use = RecentUse()
    let start = ContinuousClock.now
    use.add(.seconds(4), of: "a", now: start)
    use.add(.seconds(2), of: "b", now: start)
    #expect(use.rank(of: "a", now: start) > use.rank(of: "b", now: start))
    #expect(use.rank(of: "b", now: start) > use.rank(of: "c", now: start))
    // As much as the other one used just now.
    #expect(use.rank(of: "a", now: start + .seconds(10)) == use.rank(of: "b", now: start))
    // Pieces count together.
    for _ in 0..<40 { use.add(.milliseconds(50), of: "c", now: start) }
    #expect(use.rank(of: "c", now: start) == use.rank(of: "b", now: start))
    #expect(use.rank(of: "a", now: start + .seconds(600)) == 0)
    // However much it was, others come first for some seconds only.
    use.add(.seconds(500), of: "d", now: start)
    #expect(use.rank(of: "d", now: start) > use.rank(of: "a", now: start) && !use.isLittle(of: "d", now: start))
    #expect(use.isLittle(of: "d", now: start + .seconds(15)))
  }
}
