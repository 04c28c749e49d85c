import Foundation

/// Collects shapes and writes them as an SVG document. Texts are escaped; colours come from style classes.
struct SVGCanvas {
  /// How many colours `s0`, `s1`, … there are: those of Okabe and Ito that differ for colour-blind readers, in a shade
  /// for light and one for dark backgrounds.
  static let colorCount = 4
  private static let style = """
    .ground{fill:#ffffff}text{fill:#1f2328;font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
    .title{font-size:15px;font-weight:600}.value{font-size:11px;fill:#59636e}.end{text-anchor:end}\
    .axis{stroke:#818b98;stroke-width:1}.s0{fill:#0072b2}.s1{fill:#e69f00}.s2{fill:#009e73}.s3{fill:#cc79a7}\
    @media (prefers-color-scheme:dark){.ground{fill:#0d1117}text{fill:#f0f6fc}.value{fill:#9198a1}\
    .axis{stroke:#656c76}.s0{fill:#56b4e9}.s1{fill:#f0b429}.s2{fill:#2bc29a}.s3{fill:#e3a3c6}}
    """

  private let width: Double
  private var shapes: [String] = []

  /// Starts an empty picture of `width` units.
  init(width: Double) { self.width = width }

  /// Adds a text whose base line is at `y`.
  mutating func text(_ text: String, x: Double, y: Double, style: String = "") {
    let attribute = style.isEmpty ? "" : " class=\"\(style)\""
    shapes.append("<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\"\(attribute)>\(Self.escaped(text))</text>")
  }

  /// Adds a filled rectangle, with a text that shows under the pointer.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, style: String, tooltip: String? = nil
  ) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    let title = tooltip.map { "<title>\(Self.escaped($0))</title>" } ?? ""
    shapes.append("<rect \(place) \(size) class=\"\(style)\">\(title)</rect>")
  }

  /// Adds an axis line.
  mutating func line(x1: Double, y1: Double, x2: Double, y2: Double) {
    let ends = zip(["x1", "y1", "x2", "y2"], [x1, y1, x2, y2]).map { "\($0)=\"\(Self.number($1))\"" }
    shapes.append("<line \(ends.joined(separator: " ")) class=\"axis\"/>")
  }

  /// The whole document; `title` is what screen readers say.
  func document(height: Double, title: String) -> String {
    let (width, height) = (Self.number(width), Self.number(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
      role="img" aria-label="\(Self.escaped(title))">
      <style>\(Self.style)</style>
      <rect width="\(width)" height="\(height)" class="ground"/>
      \(shapes.joined(separator: "\n"))
      </svg>

      """
  }

  /// `text` for use between tags or in an attribute; characters that XML cannot hold become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case let scalar where scalar.value < 32 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A coordinate with at most two decimals, always with a point.
  private static func number(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}
