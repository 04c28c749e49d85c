import Foundation
import MienCore

/// What a shape is coloured as.
enum Ink: Sendable, Equatable {
  /// One of several things without a colour of their own, from 0.
  case series(Int)
  /// An emotion, in ``EmotionPalette``'s colour.
  case emotion(Emotion)

  /// The class that fills a shape.
  var fill: String {
    switch self {
    case .series(let index): "s\(index % SVGCanvas.colorCount)"
    case .emotion(let emotion): "e-\(emotion.rawValue)"
    }
  }

  /// The classes that draw a line.
  var line: String {
    switch self {
    case .series(let index):
      "l\(index % SVGCanvas.colorCount)"
        + (index < SVGCanvas.colorCount
          ? "" : " d\((index / SVGCanvas.colorCount - 1) % SVGCanvas.roundPatterns.count + 1)")
    case .emotion(let emotion): "le-\(emotion.rawValue)"
    }
  }
}

/// Collects shapes for a ``Drawing``. Texts are escaped; colours come from style classes.
struct SVGCanvas {
  /// How many colours there are for things that are no emotions: `s0`, `s1`, … fill and `l0`, `l1`, … draw lines. They are
  /// those of Okabe and Ito, which differ for colour-blind readers, in a shade for light and one for dark backgrounds.
  /// Lines from the fifth on are dashed too, and where colours come again (`d1`, …) so are all. Those of emotions are
  /// `e-anger`, … and `le-anger`, …
  static let colorCount = 8
  static let style = colors(light, dashes: true) + "@media screen and (prefers-color-scheme:dark){" + colors(dark) + "}"

  private static let light: Theme = (
    theme: .light, ground: "#ffffff", text: "#1f2328", faint: "#59636e", axis: "#818b98", grid: "#dfe3e8",
    series: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#3d9bd4", "#1f2328", "#8a7a00"]
  )
  private static let dark: Theme = (
    theme: .dark, ground: "#0d1117", text: "#f0f6fc", faint: "#9ba3ac", axis: "#656c76", grid: "#2b313a",
    series: ["#56b4e9", "#f0b429", "#2bc29a", "#e3a3c6", "#ff8a4f", "#a5b8ff", "#f0f6fc", "#f0e442"]
  )
  private static let dashPatterns = ["7 3", "2 3", "9 3 2 3", "4 2"]
  /// Of the second round of colours, the third and the fourth.
  static let roundPatterns = ["5 6", "12 2 2 2 2 2", "1 5"]

  private static func colors(_ theme: Theme, dashes: Bool = false) -> String {
    var rules = """
      .ground{fill:\(theme.ground)}svg text{fill:\(theme.text)}svg .value,svg .tick{fill:\(theme.faint)}\
      .axis{stroke:\(theme.axis)}.grid{stroke:\(theme.grid)}\
      .guide{stroke:\(theme.faint)}.whisker{stroke:\(theme.text)}
      """
    if dashes {
      rules += """
        svg text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
        svg .title{font-size:15px;font-weight:600}svg .value,svg .tick,svg .small{font-size:11px}svg .tiny{font-size:9px}\
        .axis,.grid,.whisker{stroke-width:1;fill:none}\
        .guide{stroke-width:1.2;stroke-dasharray:4 4;fill:none}.line{stroke-width:2;fill:none;stroke-linejoin:round}
        """
    }
    for (index, color) in theme.series.enumerated() {
      rules += ".s\(index){fill:\(color)}.l\(index){stroke:\(color)}"
      if dashes, index >= 4 { rules += ".l\(index){stroke-dasharray:\(dashPatterns[index - 4])}" }
    }
    for (index, emotion) in Emotion.allCases.enumerated() {
      let color = EmotionPalette.color(of: emotion, on: theme.theme).hexadecimal
      rules += ".e-\(emotion.rawValue){fill:\(color)}.le-\(emotion.rawValue){stroke:\(color)}"
      if dashes, index >= 4 { rules += ".le-\(emotion.rawValue){stroke-dasharray:\(dashPatterns[index - 4])}" }
    }
    if dashes {
      for (index, pattern) in roundPatterns.enumerated() { rules += ".d\(index + 1){stroke-dasharray:\(pattern)}" }
    }
    return rules
  }

