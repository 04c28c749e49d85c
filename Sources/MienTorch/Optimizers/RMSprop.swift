import CTorch

/// RMSprop (Tieleman and Hinton 2012), with momentum (Graves 2013) where asked for:
/// `g += weightDecay * p; s = rho * s + (1 - rho) * g^2; v = momentum * v + g / (sqrt(s) + epsilon); p -= learningRate * v`.
@TorchActor public final class RMSprop: Optimizer {
  private let groups: ParameterGroups
  private let squares: [Tensor]
  private let velocities: [Tensor]
  private let rho: Double
  private let momentum: Double
  private let epsilon: Double
  private let weightDecay: Double

  /// An optimiser with zero state.
  ///
  /// - Parameters:
  ///   - parameters: what is trained; decay applies where ``Parameter/decays``.
  ///   - rho: decay of the mean of squared gradients, 0..<1.
  ///   - momentum: 0..<1.
  ///   - epsilon: added to the root, above 0.
  ///   - weightDecay: L2 coefficient, at least 0.
  public init(
    _ parameters: [Parameter], rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7, weightDecay: Double = 0
  ) throws {
    groups = ParameterGroups(parameters)
    squares = try groups.zeros()
    velocities = momentum > 0 ? try groups.zeros() : []
    self.rho = rho
    self.momentum = momentum
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The mean squares and, with momentum, the velocities.
  public var state: [(name: String, tensors: [Tensor])] {
    [("square", squares)] + (velocities.isEmpty ? [] : [("velocity", velocities)])
  }

  /// Moves every parameter that has a gradient.
  public func step(_ step: Int, learningRate: Double) throws {
    let states = velocities.isEmpty ? [squares] : [squares, velocities]
    try groups.forEach(decay: weightDecay, states: states) { parameters, states, count, decay in
      try Tensor.check {
        mien_torch_rmsprop_step(
          parameters, states[0], states.dropFirst().first, count, learningRate, rho, momentum, epsilon, decay, $0)
      }
    }
  }
}
