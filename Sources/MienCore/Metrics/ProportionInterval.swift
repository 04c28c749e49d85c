/// The 95 % score interval of a proportion (Wilson, JASA 1927): where the true rate lies, given what was counted.
public struct ProportionInterval: Sendable, Equatable, Codable {
  /// The lower end, 0…1.
  public let lower: Double
  /// The upper end, 0…1.
  public let upper: Double

  /// The interval for `successes` of `count` trials; 0…1 where there are none.
  public init(successes: Int, of count: Int) {
    guard count > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    /// The 97.5 % point of the normal distribution.
    let z = 1.959963984540054
    let (n, share) = (Double(count), Double(successes) / Double(count))
    let centre = share + z * z / (2 * n)
    let spread = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    lower = max(0, (centre - spread) / scale)
    upper = min(1, (centre + spread) / scale)
  }
}
