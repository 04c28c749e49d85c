import MienCore
import MienTorch

/// A plain chain of layers over 48x48 faces, written from the input on. It keeps count of channels and side, so that an
/// architecture says no more than its paper does.
@TorchActor struct LayerChain {
  private var layers: [any Layer] = []
  private var channels: Int
  private var side = 48
  private let activation: Activation
  private let pooling: Pooling
  private let samePadding: Bool

  /// An empty chain.
  ///
  /// - Parameters:
  ///   - channels: of the input.
  ///   - activation: after each convolution and fully connected layer.
  ///   - pooling: at the end of each block.
  ///   - samePadding: whether convolutions keep the side, rather than lose `kernel - 1`.
  init(channels: Int, activation: Activation, pooling: Pooling, samePadding: Bool) {
    self.channels = channels
    self.activation = activation
    self.pooling = pooling
    self.samePadding = samePadding
  }

  /// Adds a block: convolutions of `filters`, each with its activation, then pooling, then dropout.
  ///
  /// - Parameters:
  ///   - kernel: side of the convolutions' windows, odd.
  ///   - batchNorm: whether batch norm stands between convolution and activation; it replaces the bias.
  ///   - l2: coefficient of the penalty on the convolutions' weights.
  ///   - dropout: after pooling.
  mutating func block(
    _ filters: [Int], kernel: Int, batchNorm: Bool = false, l2: Double = 0, dropout: Double,
    random: inout SeededRandom
  ) throws {
    guard !filters.isEmpty, kernel % 2 == 1 else {
      throw MienError(
        .argument, "model.options", "a block needs a convolution and an odd kernel, found \(filters) and \(kernel)")
    }
    for (index, output) in filters.enumerated() {
      let padding = samePadding ? kernel / 2 : 0
      layers.append(
        try Conv2d(
          channels, output, kernel: kernel, padding: padding, bias: !batchNorm, l2: l2, random: &random))
      if batchNorm { layers.append(try BatchNorm(output)) }
      channels = output
      side -= samePadding ? 0 : kernel - 1
      let activation = try activation.layer(output, ofMaps: true)
      if index < filters.count - 1 {
        layers.append(activation)
      } else {
        let pool = try pooling.layer(side: side)
        // Where both give the same, the activation comes after the maximum, when a quarter of the work is left.
        let commutes = pooling != .average && self.activation.isNonDecreasing
        layers += commutes ? [pool, activation] : [activation, pool]
        side = pooling.side(after: side)
      }
      guard side > 0 else {
        throw MienError(.argument, "model.options", "a face of 48x48 is too small for so many blocks and such kernels")
      }
    }
    layers += try drop(dropout)
  }

  /// The network: the chain as its trunk, fully connected layers of the sizes `dense`, each with its activation and
  /// dropout, as its neck, and one head a label set.
  func network(
    dense: [Int], batchNorm: Bool = false, dropout: Double, labels: [LabelSet], random: inout SeededRandom
  ) throws -> FaceNetwork {
    var neck: [any Layer] = [Flatten()]
    var width = channels * side * side
    for output in dense {
      guard output > 0 else { throw MienError(.argument, "model.options.dense", "sizes must be positive") }
      neck.append(try Linear(width, output, random: &random))
      if batchNorm { neck.append(try BatchNorm(output)) }
      neck.append(try activation.layer(output, ofMaps: false))
      neck += try drop(dropout)
      width = output
    }
    return try FaceNetwork(
      trunk: Sequential(layers), neck: Sequential(neck), embedding: width, labels: labels, random: &random)
  }

  private func drop(_ probability: Double) throws -> [any Layer] {
    guard (0..<1).contains(probability) else {
      throw MienError(.argument, "model.options", "a dropout probability must be in 0..<1, found \(probability)")
    }
    return probability > 0 ? [Dropout(probability)] : []
  }
}
