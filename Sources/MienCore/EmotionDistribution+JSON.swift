/// In JSON a distribution is an object of probabilities by emotion: `{"anger": 0.02, …}`.
extension EmotionDistribution: Codable {
  /// The probabilities by emotion, 0…1.
  public var scores: [Emotion: Float] {
    Dictionary(uniqueKeysWithValues: zip(labels.emotions, probabilities))
  }

  /// Writes ``scores``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(scores)
  }

  /// Reads probabilities by emotion. JSON names no label set: ``labels`` is the known set of these emotions, or if there is
  /// none a set of the name `emotions` in alphabetical order.
  ///
  /// - Throws: `DecodingError` if a name is no emotion; ``MienError`` if the values are not probabilities.
  public init(from decoder: any Decoder) throws {
    let scores = try decoder.singleValueContainer().decode([Emotion: Float].self)
    let labels =
      try LabelSet.known.first { Set($0.emotions) == Set(scores.keys) }
      ?? LabelSet(name: "emotions", emotions: scores.keys.sorted())
    let probabilities = labels.emotions.map { scores[$0] ?? 0 }
    let sum = probabilities.reduce(0, +)
    guard probabilities.allSatisfy({ $0 >= 0 }), abs(sum - 1) <= 1e-3 else {
      throw MienError(.format, labels.name, "expected probabilities that sum to 1, found \(scores)")
    }
    // Not divided by their sum again: what is read equals what was written.
    (self.labels, self.probabilities) = (labels, probabilities)
  }
}
