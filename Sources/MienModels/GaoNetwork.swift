public import MienCore
public import MienTorch

/// `gao`: Z. Gao et al., "Emotion Recognition from Facial Expressions Using CNNs".
///
/// | part | output | |
/// |---|---|---|
/// | input | 1 x 48 x 48 | grey in 0…1 |
/// | block 1 | 32 x 24 x 24 | conv 3x3, batch norm, max-pool, dropout |
/// | block 2 | 64 x 12 x 12 | conv 3x3 with L2, batch norm, max-pool, dropout |
/// | block 3 | 128 x 6 x 6 | conv 3x3 with L2, batch norm, max-pool, dropout |
/// | block 4 | 256 x 3 x 3 | conv 3x3 with L2, batch norm, max-pool, dropout |
/// | dense | 256 | dropout |
/// | head | 7 | softmax |
///
/// The paper says that convolution and max-pooling blocks have batch norm and dropout between them and that some
/// convolutions have an L2 penalty. Sizes, rates of dropout (0.1 and 0.3), the place of batch norm (before the
/// activation), "same" padding, ReLU, which convolutions are penalised (all but the first block's) and the penalty
/// (0.00002) are choices; `recipes/gao.yaml` tells what else was tried. Deviations: convolutions have no bias, which batch
/// norm would cancel, and start from He's normal weights; batch norm forgets by 0.1 a step with epsilon 1e-5, where Keras
/// has 0.01 and 1e-3.
public struct GaoNetwork: Architecture {
  /// Filters of each block's convolutions.
  public var blocks = [[32], [64], [128], [256]]
  /// Side of the convolutions' windows.
  public var kernel = 3
  /// λ of the penalty `λ * sum(w * w)` on the weights of each convolution after the first block.
  public var l2 = 0.00002
  /// Probability that a number is dropped after each block.
  public var dropout = 0.1
  /// Sizes of the fully connected layers.
  public var dense = [256]
  /// Probability that a number is dropped after each fully connected layer.
  public var denseDropout = 0.3
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
    for (index, filters) in blocks.enumerated() {
      try chain.block(
        filters, kernel: kernel, batchNorm: true, l2: index == 0 ? 0 : l2, dropout: dropout, random: &random)
    }
    return try chain.network(dense: dense, dropout: denseDropout, labels: labels, random: &random)
  }
}
