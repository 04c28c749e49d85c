import Glibc
import MienInference

/// The function that ``HeadAdaptation`` minimises, in coordinates `V` [K, R] in which its prior is a sphere: the logits of
/// example `i` are `logits[i] + Q V inputs[i]`.
///
/// The prior keeps the minimum inside the span of the examples, so coordinates in an orthonormal basis of that span are
/// enough: a handful of examples needs as many numbers a class, whatever the length of an embedding.
package struct HeadFittingProblem: Sendable {
  /// [N, R] row-major: the examples in coordinates of ``basis``.
  private let inputs: [Double]
  /// The right class of each example.
  private let targets: [Int]
  /// [N, K] row-major: what the original layer says of each example.
  private let logits: [Double]
  /// `Q`, [K, K] row-major.
  private let outputMap: [Double]
  /// K
  private let classes: Int
  /// P
  private let width: Int
  /// [R, P]: orthonormal vectors that span the examples.
  private let basis: [[Double]]
  /// R
  private var rank: Int { basis.count }

  /// How many numbers `V` has.
  package var count: Int { classes * rank }

  /// How near to the minimum is near enough, as a share of the radius: less than weights of 32 bits resolve.
  private static let precision = 1e-7
  /// What of an example's length may lie outside the span.
  private static let negligible = 1e-10

  /// Describes the examples.
  ///
  /// - Parameters:
  ///   - examples: the embeddings in coordinates in which the prior is a sphere, one row of length `width` each.
  ///   - targets: the right class of each example.
  ///   - logits: what the original layer says of each example, [K].
  ///   - outputMap: `Q`, [K, K] row-major.
  init(examples: [[Double]], targets: [Int], logits: [[Double]], outputMap: [Double], classes: Int, width: Int) {
    let basis = Self.basis(of: examples)
    self.basis = basis
    inputs = examples.flatMap { example in basis.map { Vector.dot($0, example) } }
    self.targets = targets
    self.logits = logits.flatMap { $0 }
    self.outputMap = outputMap
    self.classes = classes
    self.width = width
  }

  private init(_ whole: HeadFittingProblem, _ indices: [Int]) {
    (basis, width, classes, outputMap) = (whole.basis, whole.width, whole.classes, whole.outputMap)
    let (rank, classes) = (whole.rank, whole.classes)
    inputs = indices.flatMap { whole.inputs[($0 * rank)..<(($0 + 1) * rank)] }
    logits = indices.flatMap { whole.logits[($0 * classes)..<(($0 + 1) * classes)] }
    targets = indices.map { whole.targets[$0] }
  }

  /// The problem of some of the examples.
  func selecting(_ indices: [Int]) -> HeadFittingProblem { HeadFittingProblem(self, indices) }

  /// Orthonormal vectors that span `examples`: Gram and Schmidt's, projected out twice against rounding.
  private static func basis(of examples: [[Double]]) -> [[Double]] {
    var basis: [[Double]] = []
    for example in examples {
      // They span everything.
      if basis.count == example.count { break }
      var rest = example
      for vector in basis + basis { Vector.add(vector, times: -Vector.dot(vector, rest), to: &rest) }
      let length = Vector.dot(rest, rest).squareRoot()
      guard length > negligible * Vector.dot(example, example).squareRoot() else { continue }
      basis.append(rest.map { $0 / length })
    }
    return basis
  }

  /// `V` in the coordinates of the examples as they were given: one row of length P per class.
  func rows(of place: [Double]) -> [[Double]] {
    (0..<classes).map { row in
      var sum = [Double](repeating: 0, count: width)
      for (column, vector) in basis.enumerated() {
        Vector.add(vector, times: place[row * rank + column], to: &sum)
      }
      return sum
    }
  }

  /// The value and its gradient at `place`, [K, R] row-major.
  package func value(at place: [Double], strength: Double) -> (value: Double, gradient: [Double]) {
    var value = strength / 2 * Vector.dot(place, place)
    var gradient = place.map { strength * $0 }
    var (projected, pulls) = ([Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes))
    var scores = projected
    let rank = rank
    // Without bounds checks: this is where a fit spends its time.
    place.withUnsafeBufferPointer { place in
      inputs.withUnsafeBufferPointer { inputs in
        gradient.withUnsafeMutableBufferPointer { gradient in
          guard let place = place.baseAddress, let inputs = inputs.baseAddress, let gradient = gradient.baseAddress
          else { return }
          for index in targets.indices {
            let input = inputs + index * rank
            for row in 0..<classes { projected[row] = Vector.dot(place + row * rank, input, count: rank) }
            value += loss(of: index, projected, &scores, &pulls)
            for row in 0..<classes { Vector.add(input, times: pulls[row], to: gradient + row * rank, count: rank) }
          }
        }
      }
    }
    return (value, gradient)
  }

  /// -ln p(target) of example `index`, `projected` being `V` times its input; `pulls` becomes the gradient by `projected`.
  private func loss(
    of index: Int, _ projected: [Double], _ scores: inout [Double], _ pulls: inout [Double]
  ) -> Double {
    var highest = -Double.infinity
    for row in 0..<classes {
      var sum = logits[index * classes + row]
      for column in 0..<classes { sum += outputMap[row * classes + column] * projected[column] }
      scores[row] = sum
      highest = max(highest, sum)
    }
    let target = targets[index]
    let targetScore = scores[target]
    // The sum over the other classes: of an example that is read right, the difference of near numbers would be rounding.
    var others = 0.0
    for row in 0..<classes {
      scores[row] = exp(scores[row] - highest)
      if row != target { others += scores[row] }
      pulls[row] = 0
    }
    let total = scores[target] + others
    for row in 0..<classes {
      let error = (row == target ? -others : scores[row]) / total
      for column in 0..<classes { pulls[column] += outputMap[row * classes + column] * error }
    }
    return targetScore == highest ? log1p(others) : highest + log(total) - targetScore
  }

  /// The minimum.
  ///
  /// - Throws: `CancellationError` if the task that waits for it was cancelled.
  func minimum(strength: Double, from start: [Double]) throws -> [Double] {
    try minimum(strength: strength, from: start) { _, _ in false }
  }

  /// The minimum; `nil` if it lies further from the origin than `radius`.
  ///
  /// - Throws: `CancellationError` if the task that waits for it was cancelled.
  func minimum(strength: Double, from start: [Double], within radius: Double) throws -> [Double]? {
    let place = try minimum(strength: strength, from: start) { place, gradient in
      // The prior makes the function strongly convex: its minimum is no further away than this.
      let distance = Vector.norm(gradient) / strength
      return Vector.norm(place) - distance > radius || distance < Self.precision * radius
    }
    return Vector.norm(place) > radius ? nil : place
  }

  private func minimum(
    strength: Double, from start: [Double], until isDone: ([Double], [Double]) -> Bool
  ) throws -> [Double] {
    try LBFGS().minimum(from: start, until: isDone) { place in
      try NativeQueue.checkCancellation()
      return value(at: place, strength: strength)
    }
  }
}
