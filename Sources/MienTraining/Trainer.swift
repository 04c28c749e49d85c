import Foundation
public import MienCore
public import MienTorch

/// Trains one run. All randomness is a function of the recipe's seed and the step, so a resumed run goes on exactly as
/// an uninterrupted one.
@TorchActor public final class Trainer {
  private let run: RunFolder
  private let recipe: Recipe
  private let data: TrainingData
  private let trainStep: TrainingStep
  private let observers: [any TrainingObserver]
  private var progress = Progress()
  private let plan: TrainingPlan
  /// The running epoch's shuffle.
  private var order: (epoch: Int, faces: [Int])?

  /// Loads the data, builds the network, and restores the last checkpoint where the run has one.
  ///
  /// - Throws: ``MienError`` where the data do not fit the recipe, or the checkpoint is damaged or of other data.
  public init(run: RunFolder, sets: [FaceSet], observers: [any TrainingObserver]) throws {
    self.run = run
    recipe = run.recipe
    data = try TrainingData(sets, recipe: recipe)
    trainStep = try TrainingStep(recipe, classCounts: data.classCounts)
    self.observers = observers
    progress.data = data.origins
    if FileManager.default.fileExists(atPath: run.lastCheckpoint.path) {
      let (file, restored) = try Checkpoint.read(run.lastCheckpoint)
      guard restored.data == progress.data else {
        throw MienError(.mismatch, run.url.path, "the run was trained on other data than --data names")
      }
      do {
        for (prefix, tensors) in trainStep.state { try Checkpoint.restore(tensors, prefix: prefix, from: file) }
      } catch let error as MienError { throw error.about(run.lastCheckpoint.path) }
      progress = restored
    }
    plan = TrainingPlan(
      name: recipe.name, folder: run.url.path, parameterCount: try trainStep.network.parameterCount,
      trainCount: data.train.count, validationCount: data.validation.count,
      stepsPerEpoch: max(1, data.train.count / recipe.batchSize), epochs: recipe.epochs, batchSize: recipe.batchSize,
      firstStep: progress.step)
  }

  /// Trains to the end, or until `shouldStop`, which is asked after each step; then the run can be resumed.
  ///
  /// - Throws: ``MienError`` where the loss is no number any more; the last checkpoint stays.
  public func run(shouldStop: () -> Bool) throws {
    for observer in observers { try observer.started(plan) }
    var clock = ContinuousClock.now
    var saved = clock
    while progress.step < plan.steps {
      let rate = learningRate(at: progress.step)
      let loss = try step(progress.step, learningRate: rate)
      guard loss.isFinite else {
        throw MienError(
          .argument, run.url.path,
          "the loss is \(loss) at step \(progress.step); the last checkpoint is kept. "
            + "Try a lower optimizer.learningRate")
      }
      progress.add(loss)
      for observer in observers {
        try observer.stepped(.init(step: progress.step, loss: progress.meanLoss, learningRate: rate))
      }
      let isEpochEnd = progress.step % plan.stepsPerEpoch == 0
      progress.seconds += seconds(since: &clock)
      if isEpochEnd { try finishEpoch(learningRate: rate) }
      let stopping = shouldStop()
      if isEpochEnd || stopping || clock - saved > .seconds(recipe.checkpointEverySeconds) {
        progress.seconds += seconds(since: &clock)
        try Checkpoint.write(trainStep.state, progress: progress, to: run.lastCheckpoint)
        saved = clock
      }
      if stopping {
        for observer in observers { try observer.stopped(plan, step: progress.step) }
        return
      }
    }
    for observer in observers { try observer.finished(plan, best: progress.best) }
  }

  private func step(_ step: Int, learningRate: Double) throws -> Float {
    let batch = batch(step)
    let indices = try Tensor(indices: batch)
    var random = SeededRandom(seed: recipe.seed, stream: 1 << 40 | UInt64(step))
    let faces = try recipe.augmentation.apply(data.faces(indices), random: &random)
    let targets = try data.targets.map { try $0.values.rows(indices) }
    let mixed = try recipe.augmentation.mix(faces, targets: targets, random: &random)
    return try trainStep(
      mixed.faces, targets: mixed.targets, learningRate: learningRate, step: step, seed: random.next())
  }

  private func learningRate(at step: Int) -> Double {
    let epoch = Double(step + 1) / Double(plan.stepsPerEpoch)
    return recipe.optimizer.learningRate * recipe.learningRate.factor(epoch: epoch, scores: progress.scores)
  }

  /// The faces of a step: a slice of the epoch's shuffle.
  private func batch(_ step: Int) -> ArraySlice<Int> {
    let (epoch, index) = step.quotientAndRemainder(dividingBy: plan.stepsPerEpoch)
    if epoch != order?.epoch {
      var random = SeededRandom(seed: recipe.seed, stream: 1 << 32 | UInt64(epoch))
      order = (epoch, data.train.shuffled(using: &random))
    }
    return order?.faces.dropFirst(index * recipe.batchSize).prefix(recipe.batchSize) ?? []
  }

  private func finishEpoch(learningRate: Double) throws {
    let measured = recipe.averageDecay > 0 ? "average" : "weights"
    let network = recipe.averageDecay > 0 ? trainStep.average : trainStep.network
    let result = EpochResult(
      epoch: progress.step / plan.stepsPerEpoch, step: progress.step, learningRate: learningRate,
      trainingLoss: progress.meanLoss, heads: try Validation.measure(network, data: data, batchSize: 256),
      seconds: progress.seconds)
    progress.startEpoch()
    progress.scores.append(result.score)
    let isBest = result.score > progress.best?.score ?? -.infinity
    if isBest {
      progress.best = result
      try Checkpoint.write(
        ["average": trainStep.state[measured, default: []]], progress: progress, to: run.bestCheckpoint)
    }
    for observer in observers { try observer.finishedEpoch(result, isBest: isBest) }
  }

  private func seconds(since clock: inout ContinuousClock.Instant) -> Double {
    let now = ContinuousClock.now
    defer { clock = now }
    return (now - clock) / .seconds(1)
  }
}
