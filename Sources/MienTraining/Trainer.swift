import Foundation
public import MienCore
import MienModels
public import MienTorch

/// Trains one run. All randomness is a function of the recipe's seed and the step, so a resumed run goes on exactly as
/// an uninterrupted one.
@TorchActor public final class Trainer {
  private let run: RunFolder
  private let recipe: Recipe
  private let data: TrainingData
  private let network: FaceNetwork
  private let average: FaceNetwork
  private let optimizer: SGD
  private let parameters: [Tensor]
  private let loss: CrossEntropy
  private let observers: [any TrainingObserver]
  private var progress = Progress()
  private let stepsPerEpoch: Int

  /// Loads the data, builds the network, and restores the last checkpoint where the run has one.
  public init(run: RunFolder, sets: [FaceSet], observers: [any TrainingObserver]) throws {
    self.run = run
    recipe = run.recipe
    data = try TrainingData(sets, recipe: recipe)
    network = try recipe.network()
    average = try recipe.network()
    parameters = network.parameters.map(\.value)
    optimizer = try SGD(
      network.parameters, momentum: recipe.optimizer.momentum, weightDecay: recipe.optimizer.weightDecay,
      nesterov: recipe.optimizer.nesterov)
    loss = CrossEntropy(labelSmoothing: recipe.labelSmoothing)
    self.observers = observers
    stepsPerEpoch = max(1, data.train.count / recipe.batchSize)
    progress.data = data.origins
    if FileManager.default.fileExists(atPath: run.lastCheckpoint.path) { try restore() }
  }

  /// Trains to the end, or until `shouldStop`, which is asked after each step; then the run can be resumed.
  ///
  /// - Throws: ``MienError`` where the loss is no number any more; the last checkpoint stays.
  public func run(shouldStop: () -> Bool) throws {
    let totalSteps = stepsPerEpoch * recipe.epochs
    let plan = TrainingPlan(
      name: recipe.name, folder: run.url.path, parameterCount: try network.parameterCount, trainCount: data.train.count,
      validationCount: data.validation.count, stepsPerEpoch: stepsPerEpoch, epochs: recipe.epochs,
      batchSize: recipe.batchSize, firstStep: progress.step)
    for observer in observers { try observer.started(plan) }

    var clock = ContinuousClock.now
    var saved = clock
    while progress.step < totalSteps {
      let loss = try step(progress.step)
      let rate = learningRate(at: progress.step)
      guard loss.isFinite else {
        throw MienError(
          .argument, run.url.path, "the loss is \(loss) at step \(progress.step); the last checkpoint is kept. "
            + "Try a lower optimizer.learningRate")
      }
      progress.step += 1
      progress.lossSum += Double(loss)
      progress.lossSteps += 1
      progress.seconds += seconds(since: &clock)
      for observer in observers {
        try observer.stepped(.init(step: progress.step, loss: progress.lossSum / Double(progress.lossSteps), learningRate: rate))
      }
      if progress.step % stepsPerEpoch == 0 {
        try finishEpoch(learningRate: rate)
        progress.seconds += seconds(since: &clock)
        try save()
        saved = clock
      } else if clock - saved > .seconds(recipe.checkpointEverySeconds) || shouldStop() {
        try save()
        saved = clock
      }
      if shouldStop() {
        for observer in observers { try observer.stopped(plan, step: progress.step) }
        return
      }
    }
    for observer in observers { try observer.finished(plan, best: progress.best) }
  }

