/// The mean of a sample and how far its values lie from it.
package struct SampleStatistics: Sendable, Equatable {
  /// The mean; 0 of no values.
  package let mean: Double
  /// The unbiased variance, with one less than the number of values in the denominator; nil under two values.
  package let variance: Double?

  /// The standard deviation of the sample: the root of ``variance``.
  package var standardDeviation: Double? { variance?.squareRoot() }

  /// Sums up `values`.
  package init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    self.mean = mean
    variance =
      values.count > 1
      ? values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1) : nil
  }
}
