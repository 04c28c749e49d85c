public import Foundation
public import MienCore
import MienONNX
public import MienRuns
public import MienTorch

/// One measurement of a published system: trains its runs, or goes on with them, and measures them.
@TorchActor public struct Reproduction {
  private let system: PublishedSystem
  private let measurement: PublishedSystem.Measurement
  private let faces: FaceSet
  /// Where it lies.
  public nonisolated let folder: URL
  private let runs: [(name: String, recipe: Recipe)]
  /// How much less is trained than the protocol asks for; nil for all of it.
  public nonisolated let quickLook: ReproductionSummary.QuickLook?

  /// The measurement in `place`, begun or to be gone on with: in the folder of its name, a quick look in one of its own.
  ///
  /// - Parameters:
  ///   - place: the folder of the system.
  ///   - recipes: where the recipes of a system that is not built in lie.
  ///   - epochs: at most so many; nil for the recipe's.
  ///   - folds: so many folds or seeds where there are any; nil for the protocol's.
  /// - Throws: ``MienError`` where the faces cannot be split as the protocol says.
  public init(
    of system: PublishedSystem, _ measurement: PublishedSystem.Measurement, faces: FaceSet, in place: URL,
    recipes: URL? = nil, epochs: Int? = nil, folds: Int? = nil
  ) throws {
    self.system = system
    self.measurement = measurement
    self.faces = faces
    let recipeEpochs = try measurement.recipe([], labels: faces.labelSet, recipes: recipes).epochs
    quickLook = .init(epochs: epochs, recipeEpochs: recipeEpochs, folds: folds, protocol: measurement.repeats)
    folder = place.appendingPathComponent(measurement.name + (quickLook?.suffix ?? ""))
    runs = try measurement.runs(labels: faces.labelSet, recipes: recipes, epochs: epochs, folds: folds)
    for run in runs { _ = try run.recipe.members(for: [faces]) }
  }

  private func url(_ name: String) -> URL { name.isEmpty ? folder : folder.appendingPathComponent(name) }

  /// Trains what is not finished yet, then measures every run; writes the standing run's model to `model.onnx`.
  ///
  /// - Parameters:
  ///   - observers: makes the observers of a run.
  ///   - shouldStop: asked after each step.
  /// - Returns: nil where it was stopped; then it can be gone on with.
  /// - Throws: ``MienError`` where a folder holds a run of another recipe or of other data, and as ``Trainer`` does.
  public func run(
    observers: (_ run: RunFolder, _ name: String) -> [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> Outcome? {
    var measured: [MeasuredRun] = []
    for (name, recipe) in runs {
      let run = try RunFolder(
        at: url(name), recipe: recipe,
        refusal:
          "holds a run of another recipe, which an earlier version or another file of this name made; choose another -o"
      )
      let result = try Trainer.result(
        of: run, sets: [faces], observers: { observers(run, name) }, shouldStop: shouldStop)
      guard let result else { return nil }
      measured.append(try measure(run, name: name, result: result))
    }
    guard let standing = measured.min(by: { $0.summary.validationLoss < $1.summary.validationLoss }) else {
      throw MienError(.argument, system.name, "\(measurement.name) has no run")
    }
    let run = try RunFolder(opening: url(standing.summary.name))
    let model = try ModelExport.model(of: run)
    try model.write(to: RunFiles(folder).model)
    let counted = measurement.isPooled ? measured : [standing]
    let metrics = try ClassificationMetrics(joining: counted.map(\.metrics))
    let isCopy = counted.flatMap(\.isCopy)
    let others = zip(isCopy, zip(metrics.truth, metrics.predictions)).filter { !$0.0 }.map(\.1)
    let report = EvaluationReport(
      metrics, model: system.name, weightsSHA256: try model.card().weightsSHA256, data: faces.info.source,
      split: measurement.part, clusters: faces.clusters(of: counted.flatMap(\.faces)))
    let summary = ReproductionSummary(
      system: system.name, measurement: measurement.name, runs: measured.map(\.summary),
      standing: standing.summary.name, evaluation: report, copies: metrics.count - others.count,
      accuracyWithoutCopies: others.isEmpty
        ? nil : Double(others.count { $0.0 == $0.1 }) / Double(others.count), quickLook: quickLook)
    try summary.write(to: folder)
    return Outcome(
      summary: summary, metrics: metrics, faces: counted.flatMap(\.faces), parts: standing.parts, run: run)
  }

  private func measure(_ run: RunFolder, name: String, result: RunResult) throws -> MeasuredRun {
    let (_, progress) = try Checkpoint.read(run.lastCheckpoint)
    let own = try RunMeasurement(of: run, sets: [faces], parts: [.validation, .test])
    guard let measured = own.metrics[measurement.part]?.first else {
      throw MienError(.mismatch, run.url.relativePath, "has no face in the \(measurement.part.rawValue) part")
    }
    let best = result.best
    let summary = ReproductionSummary.Run(
      name: name, seed: run.recipe.seed, epochs: result.epochs, bestEpoch: best.epoch, seconds: progress.seconds,
      count: measured.count, accuracy: measured.accuracy, balancedAccuracy: measured.balancedAccuracy,
      loss: measured.logLoss, validationLoss: best.heads.first?.loss ?? best.trainingLoss,
      trainingAccuracy: best.heads.first?.trainingAccuracy, trainingLoss: best.trainingLoss,
      testAccuracy: measurement.part == .validation ? own.metrics[.test]?.first?.accuracy : nil)
    let labelled = own.faces[measurement.part] ?? []
    let trained = Set(Set(own.parts[.train] ?? []).map(faces.face(at:)))
    return MeasuredRun(
      summary: summary, metrics: measured, faces: labelled,
      isCopy: labelled.map { trained.contains(faces.face(at: $0)) },
      parts: own.parts)
  }

  private struct MeasuredRun {
    let summary: ReproductionSummary.Run
    let metrics: ClassificationMetrics
    let faces: [Int]
    /// Whether the picture, or the one that it was made of, was trained on.
    let isCopy: [Bool]
    let parts: [Split: [Int]]
  }

  /// What a finished measurement came to.
  public struct Outcome: Sendable {
    /// The figures, as kept in the folder.
    public let summary: ReproductionSummary
    /// The standing run on the measured part; over seeds, whose parts differ, all runs together.
    public let metrics: ClassificationMetrics
    /// [N] which face of the set each entry of ``metrics`` is; a copy made by balancing stands for its original.
    public let faces: [Int]
    /// The standing run's parts, likewise.
    public let parts: [Split: [Int]]
    /// The standing run.
    public let run: RunFolder
  }
}
