import Foundation
public import MienCore
public import MienRuns
public import MienTorch

/// Trains one run. All randomness is a function of the recipe's seed and the step, so a resumed run goes on exactly as
/// an uninterrupted one.
@TorchActor public final class Trainer {
  private let run: RunFolder
  /// Held by the process that writes.
  private let lock: RunLock?
  /// The processes that train together, if there are several.
  private let group: ProcessGroup?
  /// Whether this process writes the run folder and tells the observers.
  private let isWriter: Bool
  private let recipe: Recipe
  private let data: TrainingData
  private let trainStep: TrainingStep
  private let observers: [any TrainingObserver]
  private var progress = Progress()
  private let plan: TrainingPlan
  private let batches: TrainingBatches

  /// Locks the run folder, loads the data, builds the network, and restores the last checkpoint where the run has one,
  /// else the recipe's initial weights.
  ///
  /// - Parameters:
  ///   - run: made before, and seen by every process of `group`.
  ///   - sets: the same in every process.
  ///   - observers: told in the first process only.
  ///   - group: the processes that train together, each on its share of every batch; `nil` for this one alone. The first
  ///     one writes the run folder.
  /// - Throws: ``MienError`` where the data do not fit the recipe, the checkpoint is damaged or of other data, the initial
  ///   weights do not fit the network, or another process trains the run.
  public init(
    run: RunFolder, sets: [FaceSet], observers: [any TrainingObserver], group: ProcessGroup? = nil
  ) throws {
    guard !run.recipe.isSeries else {
      throw MienError(.mismatch, run.url.relativePath, "its recipe is for a series of runs: it names folds or seeds")
    }
    self.run = run
    recipe = run.recipe
    self.group = group
    isWriter = group?.isFirst ?? true
    // The first process is done with what it puts into the folder before it trains.
    if !isWriter { _ = try group?.fromFirst { [] } }
    lock = isWriter ? try RunLock(run.url) : nil
    if isWriter { run.removeLeftovers() }
    do { data = try TrainingData(sets, recipe: recipe) } catch {
      // What other data lack for this recipe is not what is wrong with them.
      if let earlier = try? Checkpoint.read(run.lastCheckpoint).progress.data { try run.check(sets, against: earlier) }
      throw error
    }
    trainStep = try TrainingStep(recipe, classCounts: data.classCounts, group: group)
    self.observers = isWriter ? observers : []
    let depth = trainStep.network.trunk.layers.count
    guard recipe.freeze <= depth else {
      throw MienError(
        .argument, "freeze \(recipe.freeze)", "the trunk of \(recipe.model.architecture) has \(depth) layers")
    }
    try recipe.progressive.check(trainStep.network, channels: recipe.model.channels)
    progress.data = data.origins
    progress.selection = recipe.selection.last ? [] : data.selectionOrigins
    var notes = data.notes
    if let place = group?.place {
      notes.append(
        "\(place.size) processes train together, each on its share of every batch of \(recipe.batchSize) faces")
    }
    if FileManager.default.fileExists(atPath: run.lastCheckpoint.path) {
      let (file, restored) = try Checkpoint.read(run.lastCheckpoint)
      guard restored.data.elementsEqual(progress.data, by: { $0.isSame(as: $1) }) else {
        throw run.otherData(restored.data, than: progress.data, of: sets)
      }
      do {
        for (prefix, tensors) in trainStep.state { try Checkpoint.restore(tensors, prefix: prefix, from: file) }
      } catch let error as MienError { throw error.about(run.lastCheckpoint.relativePath) }
      let data = progress.data
      progress = restored
      progress.data = data
    } else if !recipe.initialWeights.isEmpty {
      let initial = try InitialWeights(recipe.initialWeights, for: recipe)
      notes += try initial.load(into: trainStep.network) { [data] in try data.sample() }
      if trainStep.average !== trainStep.network {
        for (target, source) in zip(trainStep.average.state, trainStep.network.state) {
          try target.value.copyInPlace(source.value)
        }
      }
      (progress.initialData, progress.initialSelection) = (initial.data, initial.selection)
      // From here on the run does not depend on the other one. Other processes read it here.
      try Checkpoint.write(trainStep.state, progress: progress, to: run.lastCheckpoint)
    }
    plan = TrainingPlan(
      name: recipe.name, folder: run.url.relativePath, parameterCount: try trainStep.network.parameterCount,
      trainCount: data.train.count, validationCount: data.validation.count,
      stepsPerEpoch: data.stepsPerEpoch(recipe), epochs: recipe.epochs, batchSize: recipe.batchSize,
      firstStep: progress.step, history: progress.epochs, notes: notes, keepsLast: recipe.selection.last)
    batches = try TrainingBatches(
      data, recipe: recipe, share: group?.place.rank ?? 0, of: group?.place.size ?? 1)
    if isWriter { _ = try group?.fromFirst { [] } }
  }

