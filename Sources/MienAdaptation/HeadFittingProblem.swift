import Glibc

/// The function that ``HeadAdaptation`` minimises, in coordinates `V` [K, P] in which its prior is a sphere: the logits of
/// example `i` are `logits[i] + Q V inputs[i]`.
package struct HeadFittingProblem: Sendable {
  /// One row of length P an example.
  let inputs: [[Double]]
  /// The right class of each example.
  let targets: [Int]
  /// What the original layer says of each example, [K].
  let logits: [[Double]]
  /// `Q`, [K, K] row-major.
  let outputMap: [Double]
  /// K
  let classes: Int
  /// P
  let width: Int

  /// How many numbers `V` has.
  package var count: Int { classes * width }

  /// The value and its gradient at `place`, [K, P] row-major.
  package func value(at place: [Double], strength: Double) -> (value: Double, gradient: [Double]) {
    var value = strength / 2 * place.reduce(0) { $0 + $1 * $1 }
    var gradient = place.map { strength * $0 }
    var (projected, pulls) = ([Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes))
    // Without bounds checks: this is where a fit spends its time.
    place.withUnsafeBufferPointer { place in
      gradient.withUnsafeMutableBufferPointer { gradient in
        for (index, input) in inputs.enumerated() {
          input.withUnsafeBufferPointer { input in
            for row in 0..<classes {
              var sum = 0.0
              for column in 0..<width { sum += place[row * width + column] * input[column] }
              projected[row] = sum
            }
            value += loss(of: index, projected, &pulls)
            for row in 0..<classes {
              let pull = pulls[row]
              for column in 0..<width { gradient[row * width + column] += pull * input[column] }
            }
          }
        }
      }
    }
    return (value, gradient)
  }

  /// -ln p(target) of example `index`, `projected` being `V` times its input; `pulls` becomes the gradient by `projected`.
  private func loss(of index: Int, _ projected: [Double], _ pulls: inout [Double]) -> Double {
    var scores = logits[index]
    for row in 0..<classes {
      for column in 0..<classes { scores[row] += outputMap[row * classes + column] * projected[column] }
    }
    let highest = scores.max() ?? 0
    let powers = scores.map { exp($0 - highest) }
    let total = powers.reduce(0, +)
    for column in 0..<classes {
      pulls[column] = 0
      for row in 0..<classes {
        let error = powers[row] / total - (row == targets[index] ? 1 : 0)
        pulls[column] += outputMap[row * classes + column] * error
      }
    }
    return highest + log(total) - scores[targets[index]]
  }

  /// The minimum.
  func minimum(strength: Double, from start: [Double]) -> [Double] {
    LBFGS().minimum(from: start) { value(at: $0, strength: strength) }
  }
}
