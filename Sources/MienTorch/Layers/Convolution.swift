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
  ///   - groups: a divisor of `input` and `output`.
  ///   - bias: off where batch norm follows.
  ///   - l2: ``Parameter/l2`` of the weights.
  /// - Throws: ``MienError`` where channels are not 1 to 65,536, kernel and stride not 1 to 1,024 or padding not 0 to
  ///   1,024, the groups do not divide the channels, or there were more than 2^28 weights.
  public init(
    _ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int? = nil, groups: Int = 1,
    bias: Bool = true, l2: Double = 0, random: inout SeededRandom
  ) throws {
    let limits = LayerLimits.self
    guard limits.channels.contains(input), limits.channels.contains(output), limits.kernel.contains(kernel),
      limits.kernel.contains(stride), (0...limits.kernel.upperBound).contains(padding ?? 0), groups > 0,
      input % groups == 0, output % groups == 0, output * (input / groups) * kernel * kernel <= limits.weights
    else {
      throw MienError(
        .argument, "Conv2d",
        "channels must be 1 to 65536, kernel and stride 1 to 1024, padding 0 to 1024, the groups must divide the "
          + "channels, and there may be 2^28 weights; found \(input) to \(output) channels, kernel \(kernel), stride "
          + "\(stride), \(groups) groups")
    }
    weight = try Parameter(
      random.heNormal([output, input / groups, kernel, kernel], fanOut: output * kernel * kernel / groups),
      decays: true, l2: l2)
    self.bias = bias ? try Parameter(.full([output], 0), decays: false) : nil
    self.stride = stride
    self.padding = padding ?? kernel / 2
    self.groups = groups
  }

  /// A depthwise convolution (Chollet 2017): each of `channels` channels by a kernel of its own.
  ///
  /// With a 1x1 convolution after it, a depthwise-separable one. Parameters as in
  /// ``init(_:_:kernel:stride:padding:groups:bias:l2:random:)``.
  public static func depthwise(
    _ channels: Int, kernel: Int, stride: Int = 1, padding: Int? = nil, bias: Bool = true, l2: Double = 0,
    random: inout SeededRandom
  ) throws -> Conv2d {
    try Conv2d(
      channels, channels, kernel: kernel, stride: stride, padding: padding, groups: channels, bias: bias, l2: l2,
      random: &random)
  }

  /// Convolves `[N, in, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try pass.observer?(weight, input)
    return try Tensor.make {
      mien_torch_conv2d(
        input.handle, weight.value.handle, bias?.value.handle, Int64(stride), Int64(padding), Int64(groups), $0, $1)
    }
  }
}
