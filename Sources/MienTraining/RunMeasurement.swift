public import MienCore
public import MienTorch

/// What a run's best epoch says of its own faces, one pass, no averaging.
public struct RunMeasurement: Sendable {
  /// By part: a head an entry, on the faces that have a label for it; heads and parts without such faces are missing.
  public let metrics: [Split: [ClassificationMetrics]]
  /// By part: the faces that the first head's ``metrics`` are of, counted through the sets; a copy made by balancing
  /// stands for its original.
  public let faces: [Split: [Int]]
  /// All faces of each part, likewise.
  public let parts: [Split: [Int]]

  /// Measures `run` on the data that it was trained on.
  ///
  /// - Parameter measured: which parts. A test part that is no part of the recipe is kept for one look at the end of all
  ///   work: name it only where that look is meant.
  /// - Throws: ``MienError`` where it has no finished epoch, or the sets cannot be split as its recipe says.
  @TorchActor public init(
    of run: RunFolder, sets: [FaceSet], parts measured: Set<Split> = [.validation]
  ) throws {
    let data = try TrainingData(sets, recipe: run.recipe)
    let (network, _) = try Checkpoint.best(of: run)
    let parts: [Split: [Int]] = [.train: data.train, .validation: data.validation, .test: data.test]
    metrics = try parts.filter { measured.contains($0.key) && !$0.value.isEmpty }.mapValues { part in
      try Validation.logits(network, data: data, part: part).filter { !$0.truth.isEmpty }.map { try $0.metrics() }
    }
    faces = parts.mapValues { part in part.filter { data.targets[0].truth[$0] != nil }.map(data.original) }
    self.parts = parts.mapValues { $0.map(data.original) }
  }
}
