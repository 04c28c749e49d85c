import Foundation

/// How long clients have lately used something of which there is not enough for all, so that those who have used it least come
/// first: what one client asks for, however it is made, keeps others waiting once and not again and again.
package struct RecentUse<Client: Hashable & Sendable>: Sendable {
  /// Seconds after which use counts half.
  private static var halfLife: Double { 10 }
  /// Clients whose use differs by less are equal, in seconds.
  private static var step: Double { 0.1 }
  /// More does not count, in seconds: others overtake a client for a few seconds at most.
  private static var most: Double { 5 }

  private var uses: [Client: (seconds: Double, instant: ContinuousClock.Instant)] = [:]

  /// Nobody has used it yet.
  package init() {}

  /// Notes that a client has used it for so long until `now`.
  package mutating func add(_ duration: Duration, of client: Client, now: ContinuousClock.Instant = .now) {
    uses[client] = (min(Self.most, seconds(of: client, now: now) + duration / .seconds(1)), now)
  }

  /// A client's place among the others, from 0 on: the less it has used, the lower.
  package func rank(of client: Client, now: ContinuousClock.Instant = .now) -> Int {
    Int((seconds(of: client, now: now) / Self.step).rounded())
  }

  /// Whether a client has used less than half of what counts.
  package func isLittle(of client: Client, now: ContinuousClock.Instant = .now) -> Bool {
    seconds(of: client, now: now) < Self.most / 2
  }

  private func seconds(of client: Client, now: ContinuousClock.Instant) -> Double {
    guard let use = uses[client] else { return 0 }
    return use.seconds * exp2(-((now - use.instant) / .seconds(1)) / Self.halfLife)
  }
}
