public import Foundation

/// The mix of emotions that a model is to expect, where it is not that of the faces it was trained on.
///
/// Training sets are out of balance: a third of FER2013 is neutral, so a model that is unsure answers "neutral". If the
/// faces at hand have another mix, Bayes' rule says how the probabilities change: each is multiplied by its expected share
/// and divided by its share in training (Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New
/// a Priori Probabilities", Neural Computation 2002).
public struct ClassPrior: Sendable, Hashable {
  /// How often each emotion is expected.
  public enum Mix: Sendable, Hashable {
    /// As in the training data: probabilities stay as they are.
    case data
    /// Each emotion as often as the others.
    case uniform
    /// In these shares; emotions that are not named are not expected at all.
    case shares([Emotion: Float])
  }

  /// The mix to expect.
  public let mix: Mix
  /// How far to go from the training data's mix (0) to ``mix`` (1); the exponent of the factors.
  public let strength: Float

  /// The prior that changes nothing.
  public static let data = ClassPrior()

  private init() { (mix, strength) = (.data, 0) }

  /// The mix in words: `data`, `uniform`, or shares such as `neutral:0.2,happiness:0.5`.
  package var text: String {
    switch mix {
    case .data: "data"
    case .uniform: "uniform"
    case .shares(let shares):
      shares.sorted { $0.key < $1.key }.map { "\($0.key.rawValue):\($0.value)" }.joined(separator: ",")
    }
  }

  /// Makes a prior.
  ///
  /// - Throws: ``MienError`` if `strength` is not 0…1, or shares are negative, not finite or all 0.
  public init(_ mix: Mix, strength: Float = 1) throws {
    guard (0...1).contains(strength) else {
      throw MienError(.argument, "prior strength", "expected 0 to 1, found \(strength)")
    }
    if case .shares(let shares) = mix {
      guard shares.values.allSatisfy({ $0.isFinite && $0 >= 0 }), shares.values.contains(where: { $0 > 0 }) else {
        throw MienError(.argument, "prior", "shares must be finite, not negative and not all 0")
      }
    }
    self.mix = mix
    self.strength = strength
  }

  /// Reads shares from a JSON object such as `{"neutral": 0.2, "happiness": 0.5, "sadness": 0.3}`; counts will do.
  ///
  /// - Throws: ``MienError`` if it is no such object, names an unknown emotion, or as ``init(_:strength:)`` does.
  public init(json: Data, strength: Float = 1) throws {
    let numbers: [String: Float]
    do { numbers = try JSONDecoder().decode([String: Float].self, from: json) } catch {
      throw MienError(
        .format, nil, "expected a JSON object of emotions and their shares, such as {\"neutral\": 0.4, \"anger\": 0.6}")
    }
    var shares: [Emotion: Float] = [:]
    for (name, share) in numbers {
      guard let emotion = Emotion(rawValue: name) else {
        let near = (Emotion(spelling: name) ?? .nearest(to: name)).map { " (\($0.rawValue)?)" } ?? ""
        throw MienError(
          .format, nil,
          "\(name) is not an emotion\(near); expected \(Emotion.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      shares[emotion] = share
    }
    try self.init(.shares(shares), strength: strength)
  }

  /// Whether probabilities stay as they are.
  public var changesNothing: Bool { mix == .data || strength == 0 }

  /// The expected share of each emotion of `labels`; `nil` for the training data's mix.
  ///
  /// - Throws: ``MienError`` if none of the emotions of `labels` is expected.
  package func shares(of labels: LabelSet) throws -> [Float]? {
    switch mix {
    case .data: return nil
    case .uniform: return [Float](repeating: 1 / Float(labels.count), count: labels.count)
    case .shares(let shares):
      let values = labels.emotions.map { shares[$0] ?? 0 }
      guard values.contains(where: { $0 > 0 }) else {
        throw MienError(.mismatch, "prior", "expects none of the emotions of \(labels.name)")
      }
      return values
    }
  }
}

extension EmotionDistribution {
  /// The probabilities for faces of which `expected` are the shares of the classes, made from probabilities for faces of
  /// which `trained` are: each is multiplied by `(expected / trained) ^ strength`, then all are divided by their sum.
  ///
  /// A class that was never trained on keeps its probability; if nothing else is left, the distribution stays as it is.
  ///
  /// - Parameters:
  ///   - trained: shares of the classes in the training data, [K] in the order of ``labels``.
  ///   - expected: shares of the classes among the faces at hand, [K]; they need not add up to 1.
  ///   - strength: how far to go, 0 (not at all) to 1.
  /// - Throws: ``MienError`` if a count is not K, or a share is negative or not finite.
  public func reweighted(
    from trained: [Float], to expected: [Float], strength: Float = 1
  ) throws -> EmotionDistribution {
    for shares in [trained, expected] {
      guard shares.count == labels.count, shares.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
        throw MienError(
          .mismatch, labels.name, "expected \(labels.count) shares of at least 0, found \(shares)")
      }
    }
    let (sumTrained, sumExpected) = (trained.reduce(0, +), expected.reduce(0, +))
    guard strength > 0, sumTrained > 0, sumExpected > 0 else { return self }
    let weighted = probabilities.indices.map { index in
      guard trained[index] > 0 else { return probabilities[index] }
      let factor = pow((expected[index] / sumExpected) / (trained[index] / sumTrained), strength)
      return probabilities[index] * factor
    }
    guard weighted.reduce(0, +) > 0 else { return self }
    return try EmotionDistribution(labels: labels, probabilities: weighted)
  }
}
