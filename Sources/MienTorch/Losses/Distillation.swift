import MienCore

/// What a network has yet to learn from a teacher's opinion (Hinton, Vinyals and Dean 2015):
/// `T^2 * cross-entropy(softmax(teacher / T), softmax(student / T))`, the mean over faces.
@TorchActor public struct Distillation {
  /// Divides the logits of both; above 1 it shows more of the teacher's doubts.
  public let temperature: Float

  /// A loss at `temperature`, above 0.
  public init(temperature: Float) { self.temperature = temperature }

  /// A teacher's opinion, `[N, K]`, from its logits `[N, K]`.
  public func opinion(logits: Tensor) throws -> Tensor { try logits.detached().scaled(by: 1 / temperature).softmax(1) }

  /// The loss, a scalar, in nats.
  ///
  /// - Parameters:
  ///   - logits: the student's, `[N, K]`.
  ///   - opinion: `[N, K]`, each row a distribution.
  public func callAsFunction(logits: Tensor, opinion: Tensor) throws -> Tensor {
    try CrossEntropy()(logits: logits.scaled(by: 1 / temperature), targets: opinion)
      .scaled(by: temperature * temperature)
  }
}
