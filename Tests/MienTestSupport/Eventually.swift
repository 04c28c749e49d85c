/// Asks again and again until something holds.
///
/// - Parameters:
///   - seconds: how long at most.
///   - pause: between two answers, in milliseconds.
/// - Returns: whether it held in time.
package func eventually(
  within seconds: Double = 120, every pause: Int = 10, isolation: isolated (any Actor)? = #isolation,
  _ holds: () async throws -> Bool
) async throws -> Bool {
  let start = ContinuousClock.now
  while true {
    if try await holds() { return true }
    guard ContinuousClock.now - start < .seconds(seconds) else { return false }
    try await Task.sleep(for: .milliseconds(pause))
  }
}
