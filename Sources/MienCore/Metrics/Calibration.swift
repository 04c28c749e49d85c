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

    /// Writes nil as null, so that every bin has the same keys.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(lower, forKey: .lower)
      try container.encode(upper, forKey: .upper)
      try container.encode(count, forKey: .count)
      try container.encode(confidence, forKey: .confidence)
      try container.encode(accuracy, forKey: .accuracy)
    }
  }

  /// Expected calibration error, 0…1: the mean over faces of |accuracy - confidence| of their bin.
  public let ece: Double
  /// ``binCount`` bins of equal width, rising.
  public let bins: [Bin]

  /// Collects faces one by one.
  struct Accumulator {
    private var counts = [Int](repeating: 0, count: Calibration.binCount)
    private var confidences = [Double](repeating: 0, count: Calibration.binCount)
    private var hits = [Int](repeating: 0, count: Calibration.binCount)

    /// Counts a face whose top class has the probability `confidence`.
    mutating func add(confidence: Double, isRight: Bool) {
      let bins = Calibration.binCount
      let bin = min(max(Int(ceil(confidence * Double(bins))) - 1, 0), bins - 1)
      counts[bin] += 1
      confidences[bin] += confidence
      if isRight { hits[bin] += 1 }
    }

    /// The figures of all faces so far.
    func result() -> Calibration {
      let width = 1 / Double(Calibration.binCount)
      let bins = counts.indices.map { bin in
        let count = counts[bin]
        return Bin(
          lower: Double(bin) * width, upper: Double(bin + 1) * width, count: count,
          confidence: count > 0 ? confidences[bin] / Double(count) : nil,
          accuracy: count > 0 ? Double(hits[bin]) / Double(count) : nil)
      }
      let total = Double(counts.reduce(0, +))
      let gaps = zip(hits, confidences).reduce(0) { $0 + abs(Double($1.0) - $1.1) }
      return Calibration(ece: total > 0 ? gaps / total : 0, bins: bins)
    }
  }
}