  private typealias Theme = (
    theme: EmotionPalette.Theme, ground: String, text: String, faint: String, axis: String, grid: String,
    series: [String]
  )

  private let layout: ChartLayout
  private var width: Double
  private var shapes: [String] = []
  private var title: String?
  private var titleLines = 1

  /// Starts an empty picture.
  ///
  /// - Parameter width: in its units; nil for the layout's own.
  init(_ layout: ChartLayout, width: Double? = nil) {
    self.layout = layout
    self.width = width ?? layout.width
  }

  /// What the title takes, from the picture's upper edge.
  static let titleHeight = 26.0

  /// Writes the chart's title at the top; a page whose heading says the same leaves it out. In a narrow picture, a long
  /// one takes several lines, which grow upwards.
  mutating func title(_ text: String) {
    let lines = layout == .wide ? [text] : Self.lines(text, of: Int((width - 40) / Self.titleLetter))
    titleLines = max(1, lines.count)
    title = lines.enumerated().map { index, line in
      Self.element(line, x: 20, y: 22 - Self.titleLine * Double(lines.count - 1 - index), style: "title")
    }.joined(separator: "\n")
  }

  /// A letter of a title, and a line of one.
  private static let (titleLetter, titleLine) = (9.0, 20.0)

  /// `text` in lines of at most `length` characters, broken at blanks.
  private static func lines(_ text: String, of length: Int) -> [String] {
    text.split(separator: " ").reduce(into: [String]()) { lines, word in
      if let last = lines.last, last.count + 1 + word.count <= length {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
  }

  /// How an entry of a legend is drawn.
  enum Sample {
    /// A square, for bars and bands.
    case square
    /// A dot, or a ring from the second on.
    case dot
    /// A short line.
    case line
  }

  /// Names what the colours stand for, in as many rows as they need.
  ///
  /// - Parameter top: the upper edge of the first row; below the last one afterwards.
  mutating func legend(_ entries: [(name: String, ink: Ink)], _ sample: Sample, top: inout Double) {
    let (left, row, end) = (20.0, 24.0, width - 20)
    let room = sample == .line ? 30.0 : 18.0
    var x = left
    for (index, entry) in entries.enumerated() {
      let name = Self.shortened(entry.name, to: min(80, Int((end - left - room) / Self.letter)))
      let span = room + Self.letter * Double(name.count)
      if x > left, x + span > end {
        x = left
        top += row
      }
      switch sample {
      case .square: rectangle(x: x, y: top + 3, width: 12, height: 12, style: entry.ink.fill)
      case .dot where index == 0: dot(x: x + 6, y: top + 9, ink: entry.ink, radius: 4)
      case .dot: ring(x: x + 6, y: top + 9, ink: entry.ink)
      case .line: path([(x, top + 9), (x + 24, top + 9)], ink: entry.ink)
      }
      text(name, x: x + room, y: top + 13.5)
      x += span + 16
    }
    top += row
  }

  /// A letter of an ordinary text, at most.
  private static let letter = 7.5

  /// Adds a text whose base line is at `y`; the words `end` and `middle` in `style` anchor it there.
  ///
  /// - Parameter isUpright: whether it runs upwards from there.
  mutating func text(_ text: String, x: Double, y: Double, style: String = "", isUpright: Bool = false) {
    guard !text.isEmpty else { return }
    shapes.append(Self.element(text, x: x, y: y, style: style, isUpright: isUpright))
  }

  private static func element(
    _ text: String, x: Double, y: Double, style: String, isUpright: Bool = false
  ) -> String {
    // As attributes, which every reader of SVG knows, and not only those that know CSS.
    let words = style.split(separator: " ")
    let anchor = ["end", "middle"].first { words.contains($0[...]) }.map { " text-anchor=\"\($0)\"" } ?? ""
    let attribute = style.isEmpty ? "" : " class=\"\(style)\""
    let turn = isUpright ? " transform=\"rotate(-90 \(number(x)) \(number(y)))\"" : ""
    return "<text x=\"\(number(x))\" y=\"\(number(y))\"\(anchor)\(attribute)\(turn)>\(escaped(text))</text>"
  }

  /// Adds a filled rectangle, with a text that shows under the pointer.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, style: String, opacity: Double = 1, tooltip: String? = nil
  ) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    let veil = opacity < 1 ? " fill-opacity=\"\(Self.number(opacity))\"" : ""
    shapes.append("<rect \(place) \(size) class=\"\(style)\"\(veil)>\(title(tooltip))</rect>")
  }

