import MienCore
import MienModels
import MienTorch

/// The network of a run, its optimiser and its moving average, and the one step that changes them.
@TorchActor final class TrainingStep {
  let network: FaceNetwork
  /// What is measured and kept: the moving average of the network's weights and statistics, or the network itself where
  /// the recipe averages nothing.
  let average: FaceNetwork
  private let recipe: Recipe
  private let optimizer: any Optimizer
  /// One a head.
  private let losses: [CrossEntropy]
  private let teachers: Teachers?
  private let parameters: [Tensor]
  /// The processes that train together, if there are several.
  private let group: ProcessGroup?
  /// The statistics of batch norms that training changes.
  private let statistics: [Tensor]
  /// The parameters with a penalty of their own, and its gradient's factor.
  private let penalized: [(value: Tensor, scale: Double)]
  /// Everything that a checkpoint must hold, by prefix and property path.
  let state: [String: [(name: String, value: Tensor)]]

  /// Fresh weights of the recipe's seed.
  ///
  /// - Parameters:
  ///   - classCounts: how many training faces each class of each head has, for balanced class weights.
  ///   - group: the processes that train together; `nil` for this one alone.
  init(_ recipe: Recipe, classCounts: [[Float]], group: ProcessGroup? = nil) throws {
    self.recipe = recipe
    self.group = group
    network = try recipe.network()
    average = recipe.averageDecay > 0 ? try recipe.network() : network
    let loss = recipe.loss
    losses = try classCounts.map { counts in
      try CrossEntropy(
        labelSmoothing: Float(loss.labelSmoothing), focalGamma: loss.focalGamma,
        classWeights: loss.classWeights == .balanced ? CrossEntropy.balancedWeights(counts: counts) : [])
    }
    teachers = try recipe.teachers.runs.isEmpty ? nil : Teachers(recipe)
    let trained = network.parameters
    optimizer = try recipe.optimizer.make(trained)
    parameters = trained.map(\.value)
    penalized = trained.filter { $0.l2 > 0 }.map { ($0.value, 2 * $0.l2) }
    let frozen = (0..<recipe.freeze).map { "trunk.layers.\($0)." }
    statistics = Parameters.state(of: network).compactMap { name, item in
      guard case .buffer(let buffer) = item, !frozen.contains(where: name.hasPrefix) else { return nil }
      return buffer.value
    }
    let names = Parameters.state(of: network).compactMap { if case .parameter = $0.item { $0.name } else { nil } }
    var state = ["weights": network.state]
    if recipe.averageDecay > 0 { state["average"] = average.state }
    for (name, tensors) in optimizer.state { state[name] = zip(names, tensors).map { (name: $0, value: $1) } }
    self.state = state
  }

  /// Forward, backward, clip, move, average. With a group, each process gives its share of the batch, and all end with the
  /// same weights.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]` in 0…1.
  ///   - targets: `[N, K]` a head; a row of zeros does not count.
  ///   - step: how many steps were done before; early on the average forgets faster.
  ///   - seed: of dropout.
  /// - Returns: the whole batch's loss, and for each head how many faces count and how many of them it named right, before
  ///   the step.
  func callAsFunction(
    _ faces: Tensor, targets: [Tensor], learningRate: Double, step: Int, seed: UInt64
  ) throws -> (loss: Float, heads: [(counted: Int, right: Int)]) {
    let logits = try Torch.withAutocast {
      try network.logits(faces, .training(seed: seed), frozen: recipe.freeze)
    }.map { try $0.cast(to: .f32) }
    let opinions = try teachers?.opinions(of: faces)
    let shares = try shares(of: targets)
    var total: Tensor?
    for (head, recipeHead) in recipe.heads.enumerated() {
      var term = try losses[head](logits: logits[head], targets: targets[head])
      if let shares { term = try term.scaled(by: shares[head]) }
      if let teachers, let opinion = opinions?[head] {
        term = try teachers.blend(term, logits: logits[head], opinion: opinion)
      }
      term = try term.scaled(by: Float(recipeHead.weight))
      total = try total?.adding(term) ?? term
    }
    guard let total else { throw MienError(.argument, "heads", "a recipe needs at least one") }
    try Tensor.clearGradientsInPlace(parameters)
    try total.backward()
    try group?.averageInPlace(gradientsOf: parameters, values: statistics)
    if !penalized.isEmpty { try Tensor.addToGradientsInPlace(penalized.map(\.value), scales: penalized.map(\.scale)) }
    if recipe.optimizer.gradientClip > 0 {
      try Tensor.clipGradientsInPlace(parameters, maximumNorm: recipe.optimizer.gradientClip)
    }
    try optimizer.step(step + 1, learningRate: learningRate)
    if recipe.averageDecay > 0 {
      let decay = min(recipe.averageDecay, Double(1 + step) / Double(10 + step))
      try Tensor.interpolateInPlace(
        state["average", default: []].map(\.value), towards: state["weights", default: []].map(\.value),
        weight: 1 - decay)
    }
    return try joined(Tensor.tally(loss: total, logits: logits, targets: targets))
  }

  /// For each head, the factor that makes the mean of the processes' losses the loss of the whole batch, in which every
  /// face with a target counts alike; `nil` for a process that trains alone.
  private func shares(of targets: [Tensor]) throws -> [Float]? {
    guard let group else { return nil }
    let own = try zip(losses, targets).map { loss, targets in Double(try loss.weight(of: targets)) }
    let sums = try group.sums(own)
    let count = Double(group.place.size)
    return zip(own, sums).map { own, sum -> Float in sum > 0 ? Float(own / sum * count) : 0 }
  }

  /// What a step came to in all processes.
  private func joined(
    _ own: (loss: Float, heads: [(counted: Int, right: Int)])
  ) throws -> (loss: Float, heads: [(counted: Int, right: Int)]) {
    guard let group else { return own }
    let counts = own.heads.flatMap { [Double($0.counted), Double($0.right)] }
    let sums = try group.sums([Double(own.loss)] + counts)
    let heads = own.heads.indices.map { (counted: Int(sums[1 + 2 * $0]), right: Int(sums[2 + 2 * $0])) }
    return (Float(sums[0] / Double(group.place.size)), heads)
  }
}

extension Recipe.Optimizer {
  /// The optimiser of `parameters`.
  @TorchActor fileprivate func make(_ parameters: [Parameter]) throws -> any Optimizer {
    switch name {
    case .sgd: try SGD(parameters, momentum: momentum, weightDecay: weightDecay, nesterov: nesterov)
    case .adam, .adamw:
      try Adam(
        parameters, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, isDecoupled: name == .adamw)
    case .rmsprop:
      try RMSprop(parameters, rho: rho, momentum: momentum, epsilon: epsilon, weightDecay: weightDecay)
    }
  }
}
