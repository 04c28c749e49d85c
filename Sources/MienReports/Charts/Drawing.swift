/// A finished chart, to stand alone as an SVG file or inside a ``Report``.
public struct Drawing: Sendable {
  /// What the chart shows.
  public let title: String
  /// What a screen reader says after the title; may be empty.
  public let summary: String
  let width: Double
  let height: Double
  /// The upper edge: above 0 if something is cut off there, below it if a title takes several lines.
  var top = 0.0
  /// The title as an element, in the topmost ``SVGCanvas/titleHeight`` units; nil if it is left out.
  let titleShape: String?
  let shapes: [String]

  /// The chart without the title in the picture, for a page whose heading says it; screen readers still hear it.
  public var untitled: Drawing {
    Drawing(
      title: title, summary: summary, width: width, height: height, top: SVGCanvas.titleHeight, titleShape: nil,
      shapes: shapes)
  }

  /// The chart as an SVG file, which follows the reader's light or dark setting.
  public var document: String {
    let size = "width=\"\(SVGCanvas.number(width))\" height=\"\(SVGCanvas.number(height))\""
    return """
      \(opening(viewBox: (0, width), attributes: size))
      <style>\(SVGCanvas.style)</style>
      <rect \(size) class="ground"/>
      \(elements)
      </svg>

      """
  }

  private var elements: String { (titleShape.map { [$0] + shapes } ?? shapes).joined(separator: "\n") }

  /// What every chart leaves free at its sides.
  private static let margin = 18.0

  /// The chart for a page that holds ``SVGCanvas/style`` already, without its margins at the sides.
  ///
  /// - Parameter style: classes beside `chart`.
  func inline(_ style: String) -> String {
    """
    \(opening(viewBox: (Self.margin, width - 2 * Self.margin), attributes: "class=\"chart \(style)\""))
    \(elements)
    </svg>
    """
  }

  private func opening(viewBox: (left: Double, width: Double), attributes: String) -> String {
    let description = summary.isEmpty ? "" : "<desc>\(SVGCanvas.escaped(summary))</desc>"
    let box = [viewBox.left, top, viewBox.width, height - top].map(SVGCanvas.number).joined(separator: " ")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="\(box)" \
      \(attributes) role="img" aria-label="\(SVGCanvas.escaped(title))">\(description)
      """
  }
}
