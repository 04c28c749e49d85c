public import MienCore
public import MienTorch

/// Blocks of convolutions, each block ending in pooling, then fully connected layers: most published networks for
/// faces of 48x48. A further one needs no code, only a recipe with its options.
///
/// `[N, C, 48, 48]` -> for each block: convolutions, each with batch norm (if `batchNorm`) and activation, then pooling
/// and dropout -> fully connected layers, each with batch norm (if `denseBatchNorm`), activation and dropout -> heads.
public struct PlainNetwork: Architecture, Equatable {
  /// One number or a list of them, written as such.
  public struct Numbers: Codable, Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    /// The numbers.
    public var values: [Int]

    /// One number.
    public init(integerLiteral value: Int) { values = [value] }
    /// A list.
    public init(arrayLiteral values: Int...) { self.values = values }

    /// Decodes a number or a list.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      values = if let value = try? container.decode(Int.self) { [value] } else { try container.decode([Int].self) }
    }

    /// Encodes a list of one as its number.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if values.count == 1 { try container.encode(values[0]) } else { try container.encode(values) }
    }
  }

  /// Filters of each block: a number, or a list for a block of several convolutions.
  public var filters: [Numbers] = [32, 64, 128]
  /// Side of the convolutions' windows, odd: for each block, the last for all further ones too.
  public var kernels: Numbers = 3
  /// Whether batch norm stands between convolution and activation; it replaces the bias.
  public var batchNorm = false
  /// λ of the penalty `λ * sum(w * w)` on the weights of each convolution after the first block.
  public var l2 = 0.0
  /// Probability that a number is dropped after each block.
  public var blockDropout = 0.0
  /// Sizes of the fully connected layers.
  public var dense = [128]
  /// Whether batch norm stands between fully connected layer and activation.
  public var denseBatchNorm = false
  /// Probability that a number is dropped after each fully connected layer.
  public var denseDropout = 0.0
  /// After each convolution and fully connected layer.
  public var activation = Activation.relu
  /// At the end of each block.
  public var pooling = Pooling.max
  /// Whether convolutions keep the side, rather than lose `kernel - 1`.
  public var samePadding = true
  /// See ``Architecture/formerOptions``.
  public var formerOptions = ["blocks": "filters", "kernel": "kernels", "dropout": "blockDropout"]

  private enum CodingKeys: String, CodingKey {
    case filters, kernels, batchNorm, l2, blockDropout, dense, denseBatchNorm, denseDropout, activation, pooling
    case samePadding
  }

  /// Three blocks of one convolution each.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    guard (1...max(1, filters.count)).contains(kernels.values.count) else {
      throw MienError(
        .argument, "model.options.kernels",
        "expected one kernel for all blocks or up to \(filters.count), one for each; found \(kernels.values)")
    }
    guard (0..<1).contains(blockDropout), (0..<1).contains(denseDropout) else {
      throw MienError(
        .argument, "model.options",
        "blockDropout and denseDropout must be at least 0 and below 1, found \(blockDropout) and \(denseDropout)")
    }
    var trunk: [any Layer] = []
    var (width, side) = (channels, 48)
    for (index, block) in filters.enumerated() {
      let kernel = kernels.values[min(index, kernels.values.count - 1)]
      trunk += try self.block(
        block.values, kernel: kernel, l2: index == 0 ? 0 : l2, width: &width, side: &side, random: &random)
    }
    var neck: [any Layer] = [Flatten()]
    width *= side * side
    for output in dense {
      guard output > 0 else { throw MienError(.argument, "model.options.dense", "sizes must be positive") }
      neck.append(try Linear(width, output, random: &random))
      if denseBatchNorm { neck.append(try BatchNorm(output)) }
      neck.append(try activation.layer(output, ofMaps: false))
      if denseDropout > 0 { neck.append(Dropout(denseDropout)) }
      width = output
    }
    return try FaceNetwork(
      trunk: Sequential(trunk), neck: Sequential(neck), embedding: width, labels: labels, random: &random)
  }

  /// A block for maps of `width` channels and `side`, which become those of its output.
  @TorchActor private func block(
    _ filters: [Int], kernel: Int, l2: Double, width: inout Int, side: inout Int, random: inout SeededRandom
  ) throws -> [any Layer] {
    guard !filters.isEmpty, kernel % 2 == 1 else {
      throw MienError(
        .argument, "model.options", "a block needs a convolution and an odd kernel, found \(filters) and \(kernel)")
    }
    var layers: [any Layer] = []
    for (index, output) in filters.enumerated() {
      layers.append(
        try Conv2d(
          width, output, kernel: kernel, padding: samePadding ? kernel / 2 : 0, bias: !batchNorm, l2: l2,
          random: &random))
      if batchNorm { layers.append(try BatchNorm(output)) }
      width = output
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
    if blockDropout > 0 { layers.append(Dropout(blockDropout)) }
    return layers
  }
}
