/// How many of the faces read are right if those below a probability are left unread (El-Yaniv and Wiener, "On the
/// Foundations of Noise-free Selective Classification", JMLR 2010): what `--min-confidence` buys.
public struct RiskCoverage: Sendable, Equatable, Codable {
  /// What comes of one threshold.
  public struct Point: Sendable, Equatable, Codable {
    /// The least probability of the top class of a face that is read, 0…1.
    public let minConfidence: Double
    /// The share of faces that are read, 0…1.
    public let coverage: Double
    /// The share of those that are right, 0…1; nil if none is read.
    public let accuracy: Double?

    /// Writes nil as null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(minConfidence, forKey: .minConfidence)
      try container.encode(coverage, forKey: .coverage)
      try container.encode(accuracy, forKey: .accuracy)
    }
  }

  /// The thresholds of ``table``.
  static let thresholds = [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

  /// Values of `--min-confidence` in steps, with what comes of them.
  public let table: [Point]
  /// From few faces to all of them: a point per distinct share of faces in steps of at most 1/200, rising in coverage.
  public let curve: [Point]

  /// Measures readings.
  ///
  /// - Parameters:
  ///   - confidences: [N] probabilities of the top class, 0…1; at least one.
  ///   - hits: [N] whether the reading is right.
  public init(confidences: [Float], hits: [Bool]) {
    let order = confidences.indices.sorted { (-confidences[$0], $0) < (-confidences[$1], $1) }
    let total = Double(max(1, order.count))
    var right = 0
    // How many of the first faces are right.
    let rights =
      [0]
      + order.map { index -> Int in
        if hits[index] { right += 1 }
        return right
      }
    table = Self.thresholds.map { threshold in
      let read = order.prefix { confidences[$0] >= Float(threshold) }.count
      return Point(
        minConfidence: threshold, coverage: Double(read) / total,
        accuracy: read > 0 ? Double(rights[read]) / Double(read) : nil)
    }
    var curve: [Point] = []
    for read in order.indices.map({ $0 + 1 }) {
      // Faces of one probability are read together.
      if read < order.count, confidences[order[read]] == confidences[order[read - 1]] { continue }
      let coverage = Double(read) / total
      if let last = curve.last, read < order.count, coverage - last.coverage < 1 / 200 { continue }
      curve.append(
        Point(
          minConfidence: Double(confidences[order[read - 1]]), coverage: coverage,
          accuracy: Double(rights[read]) / Double(read)))
    }
    self.curve = curve
  }
}
