/// The 95 % interval of a proportion: where the true rate lies, given what was counted.
public struct ProportionInterval: Sendable, Equatable, Codable {
  /// The lower end, 0…1.
  public let lower: Double
  /// The upper end, 0…1.
  public let upper: Double

  private init(lower: Double, upper: Double) {
    (self.lower, self.upper) = (lower, upper)
  }

  /// The score interval (Wilson, JASA 1927) for `successes` of `count` independent trials; 0…1 if there are none.
  public init(successes: Int, of count: Int) {
    self.init(share: Double(successes) / Double(count), of: Double(count))
  }

  private init(share: Double, of n: Double) {
    guard n > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    /// The 97.5 % point of the normal distribution.
    let z = 1.959963984540054
    let centre = share + z * z / (2 * n)
    let spread = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    lower = max(0, (centre - spread) / scale)
    upper = min(1, (centre + spread) / scale)
  }

  /// Fewer groups than this are not drawn from: a percentile interval over few groups is too narrow.
  public static let leastGroups = 10

  /// Whether ``init(hits:clusters:)`` draws from so many groups.
  static func isBootstrapped(groups: Int) -> Bool { groups >= leastGroups }

  /// The most draws of ``init(hits:clusters:)``.
  static let draws = 4000

  /// The percentile interval over 4,000 cluster bootstrap samples: whole groups are drawn with replacement (Davison and
  /// Hinkley, "Bootstrap Methods and their Application", 1997, 3.8). The draws have a fixed seed.
  ///
  /// The score interval is used instead if groups do not matter, since each has one trial. Over as many trials as there
  /// are groups, it is used if all trials came out the same, since no draw would differ from another, and if there are
  /// fewer than ``leastGroups`` groups, whose draws vary too little.
  ///
  /// - Parameters:
  ///   - hits: [N] how each trial came out.
  ///   - clusters: [N] which trials belong together.
  public init(hits: [Bool], clusters: FaceClusters) {
    let successes = hits.count { $0 }
    guard clusters.count < hits.count else {
      self.init(successes: successes, of: hits.count)
      return
    }
    guard Self.isBootstrapped(groups: clusters.count), successes > 0, successes < hits.count else {
      let share = hits.isEmpty ? 0 : Double(successes) / Double(hits.count)
      self.init(share: share, of: Double(clusters.count))
      return
    }
    var totals = [(hits: Int, count: Int)](repeating: (0, 0), count: clusters.count)
    for (hit, group) in zip(hits, clusters.groups) {
      totals[group].count += 1
      if hit { totals[group].hits += 1 }
    }
    // A million groups take as long as ten thousand.
    let draws = max(400, min(Self.draws, 40_000_000 / clusters.count))
    var random = SeededRandom(seed: 0)
    var rates = (0..<draws).map { _ in
      var (hits, count) = (0, 0)
      for _ in totals.indices {
        let group = totals[Int(random.next() % UInt64(totals.count))]
        hits += group.hits
        count += group.count
      }
      return Double(hits) / Double(count)
    }
    rates.sort()
    self.init(
      lower: rates[Int((0.025 * Double(draws)).rounded(.down))],
      upper: rates[min(draws - 1, Int((0.975 * Double(draws)).rounded(.up)))])
  }
}
