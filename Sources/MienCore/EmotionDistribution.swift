/// Probabilities over the emotions of one label set.
public struct EmotionDistribution: Sendable, Hashable {
  /// The meaning of each entry.
  public let labels: LabelSet
  /// One probability an emotion, in the order of `labels`; each 0…1, their sum 1.
  public let probabilities: [Float]

  /// Makes a distribution from `probabilities`, one an emotion of `labels`.
  ///
  /// - Throws: ``MienError`` where the counts differ, a value is negative or not finite, or all are zero.
  ///   Values are divided by their sum.
  public init(labels: LabelSet, probabilities: [Float]) throws {
    guard probabilities.count == labels.count else {
      throw MienError(
        .mismatch, labels.name, "expected \(labels.count) probabilities, found \(probabilities.count)")
    }
    let sum = probabilities.reduce(0, +)
    guard probabilities.allSatisfy({ $0.isFinite && $0 >= 0 }), sum.isFinite, sum > 0 else {
      throw MienError(.format, labels.name, "probabilities must be finite, not negative and not all zero")
    }
    self.labels = labels
    self.probabilities = probabilities.map { $0 / sum }
  }

  /// The probability of `emotion`, or nil where the label set lacks it.
  public subscript(emotion: Emotion) -> Float? {
    labels.index(of: emotion).map { probabilities[$0] }
  }

  /// The most probable emotion and its probability; of equals, the first in the label set's order.
  public var top: (emotion: Emotion, probability: Float) {
    var best = 0
    for index in probabilities.indices where probabilities[index] > probabilities[best] { best = index }
    return (labels.emotions[best], probabilities[best])
  }

  /// The share of each other class in what class `index` leaves to the others, [K]; 0 for itself.
  package func rivals(of index: Int) -> [Float] {
    var shares = probabilities
    shares[index] = 0
    let sum = shares.reduce(0, +)
    guard sum > 0 else { return shares.indices.map { $0 == index ? 0 : 1 / Float(shares.count - 1) } }
    return shares.map { $0 / sum }
  }

  /// The distribution over the classes shared with `other`, in `other`'s order and renormalised; classes that
  /// this one lacks get 0. Where all shared probability is 0, the shared classes are equally likely.
  ///
  /// - Throws: ``MienError`` where no class is shared.
  public func restricted(to other: LabelSet) throws -> EmotionDistribution {
    var values = other.emotions.map { self[$0] ?? 0 }
    if values.reduce(0, +) <= 0 { values = other.emotions.map { labels.index(of: $0) == nil ? 0 : 1 } }
    guard values.contains(where: { $0 > 0 }) else {
      throw MienError(.mismatch, other.name, "shares no emotion with \(labels.name)")
    }
    return try EmotionDistribution(labels: other, probabilities: values)
  }
}
