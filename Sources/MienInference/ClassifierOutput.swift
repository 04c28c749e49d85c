public import MienCore

/// What a network says of a batch of faces: its outputs by name.
public struct ClassifierOutput: Sendable, Equatable {
  /// One output of the batch.
  public struct Tensor: Sendable, Equatable {
    /// The sizes, the batch's first.
    public let shape: [Int]
    /// The values, row-major.
    public let values: [Float]

    /// The values of face `index`.
    public func row(_ index: Int) -> ArraySlice<Float> {
      let width = values.count / max(1, shape.first ?? 1)
      return values[(index * width)..<((index + 1) * width)]
    }
  }

  /// How many faces.
  public let count: Int
  /// The tensors by output name: a probability tensor a label set, and where the model has them `embedding` and
  /// `features`.
  public let tensors: [String: Tensor]

  /// The tensor called `name`.
  public subscript(name: String) -> Tensor? { tensors[name] }

  /// The distributions of the output named as `labels` is, one a face.
  ///
  /// - Throws: ``MienError`` where there is no such output, or the network gave numbers that are no probabilities.
  public func distributions(_ labels: LabelSet) throws -> [EmotionDistribution] {
    guard let tensor = tensors[labels.name], tensor.values.count == count * labels.count else {
      let names = tensors.keys.sorted().joined(separator: ", ")
      throw MienError(.mismatch, labels.name, "expected an output of this name, found \(names)")
    }
    return try (0..<count).map {
      try EmotionDistribution(labels: labels, probabilities: Array(tensor.row($0)))
    }
  }
}
