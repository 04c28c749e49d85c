public import Foundation
public import MienCore

extension EmotionMap {
  /// The map drawn over its face: grey as the face, and the more a place speaks for the emotion the fuller and brighter
  /// the colour, from violet over red to yellow; nothing where nothing speaks for it.
  ///
  /// - Parameters:
  ///   - pixels: [height, width, channels] of the map's own size.
  ///   - channels: 1 or 3.
  ///   - scale: the evidence that gets the last colour, such as the greatest ``strength`` of several maps; nil for the
  ///     map's own.
  /// - Returns: [height, width, 3].
  /// - Throws: ``MienError`` if the sizes differ.
  public func drawn(over pixels: [UInt8], channels: Int, scale: Float? = nil) throws -> [UInt8] {
    guard [1, 3].contains(channels), pixels.count == values.count * channels else {
      throw MienError(
        .mismatch, nil, "a map of \(width)x\(height) does not fit a face of \(pixels.count) samples")
    }
    let grey = channels == 3 ? Preprocessing.grey(rgb: pixels) : pixels
    let share = scale.map { $0 > 0 ? min(1, strength / $0) : 0 } ?? 1
    return zip(grey, values).flatMap { level, value in Self.blended(level, value * share) }
  }

  /// The colour of evidence 0…1 over a grey level: red, green and blue.
  package static func blended(_ level: UInt8, _ value: Float) -> [UInt8] {
    let place = value * Float(EmotionPalette.heat.count - 1)
    let first = min(Int(place), EmotionPalette.heat.count - 2)
    let (low, high) = (EmotionPalette.heat[first], EmotionPalette.heat[first + 1])
    let opacity = Self.opacity * min(1, 2 * value)
    return [(low.red, high.red), (low.green, high.green), (low.blue, high.blue)].map { low, high in
      let color = Float(low) + (place - Float(first)) * (Float(high) - Float(low))
      return UInt8((Float(level) * (1 - opacity) + color * opacity).rounded())
    }
  }

  /// The map drawn over its face, both enlarged `factor` times, as a PNG file.
  ///
  /// - Parameters:
  ///   - pixels: [height, width, channels] of the map's own size.
  ///   - scale: as for ``drawn(over:channels:scale:)``.
  /// - Throws: ``MienError`` if the sizes differ.
  public func picture(over pixels: [UInt8], channels: Int, enlarged factor: Int = 4, scale: Float? = nil) throws -> Data
  {
    guard [1, 3].contains(channels), pixels.count == values.count * channels, (1...16).contains(factor) else {
      throw MienError(.mismatch, nil, "a map of \(width)x\(height) does not fit a face of \(pixels.count) samples")
    }
    let grey = (channels == 3 ? Preprocessing.grey(rgb: pixels) : pixels).map(Float.init)
    let size = (width: width * factor, height: height * factor)
    let face = Self.enlarged(grey, rows: height, columns: width, width: size.width, height: size.height)
    let drawn = try resized(width: size.width, height: size.height)
      .drawn(over: face.map { UInt8($0.rounded()) }, channels: 1, scale: scale)
    return try PNG.encoded(width: size.width, height: size.height, channels: 3, pixels: drawn)
  }

  private static let opacity: Float = 0.65
}
