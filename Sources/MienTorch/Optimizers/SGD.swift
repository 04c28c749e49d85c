import CTorch

/// Stochastic gradient descent with momentum, Nesterov's variant (Sutskever et al. 2013) and weight decay (L2):
/// `g += weightDecay * p; v = momentum * v + g; p -= learningRate * (nesterov ? g + momentum * v : v)`.
@TorchActor public final class SGD: Optimizer {
  private let groups: ParameterGroups
  private let velocities: [Tensor]
  private let momentum: Double
  private let weightDecay: Double
  private let nesterov: Bool

  /// An optimiser with zero velocities.
  ///
  /// - Parameters:
  ///   - parameters: what is trained; decay applies where ``Parameter/decays``.
  ///   - momentum: 0..<1.
  ///   - weightDecay: L2 coefficient, at least 0.
  ///   - nesterov: whether the gradient is taken where the velocity leads; needs a momentum above 0.
  public init(_ parameters: [Parameter], momentum: Double, weightDecay: Double, nesterov: Bool) throws {
    groups = ParameterGroups(parameters)
    velocities = try groups.zeros()
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov && momentum > 0
  }

  /// The velocities.
  public var state: [(name: String, tensors: [Tensor])] { [("velocity", velocities)] }

  /// Moves every parameter that has a gradient.
  public func step(_ step: Int, learningRate: Double) throws {
    try groups.forEach(decay: weightDecay, states: [velocities]) { parameters, states, count, decay in
      try Tensor.check {
        mien_torch_sgd_step(parameters, states[0], count, learningRate, momentum, decay, nesterov ? 1 : 0, $0)
      }
    }
  }
}
