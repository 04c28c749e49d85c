import Foundation
public import MienCore
import MienRuns
public import MienTorch

/// Trains the trials of a search, one after another. A trial that goes on to the next rung resumes its run folder, so
/// that it ends as it would have without the stop.
///
/// Several processes, on one machine or on several with a file system that they share, may work on one search: each takes
/// a trial that nobody is training. The trials come out as if one process had trained them all.
@TorchActor public final class Tuner {
  /// The search, with what was found out so far.
  public private(set) var folder: TuningFolder
  private let sets: [FaceSet]
  /// Seconds between two looks at what other processes have found out.
  private static let patience = 0.5

  /// A search in `folder`, begun or to be gone on with.
  ///
  /// - Throws: ``MienError`` if it cannot be read.
  public init(in folder: TuningFolder, sets: [FaceSet]) throws {
    self.folder = try TuningFolder(opening: folder.url)
    self.sets = sets
  }

  /// Trains what is not trained yet.
  ///
  /// - Parameters:
  ///   - observers: makes the observers of a run from its folder and name, as `trial-3` or `trial-3 fold-1`.
  ///   - report: called with each new record.
  ///   - shouldStop: asked after each step, and while other processes train what has to be known first.
  /// - Returns: whether the search is finished; false where it was stopped, and then it can be resumed.
  /// - Throws: ``MienError`` where a file cannot be written, or a run was trained on other data. A trial that diverges or
  ///   whose network cannot be built is recorded and passed over.
  public func run(
    observers: (_ run: RunFolder, _ name: String) -> [any TrainingObserver], report: (TrialRecord) -> Void,
    shouldStop: () -> Bool
  ) throws -> Bool {
    while !folder.isFinished {
      guard !shouldStop() else { return false }
      guard let (trial, rung, lock) = try nextTrial() else {
        // Others train what is left of the rung.
        Thread.sleep(forTimeInterval: Self.patience)
        folder = try TuningFolder(opening: folder.url)
        continue
      }
      defer { withExtendedLifetime(lock) {} }
      guard
        let record = try record(
          trial, rung: rung + 1, epochs: folder.rungs[rung], observers: observers, shouldStop: shouldStop)
      else { return false }
      try folder.add(record)
      report(record)
    }
    return true
  }

  /// A trial of the current rung that is not trained and that nobody is training, and the lock that keeps others from it;
  /// `nil` if there is none.
  private func nextTrial() throws -> (trial: TuningPlan.Trial, rung: Int, lock: FileLock)? {
    // A rung is known once the one before is done.
    let rung = folder.entrants.count - 1
    for number in folder.entrants[rung] where folder.record(number, rung: rung + 1) == nil {
      let trial = folder.trials[number - 1]
      guard let lock = try FileLock(folder.lock(of: trial), mode: 0o644) else { continue }
      // Whoever held it may have finished it a moment ago.
      folder = try TuningFolder(opening: folder.url)
      if folder.record(number, rung: rung + 1) == nil { return (trial, rung, lock) }
    }
    return nil
  }

  private func record(
    _ trial: TuningPlan.Trial, rung: Int, epochs: Int?,
    observers: (_ run: RunFolder, _ name: String) -> [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> TrialRecord? {
    let settings = Dictionary(uniqueKeysWithValues: zip(folder.plan.axes.map(\.key), trial.values))
    do { _ = try trial.recipe.network() } catch let error as MienError {
      return TrialRecord(.failed, message: error.message, trial: trial.number, rung: rung, settings: settings)
    }
    let series = try open(folder.run(of: trial), recipe: trial.recipe)
    let members = try trial.recipe.members(for: sets)
    let runs =
      members.isEmpty
      ? [(name: trial.name, run: series)]
      : try members.map { name, recipe in
        let run = try open(series.url.appendingPathComponent(name), recipe: recipe)
        return (name: "\(trial.name) \(name)", run: run)
      }
    var results: [[EpochResult]] = []
    for (name, run) in runs {
      switch try train(run, to: epochs, observers: observers(run, name), shouldStop: shouldStop) {
      case .stopped: return nil
      case .diverged(let message):
        return TrialRecord(.diverged, message: message, trial: trial.number, rung: rung, settings: settings)
      case .trained(let epochs): results.append(epochs)
      }
    }
    if epochs == nil, !members.isEmpty {
      let finished = try zip(members, runs).compactMap { member, entry in
        try RunResult(of: entry.run).map { (name: member.name, result: $0) }
      }
      try SeriesSummary(finished).write(to: series.files)
    }
    return TrialRecord(
      results, selection: folder.plan.recipe.selection, trial: trial.number, rung: rung, settings: settings)
  }

  private func open(_ url: URL, recipe: Recipe) throws -> RunFolder {
    try RunFolder(at: url, recipe: recipe, refusal: "holds a run of another recipe than this trial's")
  }

  private enum Training {
    case trained([EpochResult])
    case diverged(String)
    case stopped
  }

  /// Trains `run` to the end of epoch `last`, or to its own end where that is nil.
  private func train(
    _ run: RunFolder, to last: Int?, observers: [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> Training {
    let target = last ?? .max
    var epochs: [EpochResult] = []
    if FileManager.default.fileExists(atPath: run.lastCheckpoint.path) {
      epochs = try Checkpoint.read(run.lastCheckpoint).progress.epochs
    }
    guard try epochs.count < target && RunResult(of: run) == nil else { return .trained(Array(epochs.prefix(target))) }
    let counter = EpochCounter()
    let trainer = try Trainer(run: run, sets: sets, observers: observers + [counter])
    do {
      let result = try trainer.run(shouldStop: { counter.epochs.count >= target || shouldStop() })
      guard result != nil || counter.epochs.count >= target else { return .stopped }
    } catch let error as MienError where error.kind == .diverged {
      return .diverged(error.message)
    }
    return .trained(counter.epochs)
  }

  /// Keeps the finished epochs of a run.
  private final class EpochCounter: TrainingObserver {
    var epochs: [EpochResult] = []

    func started(_ plan: TrainingPlan) { epochs = plan.history }
    func stepped(_ step: StepResult) {}
    func finishedEpoch(_ result: EpochResult, isBest: Bool) { epochs.append(result) }
  }
}
