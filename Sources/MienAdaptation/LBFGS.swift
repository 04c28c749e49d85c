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
  /// - Parameters:
  ///   - isDone: takes a place and its gradient; the search ends at the first place for which it is true.
  ///   - function: gives its value and gradient at a place.
  /// - Throws: what `function` throws.
  package func minimum(
    from start: [Double], until isDone: (_ place: [Double], _ gradient: [Double]) -> Bool = { _, _ in false },
    of function: ([Double]) throws -> (value: Double, gradient: [Double])
  ) rethrows -> [Double] {
    var place = start
    var (value, gradient) = try function(place)
    var pairs: [(step: [Double], change: [Double], curvature: Double)] = []
    for _ in 0..<maximumSteps {
      guard gradient.contains(where: { abs($0) > tolerance }), !isDone(place, gradient) else { break }
      let direction = Self.direction(gradient, pairs)
      let slope = Vector.dot(direction, gradient)
      guard slope < 0 else { break }
      var length = pairs.isEmpty ? 1 / max(1, Vector.dot(gradient, gradient).squareRoot()) : 1
      var next = (place: place, value: value, gradient: gradient)
      var isLower = false
      for _ in 0..<Self.maximumHalvings {
        next.place = place
        Vector.add(direction, times: length, to: &next.place)
        (next.value, next.gradient) = try function(next.place)
        isLower = Self.isLower(next.value, than: value, length, slope, Vector.dot(direction, next.gradient))
        if isLower { break }
        length /= 2
      }
      // Rounding leaves nothing to gain.
      guard isLower else { break }
      var (step, change) = (next.place, next.gradient)
      Vector.add(place, times: -1, to: &step)
      Vector.add(gradient, times: -1, to: &change)
      let curvature = Vector.dot(step, change)
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
  /// Values that differ by less, relative to their size, may be equal but for rounding.
  private static let rounding = 1e-12

  /// Whether a step has lowered the value enough. If rounding hides the difference, the slopes decide: the approximate Wolfe
  /// condition (Hager and Zhang, SIAM Journal on Optimization 16, 2005).
  private static func isLower(
    _ next: Double, than value: Double, _ length: Double, _ slope: Double, _ nextSlope: Double
  ) -> Bool {
    guard next.isFinite else { return false }
    if next <= value + sufficientDecrease * length * slope { return true }
    return next <= value + rounding * abs(value) && nextSlope <= (2 * sufficientDecrease - 1) * slope
  }

  /// The two-loop recursion.
  private static func direction(
    _ gradient: [Double], _ pairs: [(step: [Double], change: [Double], curvature: Double)]
  ) -> [Double] {
    var direction = gradient.map { -$0 }
    var factors: [Double] = []
    for pair in pairs.reversed() {
      let factor = Vector.dot(pair.step, direction) / pair.curvature
      factors.append(factor)
      Vector.add(pair.change, times: -factor, to: &direction)
    }
    if let last = pairs.last {
      let scale = last.curvature / Vector.dot(last.change, last.change)
      for index in direction.indices { direction[index] *= scale }
    }
    for (pair, factor) in zip(pairs, factors.reversed()) {
      let other = Vector.dot(pair.change, direction) / pair.curvature
      Vector.add(pair.step, times: factor - other, to: &direction)
    }
    return direction
  }
}
