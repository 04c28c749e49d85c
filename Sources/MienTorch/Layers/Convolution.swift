import CTorch
public import MienCore

/// 2-D convolution. `[N, in, H, W]` to `[N, out, H', W']` with `H' = (H + 2 padding - kernel) / stride + 1`.
@TorchActor public final class Conv2d: Layer {
  /// `[out, in / groups, kernel, kernel]`.
  public let weight: Parameter
  /// `[out]`, where there is one.
  public let bias: Parameter?
  /// Step between windows.
  public let stride: Int
  /// Zeros added at each side.
  public let padding: Int
  /// Groups of channels that do not mix.
  public let groups: Int

  /// A convolution with He-normal weights and zero bias.
  ///
  /// - Parameters:
  ///   - padding: zeros at each side; nil for "same" at stride 1, `kernel / 2`.
  ///   - bias: off where batch norm follows.
  public init(
    _ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int? = nil, groups: Int = 1,
    bias: Bool = true, random: inout SeededRandom
  ) throws {
    weight = try Parameter(
      random.heNormal([output, input / groups, kernel, kernel], fanOut: output * kernel * kernel / groups),
      decays: true)
    self.bias = bias ? try Parameter(.full([output], 0), decays: false) : nil
    self.stride = stride
    self.padding = padding ?? kernel / 2
    self.groups = groups
  }

  /// Convolves `[N, in, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make {
      mien_torch_conv2d(
        input.handle, weight.value.handle, bias?.value.handle, Int64(stride), Int64(padding), Int64(groups), $0, $1)
    }
  }
}
