/// A receiver operating characteristic: how the rates of true and false alarms move with the threshold.
public struct ROCCurve: Sendable, Equatable {
  /// One threshold's rates.
  public struct Point: Sendable, Equatable {
    /// The lowest score that raises an alarm; infinite at the first point, where none does.
    public let threshold: Float
    /// Share of the negatives at or above the threshold, 0…1.
    public let falsePositiveRate: Double
    /// Share of the positives at or above the threshold, 0…1.
    public let truePositiveRate: Double
  }

  /// A point a distinct score, from (0, 0) to (1, 1). Equal scores move together: they make one sloping step.
  public let points: [Point]

  /// The area under the curve by the trapezoidal rule, 0…1: the chance that a positive scores above a negative, with
  /// ties counted as half.
  public var area: Double {
    zip(points, points.dropFirst()).reduce(0) { sum, step in
      let width = step.1.falsePositiveRate - step.0.falsePositiveRate
      return sum + width * (step.0.truePositiveRate + step.1.truePositiveRate) / 2
    }
  }

  /// Makes the curve of `scores`, of which those marked in `positive` should be high.
  ///
  /// - Returns: nil where the counts differ, a score is not a number, or there is no positive or no negative.
  public init?(_ scores: [Float], positive: [Bool]) {
    let positives = positive.count(where: { $0 })
    let negatives = positive.count - positives
    guard scores.count == positive.count, positives > 0, negatives > 0, !scores.contains(where: \.isNaN) else {
      return nil
    }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var points = [Point(threshold: .infinity, falsePositiveRate: 0, truePositiveRate: 0)]
    var (hits, alarms) = (0, 0)
    for (position, index) in order.enumerated() {
      if positive[index] { hits += 1 } else { alarms += 1 }
      let isLastOfEquals = position + 1 == order.count || scores[order[position + 1]] != scores[index]
      guard isLastOfEquals else { continue }
      points.append(
        Point(
          threshold: scores[index], falsePositiveRate: Double(alarms) / Double(negatives),
          truePositiveRate: Double(hits) / Double(positives)))
    }
    self.points = points
  }
}
