/// Minimises a smooth, strictly convex function: limited-memory BFGS (Nocedal and Wright, "Numerical Optimization", 2nd
/// edition, algorithms 7.4 and 7.5) with backtracking steps. Deterministic.
package struct LBFGS: Sendable {
  /// Steps at most.
  package var maximumSteps = 200
  /// It ends where no part of the gradient is larger.
  package var tolerance = 1e-6
  /// How many pairs of steps and gradient changes are kept.
  package var memory = 10

  /// The usual settings.
  package init() {}

  /// The place near the minimum that is reached from `start`.
  ///
  /// - Parameter function: gives its value and gradient at a place.
  package func minimum(
    from start: [Double], of function: ([Double]) -> (value: Double, gradient: [Double])
  ) -> [Double] {
    var place = start
    var (value, gradient) = function(place)
    var pairs: [(step: [Double], change: [Double], curvature: Double)] = []
    for _ in 0..<maximumSteps {
      guard gradient.contains(where: { abs($0) > tolerance }) else { break }
      let direction = Self.direction(gradient, pairs)
      let slope = Self.dot(direction, gradient)
      guard slope < 0 else { break }
      var length = pairs.isEmpty ? 1 / max(1, Self.dot(gradient, gradient).squareRoot()) : 1
      var next = (place: place, value: value, gradient: gradient)
      var isLower = false
      for _ in 0..<Self.maximumHalvings {
        next.place = zip(place, direction).map { $0 + length * $1 }
        (next.value, next.gradient) = function(next.place)
        isLower = next.value.isFinite && next.value <= value + Self.sufficientDecrease * length * slope
        if isLower { break }
        length /= 2
      }
      // Rounding leaves nothing to gain.
      guard isLower else { break }
      let step = zip(next.place, place).map { $0 - $1 }
      let change = zip(next.gradient, gradient).map { $0 - $1 }
      let curvature = Self.dot(step, change)
      if curvature > 0 {
        pairs.append((step, change, curvature))
        if pairs.count > memory { pairs.removeFirst() }
      }
      (place, value, gradient) = next
    }
    return place
  }

  private static let sufficientDecrease = 1e-4
  private static let maximumHalvings = 40

  /// The two-loop recursion.
  private static func direction(
    _ gradient: [Double], _ pairs: [(step: [Double], change: [Double], curvature: Double)]
  ) -> [Double] {
    var direction = gradient.map { -$0 }
    var factors: [Double] = []
    for pair in pairs.reversed() {
      let factor = dot(pair.step, direction) / pair.curvature
      factors.append(factor)
      for index in direction.indices { direction[index] -= factor * pair.change[index] }
    }
    if let last = pairs.last {
      let scale = last.curvature / dot(last.change, last.change)
      for index in direction.indices { direction[index] *= scale }
    }
    for (pair, factor) in zip(pairs, factors.reversed()) {
      let other = dot(pair.change, direction) / pair.curvature
      for index in direction.indices { direction[index] += (factor - other) * pair.step[index] }
    }
    return direction
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }
}
