import Foundation
public import MienCore
public import MienTorch

extension Augmentation {
  /// Mixes the faces of a batch in pairs, and their targets alike, by mixup or cutmix.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]`.
  ///   - targets: `[N, K]` each, in any number.
  ///   - random: all draws come from it.
  /// - Returns: the same shapes; what came in where neither is on.
  @TorchActor public func mix(
    _ faces: Tensor, targets: [Tensor], random: inout SeededRandom
  ) throws -> (faces: Tensor, targets: [Tensor]) {
    guard mixupAlpha > 0 || cutmixAlpha > 0 else { return (faces, targets) }
    let shape = try faces.shape
    let cuts = mixupAlpha == 0 || cutmixAlpha > 0 && random.uniform() < 0.5
    let partners = try Tensor(indices: Array(0..<shape[0]).shuffled(using: &random))
    var share = random.beta(cuts ? cutmixAlpha : mixupAlpha)
    let mask: Tensor
    if cuts {
      let (height, width) = (shape[2], shape[3])
      let side = (1 - share).squareRoot()
      let rows = Self.interval(side, of: height, random: &random)
      let columns = Self.interval(side, of: width, random: &random)
      mask = try Tensor(
        (0..<(height * width)).map { rows.contains($0 / width) && columns.contains($0 % width) ? 0 : 1 },
        shape: [1, 1, height, width])
      share = 1 - Double(rows.count * columns.count) / Double(height * width)
    } else {
      mask = try .full([1, 1, 1, 1], Float(share))
    }
    let inverse = try mask.scaled(by: -1, offset: 1)
    let mixed = try faces.multiplied(by: mask).adding(faces.rows(partners).multiplied(by: inverse))
    return (
      mixed,
      try targets.map { target in
        try target.scaled(by: Float(share)).adding(target.rows(partners).scaled(by: Float(1 - share)))
      }
    )
  }

  /// `share` of `0..<count` about a random middle, cut off at the ends.
  private static func interval(_ share: Double, of count: Int, random: inout SeededRandom) -> Range<Int> {
    let middle = Int.random(in: 0..<count, using: &random)
    let length = Int((Double(count) * share).rounded())
    let begin = middle - length / 2
    return max(0, begin)..<max(0, min(count, begin + length))
  }
}

extension SeededRandom {
  /// A draw of Beta(alpha, alpha), from two gamma draws.
  mutating func beta(_ alpha: Double) -> Double {
    let (first, second) = (gamma(alpha), gamma(alpha))
    return first + second > 0 ? first / (first + second) : 0.5
  }

  /// A draw of the gamma distribution of shape `alpha` and scale 1 (Marsaglia and Tsang 2000).
  private mutating func gamma(_ alpha: Double) -> Double {
    guard alpha >= 1 else { return gamma(alpha + 1) * pow(1 - Double(uniform()), 1 / alpha) }
    let d = alpha - 1 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = Double(normal(count: 1, standardDeviation: 1)[0])
      let v = pow(1 + c * x, 3)
      if v > 0, log(1 - Double(uniform())) < x * x / 2 + d - d * v + d * log(v) { return d * v }
    }
  }
}
