public import MienCore
public import MienTorch

/// `chen`: J. Chen, "CNN-Based Facial Emotion Recognition: Modeling and Evaluation".
///
/// | part | output | |
/// |---|---|---|
/// | input | 3 x 48 x 48 | RGB in 0…1 |
/// | block 1 | 6 x 22 x 22 | conv 5x5, max-pool |
/// | block 2 | 16 x 9 x 9 | conv 5x5, max-pool |
/// | block 3 | 64 x 3 x 3 | conv 3x3, max-pool |
/// | dense | 128 | dropout |
/// | head | 7 | softmax |
///
/// Left open by the paper: padding (none, as in LeNet-5, whose filters the first two are, and as Keras has it), the
/// activation (ReLU) and the rate of dropout (0.5). Deviations: convolutions start from He's normal weights rather than
/// Glorot's uniform ones.
public struct ChenNetwork: Architecture {
  /// Filters of each block.
  public var filters = [6, 16, 64]
  /// Side of each block's windows.
  public var kernels = [5, 5, 3]
  /// Sizes of the fully connected layers.
  public var dense = [128]
  /// Probability that a number is dropped after each fully connected layer.
  public var dropout = 0.5
  /// After each convolution and fully connected layer.
  public var activation = Activation.relu
  /// At the end of each block.
  public var pooling = Pooling.max
  /// Whether convolutions keep the side, rather than lose `kernel - 1`.
  public var samePadding = false

  /// The paper's network.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    var chain = LayerChain(channels: channels, activation: activation, pooling: pooling, samePadding: samePadding)
    guard filters.count == kernels.count else {
      throw MienError(.argument, "model.options", "filters and kernels need one entry a block")
    }
    for (count, kernel) in zip(filters, kernels) {
      try chain.block([count], kernel: kernel, dropout: 0, random: &random)
    }
    return try chain.network(dense: dense, dropout: dropout, labels: labels, random: &random)
  }
}
