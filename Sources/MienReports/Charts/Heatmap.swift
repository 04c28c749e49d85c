import MienCore

/// A confusion matrix: counts and shares of their row, the larger the share the fuller the colour. Cells without a face
/// stay empty.
public struct Heatmap: Chart {
  /// What the chart shows.
  public let title: String
  /// The names of rows and columns.
  public let labels: [String]
  /// Counts, a row a true class and a column a predicted one, [K, K].
  public let counts: [[Int]]

  /// Describes a matrix; counts that are missing are 0.
  public init(title: String, labels: [String], counts: [[Int]]) {
    self.title = title
    self.labels = labels
    self.counts = counts
  }

  /// The chart. In a narrow one, the names of columns run upwards and shares are whole numbers.
  public func drawing(_ layout: ChartLayout) -> Drawing {
    let isNarrow = layout == .narrow
    let (left, top, right) = isNarrow ? (88.0, 118.0, 48.0) : (104.0, 74.0, 64.0)
    let least = isNarrow ? 24.0 : 56.0
    let width = max(layout.width, left + least * Double(labels.count) + right)
    let (cell, height) = ((width - left - right) / Double(max(labels.count, 1)), isNarrow ? 34.0 : 42.0)
    var canvas = SVGCanvas(layout, width: width)
    canvas.title(title)
    canvas.text("label", x: left - 10, y: top - 8, style: "value end")
    canvas.text(
      isNarrow ? "predicted as, % of the label" : "predicted as", x: left, y: isNarrow ? 40 : top - 26, style: "value")
    canvas.text("faces", x: width - 20, y: top - 8, style: "value end")
    for (row, name) in labels.enumerated() {
      let y = top + Double(row) * height
      let shown = SVGCanvas.shortened(name, to: isNarrow ? 10 : 12)
      let middle = left + (Double(row) + 0.5) * cell
      canvas.text(
        shown, x: isNarrow ? middle + 4 : middle, y: top - 8, style: isNarrow ? "" : "middle", isUpright: isNarrow)
      canvas.text(shown, x: left - 10, y: y + height / 2 + 4, style: "end")
      canvas.text(total(row).grouped, x: width - 20, y: y + height / 2 + 4, style: "value end")
      if total(row) == 0 { canvas.text("no face with this label", x: left + 8, y: y + height / 2 + 4, style: "value") }
      for column in labels.indices {
        let (count, share) = (self.count(row, column), share(row, column))
        let x = left + Double(column) * cell
        canvas.rectangle(
          x: x + 1, y: y + 1, width: cell - 2, height: height - 2, style: "s0",
          opacity: count > 0 ? 0.05 + Self.fullest * share : 0,
          tooltip:
            "\(name) read as \(labels[column]): \(count.grouped) of \(total(row).grouped), \(NumberText.percent(share, 1))"
        )
        guard count > 0 else { continue }
        canvas.text(
          isNarrow ? NumberText.fixed(100 * share, 0) : NumberText.percent(share, 1), x: x + cell / 2,
          y: y + height / 2,
          style: "middle")
        canvas.text(
          count.grouped, x: x + cell / 2, y: y + height / 2 + (isNarrow ? 11 : 14),
          style: isNarrow ? "middle tiny" : "middle small")
      }
    }
    let bottom = top + Double(labels.count) * height
    return canvas.drawing(height: bottom + 16, title: title, summary: summary)
  }

  /// Colour at a share of 1: any fuller, and the text on it would be hard to read.
  private static let fullest = 0.55

  private func count(_ row: Int, _ column: Int) -> Int {
    counts.indices.contains(row) && counts[row].indices.contains(column) ? counts[row][column] : 0
  }

  private func total(_ row: Int) -> Int { labels.indices.reduce(0) { $0 + count(row, $1) } }

  private func share(_ row: Int, _ column: Int) -> Double {
    total(row) > 0 ? Double(count(row, column)) / Double(total(row)) : 0
  }

  private var summary: String {
    labels.indices.map {
      "\(labels[$0]) classified correctly \(count($0, $0).grouped) times of \(total($0).grouped)"
    }
    .joined(separator: "; ")
  }
}
