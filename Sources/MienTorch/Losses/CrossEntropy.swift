/// Cross-entropy between logits and target distributions, hard (one-hot) or soft, with label smoothing
/// (Szegedy et al. 2016) and a weight a row.
@TorchActor public struct CrossEntropy {
  /// Share of each target spread evenly over all classes, 0..<1.
  public let labelSmoothing: Float

  /// A loss with `labelSmoothing`.
  public init(labelSmoothing: Float = 0) { self.labelSmoothing = labelSmoothing }

  /// The loss of each row, `[N]`, in nats.
  ///
  /// - Parameters:
  ///   - logits: `[N, K]`.
  ///   - targets: `[N, K]`, each row a distribution.
  public func perRow(logits: Tensor, targets: Tensor) throws -> Tensor {
    var targets = targets
    if labelSmoothing > 0 {
      let classes = Float(try targets.shape[1])
      targets = try targets.scaled(by: 1 - labelSmoothing, offset: labelSmoothing / classes)
    }
    return try logits.logSoftmax(1).multiplied(by: targets).sum(1).scaled(by: -1)
  }

  /// The mean loss over rows, each counted `weights` times, divided by `normalizer`.
  ///
  /// - Parameters:
  ///   - logits: `[N, K]`.
  ///   - targets: `[N, K]`, each row a distribution.
  ///   - weights: `[N]`; 0 leaves a row out.
  ///   - normalizer: usually the sum of the weights, at least 1.
  /// - Returns: a scalar, in nats.
  public func callAsFunction(
    logits: Tensor, targets: Tensor, weights: Tensor, normalizer: Float
  ) throws -> Tensor {
    try perRow(logits: logits, targets: targets).multiplied(by: weights).sum().scaled(by: 1 / normalizer)
  }
}
