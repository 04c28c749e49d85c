import MienCore
import MienModels
import MienTorch

/// The network of a run, its optimiser and its moving average, and the one step that changes them.
@TorchActor final class TrainingStep {
  /// One head's share of a batch.
  struct Target {
    /// `[N, K]`, each row a distribution.
    let values: Tensor
    /// One factor a face; 0 where it has no target.
    let weights: [Float]
  }

  let network: FaceNetwork
  /// The moving average of the network's weights and statistics.
  let average: FaceNetwork
  private let recipe: Recipe
  private let optimizer: SGD
  private let loss: CrossEntropy
  private let parameters: [Tensor]
  /// Everything that a checkpoint must hold, by prefix and property path.
  let state: [String: [(name: String, value: Tensor)]]

  init(_ recipe: Recipe) throws {
    self.recipe = recipe
    network = try recipe.network()
    average = try recipe.network()
    loss = CrossEntropy(labelSmoothing: recipe.labelSmoothing)
    let trained = network.parameters
    optimizer = try SGD(
      trained, momentum: recipe.optimizer.momentum, weightDecay: recipe.optimizer.weightDecay,
      nesterov: recipe.optimizer.nesterov)
    parameters = trained.map(\.value)
    let names = Parameters.state(of: network).compactMap { if case .parameter = $0.item { $0.name } else { nil } }
    state = [
      "weights": network.state, "average": average.state,
      "velocity": zip(names, optimizer.velocities).map { (name: $0, value: $1) },
    ]
  }

  /// Forward, backward, clip, move, average.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]` in 0…1.
  ///   - targets: one a head.
  ///   - step: how many steps were done before; early on the average forgets faster.
  ///   - seed: of dropout.
  /// - Returns: the batch's loss.
  func callAsFunction(
    _ faces: Tensor, targets: [Target], learningRate: Double, step: Int, seed: UInt64
  ) throws -> Float {
    let logits = try network.logits(faces, .training(seed: seed))
    var total: Tensor?
    for (head, (logits, target)) in zip(recipe.heads, zip(logits, targets)) {
      let weights = try Tensor(target.weights, shape: [target.weights.count])
      let term = try loss(
        logits: logits, targets: target.values, weights: weights, normalizer: max(1, target.weights.reduce(0, +))
      ).scaled(by: head.weight)
      total = try total?.adding(term) ?? term
    }
    guard let total else { throw MienError(.argument, "heads", "a recipe needs at least one") }
    try Tensor.clearGradientsInPlace(parameters)
    try total.backward()
    if recipe.optimizer.gradientClip > 0 {
      try Tensor.clipGradientsInPlace(parameters, maximumNorm: recipe.optimizer.gradientClip)
    }
    try optimizer.step(learningRate: learningRate)
    let decay = min(recipe.averageDecay, Double(1 + step) / Double(10 + step))
    try Tensor.interpolateInPlace(
      state["average", default: []].map(\.value), towards: state["weights", default: []].map(\.value),
      weight: 1 - decay)
    return try total.detached().scalar()
  }
}
