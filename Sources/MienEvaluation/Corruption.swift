import Glibc
import MienCore
public import MienVision

/// A way in which a picture gets worse, in five severities, after Hendrycks and Dietterich, "Benchmarking Neural Network
/// Robustness to Common Corruptions and Perturbations" (ICLR 2019); the parameters are chosen for small faces.
///
/// A corruption is a function of the face, the severity and the face's place in its set: what is random is drawn from a
/// fixed seed, and a face keeps its place of occlusion and sense of rotation over the severities.
public struct Corruption: Sendable, Hashable {
  /// What happens to the picture.
  public enum Kind: String, CaseIterable, Sendable {
    /// A Gaussian blur; the parameter is sigma in pixels.
    case blur
    /// Gaussian noise added to every sample; the parameter is its standard deviation on the scale 0…255.
    case noise
    /// All samples multiplied by the parameter.
    case lowLight = "low light"
    /// Differences from the face's mean multiplied by the parameter.
    case lowContrast = "low contrast"
    /// Shrunk by area to the parameter's width in pixels, then enlarged again, bilinear.
    case lowResolution = "low resolution"
    /// A mid-grey square somewhere on the face; the parameter is its side as a share of the face's.
    case occlusion
    /// Turned about the centre by the parameter in degrees, either way; the border is repeated.
    case rotation
    /// JPEG of the parameter's quality (1…100), decoded again.
    case jpeg = "JPEG"

    /// What the parameter is and, after a comma, its unit if it has one: `sigma, px`.
    public var parameter: String {
      switch self {
      case .blur: "sigma, px"
      case .noise: "deviation, of 255"
      case .lowLight: "gain"
      case .lowContrast: "contrast"
      case .lowResolution: "width, px"
      case .occlusion: "side, of the face's"
      case .rotation: "angle, degrees"
      case .jpeg: "quality"
      }
    }

    /// The parameter at each severity, from 1.
    public var values: [Double] {
      switch self {
      case .blur: [0.5, 1, 1.5, 2, 3]
      case .noise: [8, 16, 24, 40, 64]
      case .lowLight: [0.7, 0.5, 0.35, 0.2, 0.1]
      case .lowContrast: [0.7, 0.5, 0.35, 0.2, 0.1]
      case .lowResolution: [32, 24, 16, 12, 8]
      case .occlusion: [0.2, 0.3, 0.4, 0.5, 0.6]
      case .rotation: [5, 10, 20, 30, 45]
      case .jpeg: [50, 25, 15, 10, 5]
      }
    }
  }

  /// What happens.
  public let kind: Kind
  /// How much of it, 1…5.
  public let severity: Int

  /// The parameter's value.
  public var value: Double { kind.values[severity - 1] }

  /// Every kind in every severity.
  public static let all: [Corruption] = Kind.allCases.flatMap { kind in
    kind.values.indices.map { Corruption(uncheckedKind: kind, severity: $0 + 1) }
  }

  /// A kind in one severity.
  ///
  /// - Throws: ``MienError`` where the severity is not 1…5.
  public init(_ kind: Kind, severity: Int) throws {
    guard (1...kind.values.count).contains(severity) else {
      throw MienError(.argument, kind.rawValue, "expected a severity of 1 to \(kind.values.count), found \(severity)")
    }
    self.init(uncheckedKind: kind, severity: severity)
  }

  private init(uncheckedKind kind: Kind, severity: Int) {
    self.kind = kind
    self.severity = severity
  }

  /// Of all random parts.
  private static let seed: UInt64 = 2019

  /// A face as it looks then, of the same size and channels.
  ///
  /// - Parameter index: the face's place in its set, which random parts depend on.
  /// - Throws: ``MienError`` where the JPEG encoder or OpenCV fails.
  public func applied(to face: Image, index: Int) throws -> Image {
    var random = SeededRandom(seed: Self.seed, stream: UInt64(bitPattern: Int64(index)))
    switch kind {
    case .blur: return try Self.blurred(face, sigma: value)
    case .noise: return try Self.mapped(face) { $0 + value * Self.normal(&random) }
    case .lowLight: return try Self.mapped(face) { $0 * value }
    case .lowContrast:
      let mean = face.pixels.reduce(0) { $0 + Double($1) } / Double(face.pixels.count)
      return try Self.mapped(face) { mean + ($0 - mean) * value }
    case .lowResolution:
      let width = max(1, Int(value) * face.width / 48)
      let height = max(1, width * face.height / face.width)
      return try face.resized(width: width, height: height).resized(width: face.width, height: face.height)
    case .occlusion: return try Self.covered(face, share: value, random: &random)
    case .rotation: return try face.rotated(degrees: random.uniform() < 0.5 ? -value : value)
    case .jpeg:
      let decoded = try Image(encoded: face.encoded(as: .jpeg(quality: Int(value))))
      return face.channels == 1 ? decoded.grey : decoded.rgb
    }
  }

  private static func byte(_ value: Double) -> UInt8 { UInt8(max(0, min(255, value.rounded()))) }

  private static func mapped(_ face: Image, _ change: (Double) -> Double) throws -> Image {
    try face.with(face.pixels.map { byte(change(Double($0))) })
  }

  /// A draw from the standard normal distribution (Box and Muller 1958).
  private static func normal(_ random: inout SeededRandom) -> Double {
    let radius = (-2 * log(1 - Double(random.uniform()))).squareRoot()
    return radius * cos(2 * .pi * Double(random.uniform()))
  }

  /// Rows, then columns, each with a kernel cut off at three sigmas; the border is repeated.
  private static func blurred(_ face: Image, sigma: Double) throws -> Image {
    let radius = Int((3 * sigma).rounded(.up))
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = weights.reduce(0, +)
    var values = face.pixels.map { Double($0) }
    for (count, stride) in [(face.width, face.channels), (face.height, face.width * face.channels)] {
      var result = values
      for index in values.indices {
        let place = index / stride % count
        var total = 0.0
        for (offset, weight) in zip(-radius...radius, weights) {
          let other = min(max(place + offset, 0), count - 1)
          total += weight * values[index + (other - place) * stride]
        }
        result[index] = total / sum
      }
      values = result
    }
    return try face.with(values.map(byte))
  }

  private static func covered(_ face: Image, share: Double, random: inout SeededRandom) throws -> Image {
    let side = max(1, Int((share * Double(min(face.width, face.height))).rounded()))
    let left = Int((Double(random.uniform()) * Double(face.width - side)).rounded())
    let top = Int((Double(random.uniform()) * Double(face.height - side)).rounded())
    var pixels = face.pixels
    for row in top..<(top + side) {
      let start = (row * face.width + left) * face.channels
      for index in start..<(start + side * face.channels) { pixels[index] = 128 }
    }
    return try face.with(pixels)
  }
}

extension Image {
  /// A picture of the same size with other samples.
  fileprivate func with(_ pixels: [UInt8]) throws -> Image {
    try Image(width: width, height: height, channels: channels, pixels: pixels)
  }
}
