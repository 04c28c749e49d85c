public import MienCore
public import MienTorch

/// `javier`: J. Javier, "Facial Expression Detection Using CNN Model".
///
/// | part | output | |
/// |---|---|---|
/// | input | 1 x 48 x 48 | grey in 0…1 |
/// | block 1 | 64 x 22 x 22 | conv 3x3 of 32, conv 3x3 of 64, max-pool, dropout |
/// | block 2 | 128 x 10 x 10 | conv 3x3, max-pool, dropout |
/// | block 3 | 128 x 4 x 4 | conv 3x3, max-pool, dropout |
/// | dense | 1024 | dropout |
/// | head | 7 | softmax |
///
/// The paper says only that convolution, max-pooling and dropout blocks are followed by dense layers. Sizes, rates of
/// dropout (0.25 and 0.5), padding (none, as Keras has it) and ReLU are choices: a small chain of the kind that reaches
/// the paper's accuracy on FER2013. Deviations: convolutions start from He's normal weights rather than Glorot's uniform
/// ones.
public struct JavierNetwork: Architecture {
  /// Filters of each block's convolutions.
  public var blocks = [[32, 64], [128], [128]]
  /// Side of the convolutions' windows.
  public var kernel = 3
  /// Probability that a number is dropped after each block.
  public var dropout = 0.25
  /// Sizes of the fully connected layers.
  public var dense = [1024]
  /// Probability that a number is dropped after each fully connected layer.
  public var denseDropout = 0.5
  /// After each convolution and fully connected layer.
  public var activation = Activation.relu
  /// At the end of each block.
  public var pooling = Pooling.max
  /// Whether convolutions keep the side, rather than lose `kernel - 1`.
  public var samePadding = false

  /// The chosen sizes.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    var chain = LayerChain(channels: channels, activation: activation, pooling: pooling, samePadding: samePadding)
    for filters in blocks { try chain.block(filters, kernel: kernel, dropout: dropout, random: &random) }
    return try chain.network(dense: dense, dropout: denseDropout, labels: labels, random: &random)
  }
}
