/// Cross-entropy between logits and targets, hard or soft, with label smoothing (Szegedy et al. 2016), a weight a class
/// and the focal factor (Lin et al. 2017).
///
/// With targets `t` [N, K], whose rows sum to how much a face counts (1, or 0 where it has no target), logits `x` and
/// `p = softmax(x)`, and after smoothing and class weights have changed `t`:
/// `loss = -sum(t * (1 - p)^gamma * log p) / sum(t)`.
@TorchActor public struct CrossEntropy {
  /// Share of each target spread evenly over all classes, 0..<1.
  public let labelSmoothing: Float
  /// Exponent that plays down what is right already; 0 for none.
  public let focalGamma: Double
  /// A factor a class, `[1, K]`, where there are any.
  private let classWeights: Tensor?

  /// A loss.
  ///
  /// - Parameters:
  ///   - labelSmoothing: 0..<1.
  ///   - focalGamma: at least 0.
  ///   - classWeights: one a class, or none.
  public init(labelSmoothing: Float = 0, focalGamma: Double = 0, classWeights: [Float] = []) throws {
    self.labelSmoothing = labelSmoothing
    self.focalGamma = focalGamma
    self.classWeights = classWeights.isEmpty ? nil : try Tensor(classWeights, shape: [1, classWeights.count])
  }

  /// The mean loss of a batch, a scalar, in nats; 0 where no face has a target.
  ///
  /// - Parameters:
  ///   - logits: `[N, K]`.
  ///   - targets: `[N, K]`, not negative; a row of zeros does not count.
  public func callAsFunction(logits: Tensor, targets: Tensor) throws -> Tensor {
    var targets = try weighted(targets)
    let logarithms = try logits.logSoftmax(1)
    let count = try targets.sum().clamped(to: .leastNormalMagnitude...(.greatestFiniteMagnitude))
    if focalGamma > 0 {
      let missing = try logarithms.exponential().scaled(by: -1, offset: 1).clamped(to: 1e-12...1)
      targets = try targets.multiplied(by: missing.power(focalGamma))
    }
    return try targets.multiplied(by: logarithms).sum().scaled(by: -1).divided(by: count)
  }

  /// What the mean loss of a batch is divided by: how much its faces count together, after smoothing and class weights.
  public func weight(of targets: Tensor) throws -> Float { try weighted(targets).sum().scalar() }

  private func weighted(_ targets: Tensor) throws -> Tensor {
    var targets = targets
    if labelSmoothing > 0 {
      let counts = try targets.sum(1).reshaped([-1, 1]).scaled(by: labelSmoothing / Float(try targets.shape[1]))
      targets = try targets.scaled(by: 1 - labelSmoothing).adding(counts)
    }
    return try classWeights.map { try targets.multiplied(by: $0) } ?? targets
  }

  /// Weights that make every class count alike, `N / (K * count)`, where `counts` says how many faces each has; a class
  /// without faces gets 0.
  public nonisolated static func balancedWeights(counts: [Float]) -> [Float] {
    let total: Float = counts.reduce(0, +)
    return counts.map { $0 > 0 ? total / (Float(counts.count) * $0) : 0 }
  }
}