  /// Trains to the end, or until `shouldStop`, which is asked after each step; then the run can be resumed.
  ///
  /// - Returns: what the run came to; nil where it was stopped.
  /// - Throws: ``MienError`` where the loss is no number any more, or a file cannot be written; the last checkpoint stays.
  @discardableResult
  public func run(shouldStop: () -> Bool) throws -> RunResult? {
    for observer in observers { try observer.started(plan) }
    var clock = ContinuousClock.now
    var saved = clock
    while progress.step < plan.steps, !stopsEarly {
      let rate = learningRate(at: progress.step)
      let (loss, heads) = try step(progress.step, learningRate: rate)
      guard loss.isFinite else { throw divergence("the loss is \(loss)") }
      progress.add(loss, heads: heads)
      for observer in observers {
        try observer.stepped(
          .init(step: progress.step, loss: progress.meanLoss, batchLoss: Double(loss), learningRate: rate))
      }
      let isEpochEnd = progress.step % plan.stepsPerEpoch == 0
      progress.seconds += seconds(since: &clock)
      if isEpochEnd { try finishEpoch(learningRate: rate) }
      let stopping = try group?.any(shouldStop()) ?? shouldStop()
      if isEpochEnd || stopping || clock - saved > .seconds(recipe.checkpointEverySeconds) {
        progress.seconds += seconds(since: &clock)
        try save()
        saved = clock
      }
      if stopping {
        for observer in observers { try observer.stopped(plan, step: progress.step) }
        return nil
      }
    }
    // The first process may leave only when the others have what it has to give.
    _ = try group?.any(false)
    return try finish()
  }

  /// What `run` came to: read where it is finished, else trained.
  ///
  /// - Parameter observers: makes the observers, where it is trained.
  /// - Returns: nil where it was stopped.
  /// - Throws: ``MienError`` where it was trained on other data, and as ``run(shouldStop:)`` does.
  static func result(
    of run: RunFolder, sets: [FaceSet], observers: () -> [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> RunResult? {
    guard let earlier = try RunResult(of: run) else {
      return try Trainer(run: run, sets: sets, observers: observers()).run(shouldStop: shouldStop)
    }
    try run.check(sets, against: earlier.data)
    return earlier
  }

  private func divergence(_ what: String) -> MienError {
    let rate = String(format: "%g", recipe.optimizer.learningRate / 10)
    return MienError(
      .diverged, run.url.relativePath,
      "\(what) at step \(progress.step); the last checkpoint is kept. Train with a lower rate, such as --set optimizer.learningRate=\(rate)"
    )
  }

  private var stopsEarly: Bool { recipe.earlyStopping.ends(after: progress.epochs, selection: recipe.selection) }

  private func save() throws {
    guard isWriter else { return }
    do {
      try Checkpoint.write(trainStep.state, progress: progress, to: run.lastCheckpoint)
    } catch let error as MienError {
      throw MienError(
        error.kind, error.subject,
        "\(error.message). The checkpoint before it is kept: --resume \(run.url.relativePath) goes on")
    }
  }

  private func step(_ step: Int, learningRate: Double) throws -> (loss: Float, heads: [(counted: Int, right: Int)]) {
    let batch = try batches.batch(step)
    return try trainStep(
      batch.faces, targets: batch.targets, learningRate: learningRate, step: step, seed: batch.seed)
  }

  private func learningRate(at step: Int) -> Double {
    let epoch = Double(step + 1) / Double(plan.stepsPerEpoch)
    return recipe.optimizer.learningRate
      * recipe.learningRate.factor(
        epoch: epoch, scores: progress.epochs.map(recipe.selection.score))
  }

  private func finishEpoch(learningRate: Double) throws {
    let result = try fromFirst { try measuredEpoch(learningRate: learningRate) }
    progress.startEpoch()
    progress.epochs.append(result)
    let isBest = recipe.selection.prefers(result, to: progress.best)
    if isBest {
      progress.best = result
      if isWriter {
        try Checkpoint.write(["average": trainStep.average.state], progress: progress, to: run.bestCheckpoint)
      }
    }
    for observer in observers { try observer.finishedEpoch(result, isBest: isBest && !recipe.selection.last) }
  }

  /// What the first process measures, in all of them.
  private func fromFirst(_ make: () throws -> EpochResult) throws -> EpochResult {
    guard let group else { return try make() }
    let bytes = try group.fromFirst { Array(try JSONEncoder().encode(make())) }
    return try JSONDecoder().decode(EpochResult.self, from: Data(bytes))
  }

  private func measuredEpoch(learningRate: Double) throws -> EpochResult {
    var heads: [EpochResult.Head]
    do { heads = try Validation.measure(trainStep.average, data: data, part: data.validation) } catch let error
      as MienError
      where error.kind == .format
    { throw divergence("the network's outputs are no probabilities") }
    for (labels, tally) in zip(data.labels, progress.tallies) where tally.counted > 0 {
      guard let head = heads.firstIndex(where: { $0.labels == labels.name }) else { continue }
      heads[head].trainingAccuracy = Double(tally.right) / Double(tally.counted)
    }
    return EpochResult(
      epoch: progress.step / plan.stepsPerEpoch, step: progress.step, learningRate: learningRate,
      trainingLoss: progress.meanLoss, heads: heads, seconds: progress.seconds)
  }

  /// Measures the test part that the recipe sets aside, if any, by the best epoch's weights.
  private func finish() throws -> RunResult {
    guard let best = progress.best else {
      throw MienError(.format, run.lastCheckpoint.relativePath, "is at its last step, and has no finished epoch")
    }
    var test: [EpochResult.Head] = []
    if isWriter, recipe.measuresTest, !data.test.isEmpty {
      // Sets aside may lack the labels of one head.
      test = try Validation.logits(Checkpoint.best(of: run).network, data: data, part: data.test)
        .filter { !$0.truth.isEmpty }.map { try $0.result() }
    }
    let result = RunResult(
      best: best, test: test, epochs: progress.step / plan.stepsPerEpoch, stoppedEarly: progress.step < plan.steps,
      data: progress.data, validation: data.selectionOrigins)
    if isWriter { try result.write(to: run.files) }
    for observer in observers { try observer.finished(plan, result: result) }
    return result
  }

  private func seconds(since clock: inout ContinuousClock.Instant) -> Double {
    let now = ContinuousClock.now
    defer { clock = now }
    return (now - clock) / .seconds(1)
  }
}
