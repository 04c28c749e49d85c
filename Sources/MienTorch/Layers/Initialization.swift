import Glibc
public import MienCore

/// Bounds of a layer's sizes, so that those out of a recipe neither overflow nor fill the memory.
enum LayerLimits {
  /// Channels of a convolution.
  static let channels = 1...65536
  /// Side of a convolution's window, and the step between windows.
  static let kernel = 1...1024
  /// Most weights of one layer, 1 GiB of them.
  static let weights = 1 << 28
}

extension SeededRandom {
  /// `count` normal numbers of mean 0 and the given standard deviation (Box and Muller, 1958).
  public mutating func normal(count: Int, standardDeviation: Float) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(count + 1)
    while values.count < count {
      let radius = (-2 * log(1 - uniform())).squareRoot() * standardDeviation
      let angle = 2 * Float.pi * uniform()
      values.append(radius * cos(angle))
      values.append(radius * sin(angle))
    }
    return Array(values.prefix(count))
  }

  /// Convolution weights, stored with channels innermost, by He et al. 2015 for rectifiers, fan-out: standard
  /// deviation `sqrt(2 / fanOut)`.
  @TorchActor mutating func heNormal(_ shape: [Int], fanOut: Int) throws -> Tensor {
    try Tensor(
      normal(count: shape.reduce(1, *), standardDeviation: (2 / Float(max(fanOut, 1))).squareRoot()), shape: shape
    ).channelsLast()
  }
}
