import Glibc

/// Whether the probability of the top class says how often it is right (Guo et al., "On Calibration of Modern Neural
/// Networks", ICML 2017).
public struct Calibration: Sendable, Equatable, Codable {
  /// How many equal bins 0…1 is cut into.
  public static let binCount = 15

  /// The faces whose top probability is in one range.
  public struct Bin: Sendable, Equatable, Codable {
    /// The range's lower end, not included (0 is, in the first bin).
    public let lower: Double
    /// The range's upper end, included.
    public let upper: Double
    /// How many faces.
    public let count: Int
    /// Their mean top probability, 0…1; nil where there are none.
    public let confidence: Double?
    /// The share of them that is right, 0…1; nil where there are none.
    public let accuracy: Double?
    /// The 95 % interval of `accuracy`; nil where there are none, and in files of earlier versions.
    public let accuracyInterval: ProportionInterval?

    /// Writes nil as null, so that every bin has the same keys.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(lower, forKey: .lower)
      try container.encode(upper, forKey: .upper)
      try container.encode(count, forKey: .count)
      try container.encode(confidence, forKey: .confidence)
      try container.encode(accuracy, forKey: .accuracy)
      try container.encode(accuracyInterval, forKey: .accuracyInterval)
    }
  }

  /// Expected calibration error, 0…1: the mean over faces of |accuracy - confidence| of their bin.
  public let ece: Double
  /// ``binCount`` bins of equal width, rising.
  public let bins: [Bin]

  /// Sorts faces into bins.
  ///
  /// - Parameters:
  ///   - confidences: [N] the probability of each face's top class, 0…1.
  ///   - hits: [N] whether it is right.
  ///   - clusters: [N] which faces belong together, for the intervals; nil if all are independent.
  init(confidences: [Double], hits: [Bool], clusters: FaceClusters? = nil) {
    let binCount = Self.binCount
    let width = 1 / Double(binCount)
    var entries = [[Int]](repeating: [], count: binCount)
    for (index, confidence) in confidences.enumerated() {
      entries[min(max(Int(ceil(confidence * Double(binCount))) - 1, 0), binCount - 1)].append(index)
    }
    var gaps = 0.0
    bins = entries.enumerated().map { bin, entries in
      let count = entries.count
      let confidence = entries.reduce(0) { $0 + confidences[$1] }
      let binHits = entries.map { hits[$0] }
      let hitCount = binHits.count { $0 }
      gaps += abs(Double(hitCount) - confidence)
      let interval =
        clusters.map { ProportionInterval(hits: binHits, clusters: $0.subset(entries)) }
        ?? ProportionInterval(successes: hitCount, of: count)
      return Bin(
        lower: Double(bin) * width, upper: Double(bin + 1) * width, count: count,
        confidence: count > 0 ? confidence / Double(count) : nil,
        accuracy: count > 0 ? Double(hitCount) / Double(count) : nil, accuracyInterval: count > 0 ? interval : nil)
    }
    ece = confidences.isEmpty ? 0 : gaps / Double(confidences.count)
  }
}