  /// Adds a straight line, an axis where no style is given.
  mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, style: String = "axis") {
    let ends = zip(["x1", "y1", "x2", "y2"], [x1, y1, x2, y2]).map { "\($0)=\"\(Self.number($1))\"" }
    shapes.append("<line \(ends.joined(separator: " ")) class=\"\(style)\"/>")
  }

  /// Adds a line through `points`; a single one becomes a dot.
  mutating func path(_ points: [(x: Double, y: Double)], ink: Ink, tooltip: String? = nil) {
    guard points.count > 1 else {
      for point in points { dot(x: point.x, y: point.y, ink: ink, tooltip: tooltip) }
      return
    }
    let places = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
    shapes.append("<polyline points=\"\(places)\" class=\"line \(ink.line)\">\(title(tooltip))</polyline>")
  }

  /// Adds a filled area inside `points`.
  mutating func area(_ points: [(x: Double, y: Double)], ink: Ink, tooltip: String? = nil) {
    let places = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
    shapes.append("<polygon points=\"\(places)\" class=\"area \(ink.fill)\">\(title(tooltip))</polygon>")
  }

  /// Adds a filled rectangle of one colour in light and dark.
  mutating func swatch(x: Double, y: Double, width: Double, height: Double, color: EmotionPalette.Color) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    shapes.append("<rect \(place) \(size) fill=\"\(color.hexadecimal)\"/>")
  }

  /// Adds an invisible rectangle that leads to the element `target` of the page.
  mutating func link(x: Double, y: Double, width: Double, height: Double, target: String, tooltip: String) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    shapes.append(
      "<a href=\"#\(Self.escaped(target))\"><rect \(place) \(size) class=\"place\">\(title(tooltip))</rect></a>")
  }

  /// Adds a filled dot.
  mutating func dot(x: Double, y: Double, ink: Ink, radius: Double = 3, tooltip: String? = nil) {
    shapes.append(
      "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(radius))\" class=\"\(ink.fill)\">"
        + "\(title(tooltip))</circle>")
  }

  /// Adds a circle that does not cover what is inside it.
  mutating func ring(x: Double, y: Double, ink: Ink, tooltip: String? = nil) {
    shapes.append(
      "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"6\" class=\"line \(ink.line)\">"
        + "\(title(tooltip))</circle>")
  }

  /// The picture; `summary` is what screen readers say after its title.
  func drawing(height: Double, title: String, summary: String = "") -> Drawing {
    Drawing(
      title: title, summary: summary, width: width, height: height, top: -Self.titleLine * Double(titleLines - 1),
      titleShape: self.title, shapes: shapes)
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

  /// `text` in at most `length` characters; what is cut out of its middle is marked.
  static func shortened(_ text: String, to length: Int) -> String {
    guard text.count > length else { return text }
    let kept = max(0, length - 1)
    return "\(text.prefix(kept / 2))…\(text.suffix(kept - kept / 2))"
  }

  /// A coordinate with at most two decimals, always with a point; 0 where it is no usable number.
  static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }

  /// What shows under the pointer, which a phone does not have.
  private func title(_ text: String?) -> String {
    guard layout == .wide, let text, !text.isEmpty else { return "" }
    return "<title>\(Self.escaped(text))</title>"
  }
}
