public import MienCore
public import MienTorch

/// `javier`: J. Javier, "Facial Expression Detection Using CNN Model".
///
/// | part | output | |
/// |---|---|---|
/// | input | 1 x 48 x 48 | grey in 0…1 |
/// | block 1 | 32 x 24 x 24 | conv 3x3, max-pool, dropout |
/// | block 2 | 64 x 12 x 12 | conv 3x3, max-pool, dropout |
/// | block 3 | 128 x 6 x 6 | 2 x conv 3x3, max-pool, dropout |
/// | block 4 | 256 x 3 x 3 | conv 3x3, max-pool, dropout |
/// | dense | 512 | dropout |
/// | head | 7 | softmax |
///
/// The paper says only that convolution, max-pooling and dropout blocks are followed by dense layers. Sizes, rates of
/// dropout (0.1 and 0.4), "same" padding and ReLU are choices; `recipes/javier.yaml` tells what else was tried.
/// Deviations: convolutions start from He's normal weights rather than Glorot's uniform ones.
public struct JavierNetwork: Architecture {
  /// Filters of each block's convolutions.
  public var blocks = [[32], [64], [128, 128], [256]]
  /// Side of the convolutions' windows.
  public var kernel = 3
  /// Probability that a number is dropped after each block.
  public var dropout = 0.1
  /// Sizes of the fully connected layers.
  public var dense = [512]
  /// Probability that a number is dropped after each fully connected layer.
  public var denseDropout = 0.4
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
    for filters in blocks { try chain.block(filters, kernel: kernel, dropout: dropout, random: &random) }
    return try chain.network(dense: dense, dropout: denseDropout, labels: labels, random: &random)
  }
}
