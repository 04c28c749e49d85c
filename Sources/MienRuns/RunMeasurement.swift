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

  /// What a part means for the figures.
  public static func note(_ part: Split, of run: RunDescription) -> String {
    switch part {
    case .train: "The network was trained on these faces: the figures say how well it remembers them."
    case .validation where run.keepsLast:
      "The last epoch was kept, so nothing was chosen by these faces, unless you choose between runs by these figures."
    case .validation: "The best epoch was chosen by these faces: the figures are slightly optimistic."
    case .test: "Nothing was chosen by these faces, unless you choose between runs by these figures."
    }
  }

  /// A sentence for figures of `part` if people of its faces were trained on too; `nil` if none were, or `set` does not know
  /// people. Sequences count like people if the set knows only those.
  ///
  /// - Parameters:
  ///   - faces: the measured faces of the part, by their places in `set`.
  ///   - set: what the run was trained on; several sets joined.
  public func caution(_ part: Split, faces: [Int], of set: FaceSet) -> String? {
    let trained = parts[.train] ?? []
    let clusters = set.clusters(of: trained + faces)
    guard part != .train, clusters.unit != .face else { return nil }
    let known = Set(clusters.groups.prefix(trained.count))
    let count = clusters.groups.dropFirst(trained.count).count { known.contains($0) }
    guard count > 0 else { return nil }
    let share = count == faces.count ? "All \(count.grouped)" : "\(count.grouped) of the \(faces.count.grouped)"
    let (units, key) = clusters.unit == .person ? ("people", "subject") : ("sequences", "sequence")
    return "\(share) faces are of \(units) that the network was also trained on, so the figures say little about new "
      + "\(units); for those, train with a split by \(clusters.unit.rawValue) (`split.groupBy: \(key)`)."
  }
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
  /// Whether the last epoch was kept, so that no faces chose it.
  public let keepsLast: Bool

  /// Describes a run.
  public init(name: String, summary: String, seed: UInt64, recipe: String, hasCopies: Bool, keepsLast: Bool = false) {
    (self.name, self.summary, self.seed) = (name, summary, seed)
    (self.recipe, self.hasCopies, self.keepsLast) = (recipe, hasCopies, keepsLast)
  }
}
