public import MienCore
import MienTorch

/// `mien-s`: a compact residual network for 48x48 faces on small CPUs.
///
/// | part | output | |
/// |---|---|---|
/// | stem | 32 x 48 x 48 | conv 3x3 + batch norm + ReLU at full resolution, then `stemBlocks` residual blocks (none) |
/// | stage 1 | w1 x 24 x 24 | residual block, stride 2 |
/// | stage 2 | w2 x 12 x 12 | residual block, stride 2 |
/// | stage 3 | w3 x 6 x 6 | residual block, stride 2, then one at stride 1 |
/// | neck | w3 | mean over places, dropout |
///
/// A residual block is two 3x3 convolutions with batch norm (He et al. 2016) and squeeze-excite (Hu et al. 2018); where
/// it halves, its shortcut is a 2x2 mean and a 1x1 convolution (He et al. 2019, "ResNet-D").
public struct CompactResidualNetwork: Architecture {
  /// Channels of the stem.
  public var stem = 32
  /// Residual blocks at full resolution, with the stem's channels.
  public var stemBlocks = 0
  /// Channels of each stage.
  public var widths = [48, 96, 192]
  /// Blocks of each stage.
  public var blocks = [1, 1, 2]
  /// Whether blocks have squeeze-excite.
  public var squeezeExcite = true
  /// Probability that a number of the embedding is dropped while training.
  public var dropout = 0.3
  /// Probability that training leaves the last block's body out (Huang et al. 2016); it rises linearly from the first.
  public var stochasticDepth = 0.0

  /// The default widths.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    guard widths.count == blocks.count, !widths.isEmpty else {
      throw MienError(.argument, "model", "widths and blocks need one entry a stage")
    }
    guard blocks.allSatisfy({ (0...100).contains($0) }) else {
      throw MienError(.argument, "model.options.blocks", "must be 0 to 100 per stage, found \(blocks)")
    }
    guard (0...100).contains(stemBlocks) else {
      throw MienError(.argument, "model.options.stemBlocks", "must be 0 to 100, found \(stemBlocks)")
    }
    guard (0..<1).contains(stochasticDepth) else {
      throw MienError(
        .argument, "model.options.stochasticDepth", "must be at least 0 and below 1, found \(stochasticDepth)")
    }
    guard (0..<1).contains(dropout) else {
      throw MienError(.argument, "model.options.dropout", "must be at least 0 and below 1, found \(dropout)")
    }
    var layers: [any Layer] = [
      try Conv2d(channels, stem, kernel: 3, bias: false, random: &random), try BatchNorm(stem), ReLU(inPlace: true),
    ]
    var (width, side) = (stem, 48)
    let blockCount = stemBlocks + blocks.reduce(0, +)
    for index in 0..<stemBlocks {
      let drop = stochasticDepth * Double(index + 1) / Double(blockCount)
      layers.append(try block(stem, stem, stride: 1, dropProbability: drop, random: &random))
    }
    for (stageWidth, count) in zip(widths, blocks) where count > 0 {
      guard side.isMultiple(of: 2) else {
        throw MienError(.argument, "model.options.widths", "a face of 48x48 can be halved four times, for four stages")
      }
      side /= 2
      for index in 0..<count {
        let drop = stochasticDepth * Double(layers.count - 2) / Double(blockCount)
        layers.append(
          try block(width, stageWidth, stride: index == 0 ? 2 : 1, dropProbability: drop, random: &random))
        width = stageWidth
      }
    }
    return try FaceNetwork(
      scaling: .centered, trunk: Sequential(layers), neck: Sequential([GlobalAveragePool(), Dropout(dropout)]),
      embedding: width, labels: labels, random: &random)
  }

  @TorchActor private func block(
    _ input: Int, _ output: Int, stride: Int, dropProbability: Double, random: inout SeededRandom
  ) throws -> Residual {
    var body: [any Layer] = [
      try Conv2d(input, output, kernel: 3, stride: stride, bias: false, random: &random), try BatchNorm(output),
      ReLU(inPlace: true),
      try Conv2d(output, output, kernel: 3, bias: false, random: &random), try BatchNorm(output),
    ]
    if squeezeExcite { body.append(try SqueezeExcite(output, random: &random)) }
    guard stride > 1 || input != output else {
      return Residual(Sequential(body), dropProbability: dropProbability)
    }
    let shortcut: [any Layer] = [
      Pool2d(.average, kernel: stride),
      try Conv2d(input, output, kernel: 1, bias: false, random: &random), try BatchNorm(output),
    ]
    return Residual(Sequential(body), shortcut: Sequential(shortcut), dropProbability: dropProbability)
  }
}
