/// Sums over arrays of numbers, several numbers at a time. Their order is fixed, so that equal input gives equal results.
enum Vector {
  private typealias Lanes = SIMD8<Double>

  /// The sum of products of numbers that lie one after another.
  static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, count: Int) -> Double {
    let (first, second) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    var sums = Lanes.zero
    var index = 0
    while index + Lanes.scalarCount <= count {
      let offset = index * MemoryLayout<Double>.stride
      sums +=
        first.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        * second.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
      index += Lanes.scalarCount
    }
    var sum = sums.sum()
    while index < count {
      sum += a[index] * b[index]
      index += 1
    }
    return sum
  }

  /// The sum of products of two arrays, of which the shorter one's length counts.
  static func dot(_ a: [Double], _ b: [Double]) -> Double {
    a.withUnsafeBufferPointer { first in
      b.withUnsafeBufferPointer { second in
        guard let start = first.baseAddress, let other = second.baseAddress else { return 0 }
        return dot(start, other, count: min(first.count, second.count))
      }
    }
  }

  /// The Euclidean length.
  static func norm(_ values: [Double]) -> Double { dot(values, values).squareRoot() }

  /// Adds `values` times `factor` to `sums`.
  static func add(
    _ values: UnsafePointer<Double>, times factor: Double, to sums: UnsafeMutablePointer<Double>, count: Int
  ) {
    for index in 0..<count { sums[index] += factor * values[index] }
  }

  /// Adds `values` times `factor` to `sums`, as far as the shorter of the two goes.
  static func add(_ values: [Double], times factor: Double, to sums: inout [Double]) {
    values.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        guard let start = values.baseAddress, let other = sums.baseAddress else { return }
        add(start, times: factor, to: other, count: min(values.count, sums.count))
      }
    }
  }
}
