import MienTorch

/// How maps are made smaller, by the names that an architecture's options use.
public enum Pooling: String, Sendable, Codable, CaseIterable {
  /// Maximum of 2x2 at stride 2.
  case max
  /// Mean of 2x2 at stride 2.
  case average
  /// Fractional max-pooling (Graham 2014) by its ratio sqrt(2): two of them halve. Maps stay larger, at a price.
  case fractional

  /// The side that a side becomes.
  func side(after side: Int) -> Int { self == .fractional ? Int(Double(side) / 2.0.squareRoot()) : side / 2 }

  /// The layer for maps of `side`.
  @TorchActor func layer(side: Int) throws -> any Layer {
    switch self {
    case .max: Pool2d(.max, kernel: 2)
    case .average: Pool2d(.average, kernel: 2)
    case .fractional: try FractionalMaxPool2d(from: side, to: self.side(after: side))
    }
  }
}
