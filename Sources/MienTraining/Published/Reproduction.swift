public import Foundation
public import MienCore
import MienONNX
public import MienTorch

/// One measurement of a published system: trains its runs, or goes on with them, and measures them.
@TorchActor public struct Reproduction {
  private let system: PublishedSystem
  private let measurement: PublishedSystem.Measurement
  private let faces: FaceSet
  private let folder: URL
  private let runs: [(name: String, recipe: Recipe)]

  /// The measurement in `folder`, begun or to be gone on with.
  ///
  /// - Parameters:
  ///   - epochs: at most so many; nil for the recipe's.
  ///   - folds: so many folds or seeds where there are any; nil for the protocol's.
  /// - Throws: ``MienError`` where the faces cannot be split as the protocol says.
  public init(
    of system: PublishedSystem, _ measurement: PublishedSystem.Measurement, faces: FaceSet, in folder: URL,
    epochs: Int? = nil, folds: Int? = nil
  ) throws {
    self.system = system
    self.measurement = measurement
    self.faces = faces
    self.folder = folder
    runs = try measurement.runs(labels: faces.labelSet, epochs: epochs, folds: folds)
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
          "holds a run of another recipe; repeat the --epochs and --folds it was begun with, or choose another -o")
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
    try model.write(to: folder.appendingPathComponent("model.onnx"))
    let counted = measurement.isPooled ? measured : [standing]
    let metrics = try ClassificationMetrics(joining: counted.map(\.metrics))
    let isCopy = counted.flatMap(\.isCopy)
    let others = zip(isCopy, zip(metrics.truth, metrics.predictions)).filter { !$0.0 }.map(\.1)
    let report = EvaluationReport(
      metrics, model: system.name, weightsSHA256: try model.card().weightsSHA256, data: faces.info.source,
      split: measurement.part)
    let summary = ReproductionSummary(
      system: system.name, measurement: measurement.name, runs: measured.map(\.summary),
      standing: standing.summary.name, evaluation: report, copies: metrics.count - others.count,
      accuracyWithoutCopies: others.isEmpty
        ? nil : Double(others.count { $0.0 == $0.1 }) / Double(others.count))
    try summary.write(to: folder)
    return Outcome(
      summary: summary, metrics: metrics, faces: counted.flatMap(\.faces), parts: standing.parts, run: run)
  }

  private func measure(_ run: RunFolder, name: String, result: RunResult) throws -> MeasuredRun {
    let (_, progress) = try Checkpoint.read(run.lastCheckpoint)
    let own = try RunMeasurement(of: run, sets: [faces], parts: [.validation, .test])
    guard let measured = own.metrics[measurement.part]?.first else {
      throw MienError(.mismatch, run.url.path, "has no face in the \(measurement.part.rawValue) part")
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

/// The figures of one measurement of a published system: `reproduction.json` in its folder.
public struct ReproductionSummary: Codable, Sendable, Equatable {
  /// One run.
  public struct Run: Codable, Sendable, Equatable {
    /// The name of its folder within the measurement's; empty where it is that folder.
    public var name: String
    /// Of its weights and batches.
    public var seed: UInt64
    /// Epochs trained.
    public var epochs: Int
    /// The epoch that was kept.
    public var bestEpoch: Int
    /// Time spent training.
    public var seconds: Double
    /// Faces measured.
    public var count: Int
    /// On the measured part, 0…1.
    public var accuracy: Double
    /// On the measured part, 0…1.
    public var balancedAccuracy: Double
    /// On the measured part, nats a face.
    public var loss: Double
    /// On the part that chose the epoch, nats a face.
    public var validationLoss: Double
    /// In the epoch that was kept, 0…1.
    public var trainingAccuracy: Double?
    /// In the epoch that was kept.
    public var trainingLoss: Double
    /// On the data set's test split, where that is there and not the measured part.
    public var testAccuracy: Double?
  }

  /// The system's name.
  public var system: String
  /// The measurement's name.
  public var measurement: String
  /// The runs in order.
  public var runs: [Run]
  /// The run of least validation loss, which stands for the others.
  public var standing: String
  /// That run on the measured part; over seeds, whose parts differ, all runs together.
  public var evaluation: EvaluationReport
  /// How many of the measured faces are pictures that were trained on: alike to the last pixel, or copies that balancing
  /// made of one. Nil in files of earlier versions.
  public var copies: Int?
  /// The accuracy on the others; nil where there are none.
  public var accuracyWithoutCopies: Double?

  /// The run that stands for the others.
  public var standingRun: Run? { runs.first { $0.name == standing } }
  /// The time of all runs together.
  public var seconds: Double { runs.reduce(0) { $0 + $1.seconds } }

  /// Mean and, over more than one run, sample standard deviation of the accuracies.
  public var accuracy: (mean: Double, deviation: Double?) {
    let sample = SampleStatistics(runs.map(\.accuracy))
    return (sample.mean, sample.standardDeviation)
  }

  /// The value measured for a paper's figure; nil where it was not measured.
  public func value(of measure: PublishedSystem.Measure) -> Double? {
    switch measure {
    case .accuracy: evaluation.accuracy
    case .loss: evaluation.loss
    case .trainingAccuracy: standingRun?.trainingAccuracy
    case .trainingLoss: standingRun?.trainingLoss
    case .recall(let emotion): evaluation.perClass[emotion]?.recall
    case .f1(let emotion): evaluation.perClass[emotion]?.f1
    }
  }

  private static let fileName = "reproduction.json"

  /// The figures kept in `folder`; nil where it is not finished.
  ///
  /// - Throws: ``MienError`` where the file is damaged.
  public init?(in folder: URL) throws {
    let file = folder.appendingPathComponent(Self.fileName)
    guard let data = try? Data(contentsOf: file) else { return nil }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw MienError(.format, file.path, "holds no figures of a reproduction")
    }
  }

  init(
    system: String, measurement: String, runs: [Run], standing: String, evaluation: EvaluationReport, copies: Int,
    accuracyWithoutCopies: Double?
  ) {
    (self.system, self.measurement, self.runs) = (system, measurement, runs)
    (self.standing, self.evaluation) = (standing, evaluation)
    (self.copies, self.accuracyWithoutCopies) = (copies, accuracyWithoutCopies)
  }

  func write(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(try encoder.encode(self), to: folder.appendingPathComponent(Self.fileName))
  }
}
