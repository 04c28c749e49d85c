import CTorch

/// Stochastic gradient descent with momentum, Nesterov's variant (Sutskever et al. 2013) and weight decay (L2):
/// `g += weightDecay * p; v = momentum * v + g; p -= learningRate * (nesterov ? g + momentum * v : v)`.
@TorchActor public final class SGD {
  /// One velocity a parameter, in the same order.
  public let velocities: [Tensor]
  private let decaying: [(parameter: Tensor, velocity: Tensor)]
  private let plain: [(parameter: Tensor, velocity: Tensor)]
  private let momentum: Double
  private let weightDecay: Double
  private let nesterov: Bool

  /// An optimiser with zero velocities.
  ///
  /// - Parameters:
  ///   - parameters: what is trained; decay applies where ``Parameter/decays``.
  ///   - momentum: 0..<1.
  ///   - weightDecay: L2 coefficient, at least 0.
  public init(_ parameters: [Parameter], momentum: Double, weightDecay: Double, nesterov: Bool) throws {
    velocities = try parameters.map { try $0.value.detached().scaled(by: 0) }
    let pairs = zip(parameters, velocities).map { (decays: $0.decays, parameter: $0.value, velocity: $1) }
    decaying = pairs.filter(\.decays).map { ($0.parameter, $0.velocity) }
    plain = pairs.filter { !$0.decays }.map { ($0.parameter, $0.velocity) }
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
  }

  /// Moves every parameter that has a gradient.
  public func step(learningRate: Double) throws {
    for (group, decay) in [(decaying, weightDecay), (plain, 0)] where !group.isEmpty {
      try Tensor.withHandles(group.map(\.parameter)) { parameters, count in
        try Tensor.withHandles(group.map(\.velocity)) { velocities, _ in
          try Tensor.check {
            mien_torch_sgd_step(
              parameters, velocities, count, learningRate, momentum, decay, nesterov ? 1 : 0, $0)
          }
        }
      }
    }
  }
}
