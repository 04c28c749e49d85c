/// The colours of the emotions: the only place where they are stated. Charts, annotated pictures and the web page use
/// them.
///
/// Each emotion has one hue in two shades. Any two of a theme differ by at least 0.08 in OKLab, also as simulated for
/// protanopia, deuteranopia and tritanopia (Machado et al. 2009); each has a contrast of at least 3:1 (WCAG 2.1, 1.4.11)
/// against the backgrounds of its theme.
public enum EmotionPalette {
  /// A background.
  public enum Theme: Sendable, CaseIterable {
    /// Dark shades for light backgrounds.
    case light
    /// Light shades for dark backgrounds, and for photos.
    case dark
  }

  /// A colour of the sRGB space, 0…255 a channel.
  public struct Color: Sendable, Hashable {
    /// Red.
    public let red: UInt8
    /// Green.
    public let green: UInt8
    /// Blue.
    public let blue: UInt8

    /// Makes a colour from `0xRRGGBB`; higher bits are ignored.
    public init(_ rgb: UInt32) {
      red = UInt8(truncatingIfNeeded: rgb >> 16)
      green = UInt8(truncatingIfNeeded: rgb >> 8)
      blue = UInt8(truncatingIfNeeded: rgb)
    }

    /// The colour as `#rrggbb`, for CSS and SVG.
    public var hexadecimal: String {
      "#"
        + [red, green, blue].map { channel in
          let digits = String(channel, radix: 16)
          return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
  }

  /// The colour of `emotion` on backgrounds of `theme`.
  public static func color(of emotion: Emotion, on theme: Theme) -> Color {
    let shades: (light: UInt32, dark: UInt32) =
      switch emotion {
      case .anger: (0x8E1511, 0xE0311A)
      case .contempt: (0xD94BB8, 0xB865A1)
      case .disgust: (0x3F9672, 0xA6F5D2)
      case .fear: (0x3D1D6E, 0x7559F8)
      case .happiness: (0xA48404, 0xFCEC1D)
      case .neutral: (0x666B70, 0xB7BABD)
      case .sadness: (0x1A4AB0, 0x47A6FC)
      case .surprise: (0xA6521E, 0xF69537)
      }
    return Color(theme == .light ? shades.light : shades.dark)
  }

  /// The ramp of maps, from low to high: violet, magenta, red, orange, yellow. Lightness rises throughout, so that it
  /// reads without colour as well.
  package static let heat: [Color] = [0x3C0F6E, 0x8C1E6E, 0xCD374B, 0xF57D14, 0xFAEB5A].map(Color.init)
}
