public import MienCore
public import MienRuns
public import MienTorch

extension RunMeasurement {
  /// Measures `run` on the data that it was trained on.
  ///
  /// - Parameter measured: which parts. A test part that is no part of the recipe is kept for one look at the end of all
  ///   work: name it only where that look is meant.
  /// - Throws: ``MienError`` where it has no finished epoch, or was trained on other sets.
  @TorchActor public init(
    of run: RunFolder, sets: [FaceSet], parts measured: Set<Split> = [.validation]
  ) throws {
    let (network, progress) = try Checkpoint.best(of: run)
    try run.check(sets, against: progress.data)
    let data = try TrainingData(sets, recipe: run.recipe)
    let parts: [Split: [Int]] = [.train: data.train, .validation: data.validation, .test: data.test]
    let shown = parts.filter { measured.contains($0.key) && !$0.value.isEmpty }
    self.init(
      metrics: try shown.mapValues { part in
        try Validation.logits(network, data: data, part: part).filter { !$0.truth.isEmpty }.map { try $0.metrics() }
      },
      headFaces: parts.mapValues { part in
        data.targets.map { targets in part.filter { targets.truth[$0] != nil }.map(data.original) }
          .filter { !$0.isEmpty }
      },
      parts: parts.mapValues { $0.map(data.original) })
  }
}

extension RunFolder {
  /// The faces of `sets` as one set, in which the places of a measurement of the run count.
  ///
  /// - Parameter labels: of the head whose labels the faces keep; `nil` for the recipe's first.
  /// - Throws: ``MienError`` where there is no set, or they differ in size.
  public func joined(_ sets: [FaceSet], labels: LabelSet? = nil) throws -> FaceSet {
    try FaceSet(joining: sets, labels: labels ?? recipe.labelSets()[0], for: recipe.preprocessing)
  }
}
