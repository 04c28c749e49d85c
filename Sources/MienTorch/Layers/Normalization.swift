import CTorch

/// Batch normalisation over channels of `[N, C, …]` (Ioffe and Szegedy 2015).
@TorchActor public final class BatchNorm: Layer {
  /// Scale, `[C]`.
  public let weight: Parameter
  /// Offset, `[C]`.
  public let bias: Parameter
  /// Running mean, `[C]`.
  public let runningMean: Buffer
  /// Running variance, `[C]`.
  public let runningVariance: Buffer
  /// Share of a new batch in the running statistics, 0…1.
  public let momentum: Double
  /// Added to the variance.
  public let epsilon: Double

  /// Normalises `channels` channels; the scale starts at `scale`.
  public init(_ channels: Int, scale: Float = 1, momentum: Double = 0.1, epsilon: Double = 1e-5) throws {
    weight = try Parameter(.full([channels], scale), decays: false)
    bias = try Parameter(.full([channels], 0), decays: false)
    runningMean = Buffer(try .full([channels], 0))
    runningVariance = Buffer(try .full([channels], 1))
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// Normalises `[N, C, …]`: by the batch while training, by the running statistics after.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try pass.observer?(weight, input)
    return try Tensor.make {
      mien_torch_batch_norm(
        input.handle, weight.value.handle, bias.value.handle, runningMean.value.handle, runningVariance.value.handle,
        pass.isTraining ? 1 : 0, momentum, epsilon, $0, $1)
    }
  }
}
