/// A small, fast generator whose whole state is one seed: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
///
/// The same seed gives the same sequence on every platform. Not for secrets.
public struct SeededRandom: RandomNumberGenerator, Sendable, Equatable {
  /// The state; saving and restoring it continues the sequence.
  public var state: UInt64

  /// Starts the sequence of `seed`.
  public init(seed: UInt64) { state = seed }

  /// Starts a sequence of its own for `stream` under `seed`, so that parts of a run do not disturb each other.
  public init(seed: UInt64, stream: UInt64) {
    var mixer = SeededRandom(seed: seed)
    let offset = mixer.next()
    mixer.state = offset ^ (stream &* 0xD134_2543_DE82_EF95)
    state = mixer.next()
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A float in 0..<1 with 24 random bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A float in `range`, both ends included as far as rounding lets them.
  public mutating func uniform(in range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }
}
