public import MienCore

/// What a run's best epoch says of its own faces, one pass, no averaging.
public struct RunMeasurement: Sendable {
  /// By part: a head per entry, on the faces that have a label for it; heads and parts without such faces are missing.
  public let metrics: [Split: [ClassificationMetrics]]
  /// By part: the faces that each head's ``metrics`` are of, counted through the sets; a copy made by balancing stands for
  /// its original.
  public let headFaces: [Split: [[Int]]]
  /// All faces of each part, likewise.
  public let parts: [Split: [Int]]

  /// Describes a measurement.
  package init(metrics: [Split: [ClassificationMetrics]], headFaces: [Split: [[Int]]], parts: [Split: [Int]]) {
    (self.metrics, self.headFaces, self.parts) = (metrics, headFaces, parts)
  }

  /// By part: the faces of the first head.
  public var faces: [Split: [Int]] { headFaces.mapValues { $0.first ?? [] } }
}

/// What a report says of a run but its figures.
public struct RunDescription: Sendable, Equatable {
  /// The recipe's name.
  public let name: String
  /// What the recipe is for, in a sentence.
  public let summary: String
  /// The seed of weights and batches.
  public let seed: UInt64
  /// The recipe as it was resolved, in YAML.
  public let recipe: String
  /// Whether balancing made copies of faces.
  public let hasCopies: Bool

  /// Describes a run.
  public init(name: String, summary: String, seed: UInt64, recipe: String, hasCopies: Bool) {
    (self.name, self.summary, self.seed) = (name, summary, seed)
    (self.recipe, self.hasCopies) = (recipe, hasCopies)
  }
}
