import Foundation
import Synchronization

/// How long clients have lately used something of which there is not enough for all, so that those who have used it least come
/// first: what one client asks for, however it is made, keeps others waiting once and not again and again.
package final class RecentUse: Sendable {
  /// Seconds after which use counts half.
  private static let halfLife = 10.0
  /// Clients whose use differs by less are equal, in seconds.
  private static let step = 0.1
  /// More does not count, in seconds: others overtake a client for a few seconds at most.
  private static let most = 5.0

  private let uses = Mutex<[String: (seconds: Double, instant: ContinuousClock.Instant)]>([:])

  /// Nobody has used it yet.
  package init() {}

  /// Notes that a client has used it for so long until `now`.
  package func add(_ duration: Duration, of client: String, now: ContinuousClock.Instant = .now) {
    uses.withLock {
      $0[client] = (min(Self.most, Self.seconds($0[client], now: now) + duration / .seconds(1)), now)
    }
  }

  /// A client's place among the others, from 0 on: the less it has used, the lower.
  package func rank(of client: String, now: ContinuousClock.Instant = .now) -> Int {
    Int((seconds(of: client, now: now) / Self.step).rounded())
  }

  /// Whether a client has used less than half of what counts.
  package func isLittle(of client: String, now: ContinuousClock.Instant = .now) -> Bool {
    seconds(of: client, now: now) < Self.most / 2
  }

  private func seconds(of client: String, now: ContinuousClock.Instant) -> Double {
    uses.withLock { Self.seconds($0[client], now: now) }
  }

  private static func seconds(
    _ use: (seconds: Double, instant: ContinuousClock.Instant)?, now: ContinuousClock.Instant
  ) -> Double {
    guard let use else { return 0 }
    return use.seconds * exp2(-((now - use.instant) / .seconds(1)) / halfLife)
  }
}
