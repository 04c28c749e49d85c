import CTorch

/// Adam (Kingma and Ba 2015), and AdamW where weight decay is decoupled (Loshchilov and Hutter 2019):
/// `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;`
/// `p -= learningRate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)`.
///
/// Adam adds `weightDecay * p` to `g`; AdamW takes `learningRate * weightDecay * p` from `p` instead.
@TorchActor public final class Adam: Optimizer {
  private let groups: ParameterGroups
  private let firstMoments: [Tensor]
  private let secondMoments: [Tensor]
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let weightDecay: Double
  private let isDecoupled: Bool

  /// An optimiser with zero moments.
  ///
  /// - Parameters:
  ///   - parameters: what is trained; decay applies where ``Parameter/decays``.
  ///   - beta1: decay of the mean of gradients, 0..<1.
  ///   - beta2: decay of the mean of their squares, 0..<1.
  ///   - epsilon: added to the root, above 0.
  ///   - weightDecay: at least 0.
  ///   - isDecoupled: true for AdamW.
  public init(
    _ parameters: [Parameter], beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0, isDecoupled: Bool = false
  ) throws {
    groups = ParameterGroups(parameters)
    firstMoments = try groups.zeros()
    secondMoments = try groups.zeros()
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.isDecoupled = isDecoupled
  }

  /// The moments.
  public var state: [(name: String, tensors: [Tensor])] {
    [("first_moment", firstMoments), ("second_moment", secondMoments)]
  }

  /// Moves every parameter that has a gradient.
  public func step(_ step: Int, learningRate: Double) throws {
    try groups.forEach(decay: weightDecay, states: [firstMoments, secondMoments]) { parameters, states, count, decay in
      try Tensor.check {
        mien_torch_adam_step(
          parameters, states[0], states[1], count, Int64(step), learningRate, beta1, beta2, epsilon, decay,
          isDecoupled ? 1 : 0, $0)
      }
    }
  }
}
