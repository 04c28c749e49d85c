import CTorch

/// Activation functions by the names that an architecture's options use.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// ``ReLU``.
  case relu
  /// ``LeakyReLU`` of slope 0.01.
  case leakyReLU
  /// ``ParametricReLU``.
  case parametricReLU
  /// ``SiLU``.
  case silu
  /// ``GELU``.
  case gelu

  /// Whether the function never falls as its input rises, whatever its parameters: then it may change places with a
  /// maximum.
  public var isNonDecreasing: Bool { self == .relu || self == .leakyReLU }

  /// The function as a layer for `channels` channels: of maps [N, C, H, W], or of vectors [N, C].
  ///
  /// It may overwrite its input, so it must stand after an operation whose gradient does not need its result:
  /// convolution, batch norm, pooling or a fully connected layer.
  @TorchActor public func layer(_ channels: Int, ofMaps: Bool) throws -> any Layer {
    switch self {
    case .relu: ReLU(inPlace: true)
    case .leakyReLU: LeakyReLU()
    case .parametricReLU: try ParametricReLU(channels, ofMaps: ofMaps)
    case .silu: SiLU()
    case .gelu: GELU()
    }
  }
}

/// `max(0, x)`, any shape.
@TorchActor public final class ReLU: Layer {
  /// Whether the input's storage is reused: only directly after batch norm or a convolution.
  public let inPlace: Bool

  /// A rectifier.
  public init(inPlace: Bool = false) { self.inPlace = inPlace }

  /// Rectifies.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    guard inPlace else { return try input.relu() }
    return try Tensor.make { mien_torch_relu_inplace(input.handle, $0, $1) }
  }
}

/// `x` where it is above 0, `slope * x` elsewhere (Maas et al. 2013), any shape.
@TorchActor public final class LeakyReLU: Layer {
  /// Factor of negative values.
  public let slope: Double

  /// A rectifier that lets `slope` of negative values through.
  public init(slope: Double = 0.01) { self.slope = slope }

  /// Rectifies.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_leaky_relu(input.handle, slope, $0, $1) }
  }
}

/// `x` where it is above 0, `slope_c * x` elsewhere, with a learned slope a channel (He et al. 2015): `[N, C, H, W]` or
/// `[N, C]` to the same.
@TorchActor public final class ParametricReLU: Layer {
  /// `[C, 1, 1]` for maps, `[C]` for vectors. Weight decay would pull it towards ReLU and does not apply.
  public let slopes: Parameter

  /// A rectifier of `channels` channels, of maps or of vectors, whose slopes start at `slope`.
  public init(_ channels: Int, ofMaps: Bool = true, slope: Float = 0.25) throws {
    slopes = try Parameter(.full(ofMaps ? [channels, 1, 1] : [channels], slope), decays: false)
  }

  /// Rectifies.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_parametric_relu(input.handle, slopes.value.handle, $0, $1) }
  }
}

/// `x * sigmoid(x)` (Elfwing et al. 2018), also called swish, any shape.
@TorchActor public final class SiLU: Layer {
  /// The function.
  public init() {}

  /// Applies it to each element.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_silu(input.handle, $0, $1) }
  }
}

/// `x / 2 * (1 + erf(x / sqrt(2)))` (Hendrycks and Gimpel 2016, the exact form), any shape.
@TorchActor public final class GELU: Layer {
  /// The function.
  public init() {}

  /// Applies it to each element.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_gelu(input.handle, $0, $1) }
  }
}
