import CTorch
public import MienCore

/// Fully connected layer: `[N, in]` to `[N, out]`.
@TorchActor public final class Linear: Layer {
  /// `[out, in]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter

  /// A layer with normal weights of variance `2 / (in + out)` (Glorot and Bengio 2010) and zero bias.
  ///
  /// - Parameter l2: ``Parameter/l2`` of the weights.
  /// - Throws: ``MienError`` where a size is not positive, or there were more than 2^28 weights.
  public init(_ input: Int, _ output: Int, l2: Double = 0, random: inout SeededRandom) throws {
    let (count, overflows) = input.multipliedReportingOverflow(by: output)
    guard min(input, output) > 0, !overflows, count <= LayerLimits.weights else {
      throw MienError(
        .argument, "Linear", "sizes must be positive, and there may be 2^28 weights; found \(input) to \(output)")
    }
    let deviation = (2 / Float(input + output)).squareRoot()
    weight = try Parameter(
      Tensor(random.normal(count: count, standardDeviation: deviation), shape: [output, input]),
      decays: true, l2: l2)
    bias = try Parameter(.full([output], 0), decays: false)
  }

  /// Maps `[N, in]` to `[N, out]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try pass.observer?(weight, input)
    return try Tensor.make {
      mien_torch_linear(input.handle, weight.value.handle, bias.value.handle, $0, $1)
    }
  }
}

/// Sets each element to zero with a probability while training and divides the rest by its complement
/// (Srivastava et al. 2014); does nothing else. Any shape.
@TorchActor public final class Dropout: Layer {
  /// The probability, 0..<1.
  public let probability: Double

  /// Drops with `probability`.
  public init(_ probability: Double) { self.probability = probability }

  /// Drops while training.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    guard pass.isTraining, probability > 0 else { return input }
    let seed = pass.random.next()
    return try Tensor.make { mien_torch_dropout(input.handle, probability, seed, $0, $1) }
  }
}

/// `[N, …]` to `[N, product]`.
@TorchActor public final class Flatten: Layer {
  /// Flattens all but the first dimension.
  public init() {}

  /// Flattens to `[N, product]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try input.reshaped([try input.shape[0], -1])
  }
}