  /// Forward, backward, clip, move, average; returns the batch's loss.
  private func step(_ step: Int) throws -> Float {
    let batch = batch(step)
    let indices = try Tensor(indices: batch)
    var random = SeededRandom(seed: recipe.seed, stream: 1 << 40 | UInt64(step))
    let faces = try recipe.augmentation.apply(data.faces(indices), random: &random)
    let logits = try network.logits(faces, .training(seed: random.next()))
    var total: Tensor?
    for (head, (logits, targets)) in zip(recipe.heads, zip(logits, data.targets)) {
      let weights = batch.map { targets.weights[$0] }
      let term = try loss(
        logits: logits, targets: targets.values.rows(indices), weights: Tensor(weights, shape: [batch.count]),
        normalizer: max(1, weights.reduce(0, +))
      ).scaled(by: head.weight)
      total = try total?.adding(term) ?? term
    }
    guard let total else { throw MienError(.argument, "heads", "a recipe needs at least one") }
    try Tensor.clearGradientsInPlace(parameters)
    try total.backward()
    if recipe.optimizer.gradientClip > 0 {
      try Tensor.clipGradientsInPlace(parameters, maximumNorm: recipe.optimizer.gradientClip)
    }
    try optimizer.step(learningRate: learningRate(at: step))
    try updateAverage(step)
    return try total.detached().scalar()
  }

  private func learningRate(at step: Int) -> Double {
    recipe.optimizer.learningRate
      * recipe.learningRate.factor(progress: Double(step + 1) / Double(stepsPerEpoch * recipe.epochs))
  }

  /// The faces of a step: slices of one shuffle an epoch.
  private func batch(_ step: Int) -> [Int] {
    let (epoch, index) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    if epoch != order?.epoch {
      var random = SeededRandom(seed: recipe.seed, stream: 1 << 32 | UInt64(epoch))
      order = (epoch, data.train.shuffled(using: &random))
    }
    guard let faces = order?.faces else { return [] }
    return Array(faces[(index * recipe.batchSize)..<min(faces.count, (index + 1) * recipe.batchSize)])
  }
  private var order: (epoch: Int, faces: [Int])?

  /// Moves the averaged weights towards the current ones; early on the decay is lower so that the start is forgotten.
  private func updateAverage(_ step: Int) throws {
    let decay = min(recipe.averageDecay, Double(1 + step) / Double(10 + step))
    try Tensor.interpolateInPlace(
      average.state.map(\.value), towards: network.state.map(\.value), weight: 1 - decay)
  }

  private func finishEpoch(learningRate: Double) throws {
    let measured = recipe.averageDecay > 0 ? average : network
    let result = EpochResult(
      epoch: progress.step / stepsPerEpoch, step: progress.step, learningRate: learningRate,
      trainingLoss: progress.lossSum / Double(max(1, progress.lossSteps)),
      heads: try Validation.measure(measured, data: data, batchSize: 256), seconds: progress.seconds)
    (progress.lossSum, progress.lossSteps) = (0, 0)
    if result.score > progress.best?.score ?? -.infinity {
      progress.best = result
      try Checkpoint.write(["average": measured.state], progress: progress, to: run.bestCheckpoint)
    }
    for observer in observers { try observer.finishedEpoch(result, isBest: progress.best == result) }
  }

  private func save() throws {
    let names = Parameters.state(of: network).filter { if case .parameter = $0.item { true } else { false } }.map(\.name)
    try Checkpoint.write(
      [
        "weights": network.state, "average": average.state,
        "velocity": zip(names, optimizer.velocities).map { ($0, $1) },
      ], progress: progress, to: run.lastCheckpoint)
  }

  private func restore() throws {
    let (file, restored) = try Checkpoint.read(run.lastCheckpoint)
    guard restored.data == progress.data else {
      throw MienError(.mismatch, run.url.path, "the run was trained on other data than --data names")
    }
    let names = Parameters.state(of: network).filter { if case .parameter = $0.item { true } else { false } }.map(\.name)
    do {
      try Checkpoint.restore(network.state, prefix: "weights", from: file)
      try Checkpoint.restore(average.state, prefix: "average", from: file)
      try Checkpoint.restore(zip(names, optimizer.velocities).map { ($0, $1) }, prefix: "velocity", from: file)
    } catch let error as MienError {
      throw error.about(run.lastCheckpoint.path)
    }
    progress = restored
  }

  private func seconds(since clock: inout ContinuousClock.Instant) -> Double {
    let now = ContinuousClock.now
    defer { clock = now }
    return (now - clock) / .seconds(1)
  }
}
