public import MienCore
public import MienTorch

/// `yousaf`: S. Yousaf et al., "Modified CNNs for Facial Emotion Classification", IJIST 6(4), 2024.
///
/// | part | output | |
/// |---|---|---|
/// | input | 1 x 48 x 48 | grey in 0…1, equalised |
/// | block 1 | 32 x 24 x 24 | conv 3x3, max-pool, dropout |
/// | block 2 | 64 x 12 x 12 | conv 3x3, max-pool, dropout |
/// | block 3 | 128 x 6 x 6 | conv 3x3, max-pool, dropout |
/// | block 4 | 256 x 3 x 3 | conv 3x3, max-pool, dropout |
/// | dense | 256, 128 | ReLU |
/// | head | 7 | softmax |
///
/// Left open by the paper: filters, kernels, padding ("same"), sizes of the two fully connected layers (taken to stand
/// before the softmax) and the rate of dropout (0.25). Deviations: convolutions start from He's normal weights rather
/// than Glorot's uniform ones.
public struct YousafNetwork: Architecture {
  /// Filters of each block.
  public var filters = [32, 64, 128, 256]
  /// Side of the convolutions' windows.
  public var kernel = 3
  /// Whether batch norm stands between convolution and activation, which the paper does not have.
  public var batchNorm = false
  /// Probability that a number is dropped after each block.
  public var dropout = 0.25
  /// Sizes of the fully connected layers.
  public var dense = [256, 128]
  /// After each convolution and fully connected layer.
  public var activation = Activation.relu
  /// At the end of each block.
  public var pooling = Pooling.max
  /// Whether convolutions keep the side, rather than lose `kernel - 1`.
  public var samePadding = true

  /// The chosen sizes.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    var chain = LayerChain(channels: channels, activation: activation, pooling: pooling, samePadding: samePadding)
    for count in filters {
      try chain.block([count], kernel: kernel, batchNorm: batchNorm, dropout: dropout, random: &random)
    }
    return try chain.network(dense: dense, dropout: 0, labels: labels, random: &random)
  }
}
