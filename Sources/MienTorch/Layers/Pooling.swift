import CTorch

/// Largest or mean value of each window: `[N, C, H, W]` to `[N, C, H', W']`, `H' = (H + 2 padding - kernel) / stride + 1`.
@TorchActor public final class Pool2d: Layer {
  /// What is taken of a window.
  public enum Kind: String, Sendable, Codable {
    case max, average
  }

  /// What is taken of a window.
  public let kind: Kind
  /// Side of the window.
  public let kernel: Int
  /// Step between windows.
  public let stride: Int
  /// Border added at each side; it never wins and does not count.
  public let padding: Int

  /// A pooling layer.
  public init(_ kind: Kind, kernel: Int, stride: Int? = nil, padding: Int = 0) {
    self.kind = kind
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
  }

  /// Pools `[N, C, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let pool = kind == .max ? mien_torch_max_pool2d : mien_torch_average_pool2d
    return try Tensor.make { pool(input.handle, Int64(kernel), Int64(stride), Int64(padding), $0, $1) }
  }
}

/// Mean over height and width: `[N, C, H, W]` to `[N, C]`.
@TorchActor public final class GlobalAveragePool: Layer {
  /// Averages whole maps.
  public init() {}

  /// Averages `[N, C, H, W]` to `[N, C]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor { try input.mean([2, 3]) }
}
