public import MienCore

/// Horizontal bars in groups: one group per category, one bar per series.
public struct BarChart: Chart {
  /// One colour of bars.
  public struct Series: Sendable {
    /// What the colour stands for.
    public let name: String
    /// The length of the bar of each category; negative ones point to the left, and what is no number is undefined.
    public let values: [Double]
    /// The emotion that the bars are of, whose colour they have; nil for a colour by the place in the chart.
    public let emotion: Emotion?

    /// Describes a series.
    public init(name: String, values: [Double], emotion: Emotion? = nil) {
      self.name = name
      self.values = values
      self.emotion = emotion
    }

    func ink(_ index: Int) -> Ink { emotion.map(Ink.emotion) ?? .series(index) }
  }

  /// What the chart shows.
  public let title: String
  /// The names of the groups, from top to bottom.
  public let categories: [String]
  /// The bars of a group, from top to bottom; at most as many as there are colours.
  public let series: [Series]
  /// The value of the longest bar there could be; nil for the longest there is.
  public let maximum: Double?
  /// Writes a value at the end of its bar.
  private let label: @Sendable (Double) -> String

  /// Describes a chart; a value that `series` lacks counts as 0.
  public init(
    title: String, categories: [String], series: [Series], maximum: Double? = nil,
    label: (@Sendable (Double) -> String)? = nil
  ) {
    self.title = title
    self.categories = categories
    self.series = series
    self.maximum = maximum
    self.label = label ?? { Int($0.rounded()).grouped }
  }

  /// The charts below one another as one SVG document, which follows the reader's light or dark setting.
  public static func svg(_ charts: [BarChart]) -> String { drawing(charts).document }

  /// The chart by itself.
  public func drawing(_ layout: ChartLayout) -> Drawing {
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    var top = Layout.margin + Layout.line - 8
    draw(on: &canvas, layout, top: &top)
    return canvas.drawing(height: top + Layout.margin, title: title)
  }

  private static func drawing(_ charts: [BarChart]) -> Drawing {
    var canvas = SVGCanvas(.wide)
    var top = Layout.margin
    for chart in charts {
      canvas.text(chart.title, x: Layout.margin, y: top + 14, style: "title")
      top += Layout.line
      chart.draw(on: &canvas, .wide, top: &top)
      top += Layout.margin
    }
    return canvas.drawing(height: top, title: charts.map(\.title).joined(separator: "; "))
  }

  private enum Layout {
    static let margin = 20.0
    static let labelWidths = 104.0...216.0
    static let narrowLabelWidths = 60.0...114.0
    /// A letter of a label.
    static let letter = 7.0
    /// A letter of a value.
    static let valueLetter = 6.4
    /// The least room of a value in a wide chart.
    static let valueWidth = 64.0
    static let bar = 14.0
    static let groupGap = 11.0
    static let line = 24.0
  }

  /// How a value is written, and whether to the left of its bar: what is written as 0 stands on the side of 0.
  private func text(_ value: Double) -> (text: String, isLeft: Bool) {
    guard value.isFinite else { return ("undefined", false) }
    let isLeft = value < 0 && label(value) != label(-value)
    return (label(isLeft ? value : abs(value)), isLeft)
  }

  private func draw(on canvas: inout SVGCanvas, _ layout: ChartLayout, top: inout Double) {
    if series.count > 1 {
      canvas.legend(series.enumerated().map { ($1.name, $1.ink($0)) }, .square, top: &top)
    }
    let isNarrow = layout == .narrow
    let longest = Layout.letter * Double(categories.map(\.count).max() ?? 0) + 8
    let labelWidths = isNarrow ? Layout.narrowLabelWidths : Layout.labelWidths
    let labelWidth = min(max(longest, labelWidths.lowerBound), labelWidths.upperBound)
    let given = series.flatMap(\.values)
    let values = given.filter(\.isFinite)
    let texts = given.map(text)
    let longestValue = Layout.valueLetter * Double(texts.map(\.text.count).max() ?? 0) + 8
    let valueWidth = isNarrow ? longestValue : max(longestValue, Layout.valueWidth)
    let largest = max(maximum ?? values.max() ?? 0, 0)
    let least = min(values.min() ?? 0, 0)
    // On a phone the room is the bars': there the value of a bar to the left stands right of 0.
    let hasLeftValues = !isNarrow && texts.contains(where: \.isLeft)
    let left = Layout.margin + labelWidth + (hasLeftValues ? valueWidth + 24 : 0)
    let room = layout.width - left - valueWidth - Layout.margin
    let unit = largest - least > 1e-300 ? room / (largest - least) : 0
    let zero = left - least * unit
    let start = top
    let height = Double(max(series.count, 1)) * Layout.bar
    for (group, category) in categories.enumerated() {
      canvas.text(
        SVGCanvas.shortened(category, to: Int((labelWidth - 8) / Layout.letter)), x: Layout.margin + labelWidth - 8,
        y: top + height / 2 + 4.5, style: "end")
      for (index, entry) in series.enumerated() {
        let given = group < entry.values.count ? entry.values[group] : 0
        let value = given.isFinite ? given : 0
        let length = abs(min(value, largest)) * unit
        let written = text(given)
        let y = top + Double(index) * Layout.bar
        canvas.rectangle(
          x: value < 0 ? zero - length : zero, y: y + 0.5, width: length, height: Layout.bar - 1,
          style: entry.ink(index).fill,
          tooltip: "\(category), \(entry.name): \(written.text)")
        let isLeft = written.isLeft && hasLeftValues
        let end = isLeft ? zero - length - 5 : value < 0 && isNarrow ? zero + 5 : zero + length + 5
        canvas.text(written.text, x: end, y: y + Layout.bar - 3, style: isLeft ? "value end" : "value")
      }
      top += height + Layout.groupGap
    }
    canvas.line(x1: zero, y1: start - 4, x2: zero, y2: top - Layout.groupGap + 4)
  }
}
