public import MienCore
public import MienTorch

/// `le-shallow` and `le-deep`: Le, Pham and Hoang, "CNNs for Facial Emotion Recognition".
///
/// | part | shallow | deep | |
/// |---|---|---|---|
/// | input | 1 x 48 x 48 | 1 x 48 x 48 | grey in 0…1 |
/// | block 1 | 64 x 24 x 24 | 64 x 24 x 24 | conv 3x3, batch norm, ReLU, max-pool, dropout 0.25 |
/// | block 2 | 128 x 12 x 12 | 128 x 12 x 12 | conv 5x5, and the same |
/// | block 3 | | 512 x 6 x 6 | conv 3x3, and the same |
/// | block 4 | | 512 x 3 x 3 | conv 3x3, and the same |
/// | dense | 256 | 256, 512 | batch norm, ReLU, dropout 0.25 |
/// | head | 7 | 7 | softmax |
///
/// The number of blocks is that of `filters`, which the paper names as future work, as it does colour; it tried
/// fractional max-pooling, which `pooling` sets. Left open: "same" padding after the first convolution (yes), batch norm
/// and dropout after dense layers (as after convolutions). Deviations: convolutions have no bias, which batch norm would
/// cancel, and start from He's normal weights; batch norm forgets by 0.1 a step with epsilon 1e-5.
public struct LeNetwork: Architecture {
  /// Filters of each block.
  public var filters: [Int]
  /// Side of each block's windows; the last one serves all further blocks.
  public var kernels: [Int]
  /// Probability that a number is dropped after each block.
  public var dropout = 0.25
  /// Sizes of the fully connected layers.
  public var dense: [Int]
  /// Probability that a number is dropped after each fully connected layer.
  public var denseDropout = 0.25
  /// After each convolution and fully connected layer.
  public var activation = Activation.relu
  /// At the end of each block.
  public var pooling = Pooling.max
  /// Whether convolutions keep the side, rather than lose `kernel - 1`.
  public var samePadding = true

  /// The paper's shallow network.
  public static let shallow = LeNetwork(filters: [64, 128], kernels: [3, 5], dense: [256])
  /// The paper's deep network.
  public static let deep = LeNetwork(filters: [64, 128, 512, 512], kernels: [3, 5, 3, 3], dense: [256, 512])

  /// A network with a block for each of `filters`.
  public init(filters: [Int], kernels: [Int], dense: [Int]) {
    self.filters = filters
    self.kernels = kernels
    self.dense = dense
  }

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    var chain = LayerChain(channels: channels, activation: activation, pooling: pooling, samePadding: samePadding)
    for (index, count) in filters.enumerated() {
      guard let kernel = index < kernels.count ? kernels[index] : kernels.last else {
        throw MienError(.argument, "model.options.kernels", "needs at least one entry")
      }
      try chain.block([count], kernel: kernel, batchNorm: true, dropout: dropout, random: &random)
    }
    return try chain.network(dense: dense, batchNorm: true, dropout: denseDropout, labels: labels, random: &random)
  }
}
