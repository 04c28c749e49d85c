import MienCore

/// How ``ReadingTracker`` follows faces and steadies what it says of them.
public struct ReadingTrackerOptions: Sendable, Hashable {
  /// The time constant of the exponential average over probabilities, in seconds, 0…0.3: a steady change is followed by
  /// that much later. 0 switches the averaging off.
  public var timeConstant: Double
  /// How much more probable another emotion must be than the present one before the label changes, 0…1. 0 switches the
  /// hysteresis off: the label is the most probable emotion.
  public var margin: Float
  /// Under this smoothed probability the label is nil, "unsure", 0…1.
  public var minConfidence: Float
  /// How long a face may be lost and still keep its track, in seconds, 0…10.
  public var maxGap: Double

  /// Sets what differs from the defaults.
  public init(
    timeConstant: Double = 0.15, margin: Float = 0.1, minConfidence: Float = FaceReading.standardMinConfidence,
    maxGap: Double = 1
  ) {
    self.timeConstant = timeConstant
    self.margin = margin
    self.minConfidence = minConfidence
    self.maxGap = maxGap
  }

  /// Faces are followed, but their readings stay as they are.
  public static let unsmoothed = ReadingTrackerOptions(timeConstant: 0, margin: 0)

  private static let timeConstants = 0.0...0.3
  private static let shares: ClosedRange<Float> = 0...1
  private static let gaps = 0.0...10.0

  /// Checks the ranges.
  ///
  /// - Throws: ``MienCore/MienError`` that names what is out of range.
  public func validate() throws {
    func check<Number: FloatingPoint>(_ name: String, _ value: Number, _ range: ClosedRange<Number>) throws {
      guard range.contains(value) else {
        throw MienError(.argument, name, "expected \(range.lowerBound) to \(range.upperBound), found \(value)")
      }
    }
    try check("timeConstant", timeConstant, Self.timeConstants)
    try check("margin", margin, Self.shares)
    try check("minConfidence", minConfidence, Self.shares)
    try check("maxGap", maxGap, Self.gaps)
  }

  /// The settings with each at the nearest value in its range; the default where it is not a number.
  var nearestInRange: ReadingTrackerOptions {
    func nearest<Number: FloatingPoint>(_ value: Number, _ range: ClosedRange<Number>, _ standard: Number) -> Number {
      value.isNaN ? standard : min(max(value, range.lowerBound), range.upperBound)
    }
    let standard = ReadingTrackerOptions()
    return ReadingTrackerOptions(
      timeConstant: nearest(timeConstant, Self.timeConstants, standard.timeConstant),
      margin: nearest(margin, Self.shares, standard.margin),
      minConfidence: nearest(minConfidence, Self.shares, standard.minConfidence),
      maxGap: nearest(maxGap, Self.gaps, standard.maxGap))
  }
}
