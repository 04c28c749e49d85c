import MienCore

/// A dot per row on one axis, with a line as long as its deviation: values that lie close together differ visibly, since
/// the axis need not begin at 0; where it begins is said then. A row's second value is a ring.
public struct DotChart: Chart {
  /// One row.
  public struct Row: Sendable {
    /// What the row is.
    public let name: String
    /// Its dots: the value of each of ``DotChart/series``; nil for none.
    public let values: [Double?]
    /// How far the first value spreads, drawn to both sides; nil if that is not known.
    public let deviation: Double?

    /// Describes a row.
    public init(name: String, values: [Double?], deviation: Double? = nil) {
      self.name = name
      self.values = values
      self.deviation = deviation
    }
  }

  /// What the chart shows.
  public let title: String
  /// What the dots of a row are; a legend names them if there are several.
  public let series: [String]
  /// The rows, from top to bottom.
  public let rows: [Row]
  /// What the axis says.
  public let axisTitle: String
  /// Whether values are shares, written as percentages.
  public let isPercent: Bool
  private let label: @Sendable (Double) -> String

  /// Describes a chart; `label` writes a value beside its row.
  public init(
    title: String, series: [String], rows: [Row], axisTitle: String, isPercent: Bool = false,
    label: @escaping @Sendable (Double) -> String
  ) {
    (self.title, self.series, self.rows, self.axisTitle, self.isPercent) = (title, series, rows, axisTitle, isPercent)
    self.label = label
  }

  /// The chart. In a narrow one, names stand above their rows.
  public func drawing(_ layout: ChartLayout) -> Drawing {
    let isNarrow = layout == .narrow
    let (width, rowHeight) = (layout.width, isNarrow ? 40.0 : 22.0)
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    var top = 36.0
    if series.count > 1 { canvas.legend(series.enumerated().map { ($1, Ink.series($0)) }, .dot, top: &top) }
    top += 4
    let longest = 7 * Double(rows.map(\.name.count).max() ?? 0) + 8
    let labelWidth = min(max(longest, 60), 216)
    let longestValue = 6.6 * Double(rows.map { text($0).count }.max() ?? 0) + 30
    let (left, right) = isNarrow ? (40.0, width - longestValue) : (20 + labelWidth + 10, width - max(150, longestValue))
    let ends = rows.flatMap { row -> [Double] in
      let deviation = row.deviation ?? 0
      return row.values.compactMap(\.self).flatMap { [$0 - deviation, $0 + deviation] }
    }
    let axis = Axis(ends, isPercent: isPercent, parts: isNarrow ? 3 : 5)
    let x = { (value: Double) in left + min(max(axis.position(value), 0), 1) * (right - left) }
    let bottom = top + Double(rows.count) * rowHeight + 4
    for tick in axis.ticks {
      canvas.line(x1: x(tick), y1: top, x2: x(tick), y2: bottom, style: "grid")
      canvas.text(axis.label(tick), x: x(tick), y: bottom + 16, style: "tick middle")
    }
    for (index, row) in rows.enumerated() {
      let y = top + Double(index) * rowHeight + (isNarrow ? 29 : 11)
      if isNarrow {
        canvas.text(SVGCanvas.shortened(row.name, to: Int((width - 40) / 7)), x: 20, y: y - 12)
      } else {
        canvas.text(
          SVGCanvas.shortened(row.name, to: Int((labelWidth - 8) / 7)), x: 20 + labelWidth, y: y + 4, style: "end")
      }
      if let value = row.values.first ?? nil, let deviation = row.deviation, Axis.isUsable(value) {
        canvas.line(x1: x(value - deviation), y1: y, x2: x(value + deviation), y2: y, style: "whisker")
        for end in [value - deviation, value + deviation] {
          canvas.line(x1: x(end), y1: y - 4, x2: x(end), y2: y + 4, style: "whisker")
        }
      }
      for (place, value) in row.values.enumerated() {
        guard let value, Axis.isUsable(value) else { continue }
        let tooltip = "\(row.name)\(series.count > 1 ? ", \(series[place % series.count])" : ""): \(label(value))"
        if place == 0 {
          canvas.dot(x: x(value), y: y, ink: .series(place), radius: 4, tooltip: tooltip)
        } else {
          canvas.ring(x: x(value), y: y, ink: .series(place), tooltip: tooltip)
        }
      }
      canvas.text(text(row), x: right + 12, y: y + 4, style: "value")
    }
    canvas.line(x1: left, y1: bottom, x2: right, y2: bottom)
    canvas.text(axisTitle + axis.startNote, x: isNarrow ? width - 20 : right, y: bottom + 34, style: "end")
    let summary = rows.map { row in
      "\(row.name) \(row.values.compactMap { $0.map(label) }.joined(separator: ", "))"
    }.joined(separator: "; ")
    return canvas.drawing(height: bottom + 46, title: title, summary: summary)
  }

  /// A row's first value with its deviation.
  private func text(_ row: Row) -> String {
    guard let value = row.values.first ?? nil else { return "" }
    return label(value) + (row.deviation.map { " ± \(label($0))" } ?? "")
  }
}
