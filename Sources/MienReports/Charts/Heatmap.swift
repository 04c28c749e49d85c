import MienCore

/// A confusion matrix: counts and shares of their row, the larger the share the fuller the colour.
public struct Heatmap: Sendable {
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

  /// The chart.
  public var drawing: Drawing {
    let (left, top, right) = (104.0, 74.0, 64.0)
    let width = max(720, left + 56 * Double(labels.count) + right)
    let (cell, height) = ((width - left - right) / Double(max(labels.count, 1)), 42.0)
    var canvas = SVGCanvas(width: width)
    canvas.title(title)
    canvas.text("label", x: left - 10, y: top - 8, style: "value end")
    canvas.text("read as", x: left, y: top - 26, style: "value")
    canvas.text("faces", x: width - 20, y: top - 8, style: "value end")
    for (row, name) in labels.enumerated() {
      let y = top + Double(row) * height
      let shown = SVGCanvas.shortened(name, to: 12)
      canvas.text(shown, x: left + (Double(row) + 0.5) * cell, y: top - 8, style: "middle")
      canvas.text(shown, x: left - 10, y: y + height / 2 + 4, style: "end")
      canvas.text(total(row).grouped, x: width - 20, y: y + height / 2 + 4, style: "value end")
      for column in labels.indices {
        let (count, share) = (self.count(row, column), share(row, column))
        let x = left + Double(column) * cell
        canvas.rectangle(
          x: x + 1, y: y + 1, width: cell - 2, height: height - 2, style: "s0",
          opacity: count > 0 ? 0.05 + Self.fullest * share : 0,
          tooltip:
            "\(name) read as \(labels[column]): \(count.grouped) of \(total(row).grouped), \(NumberText.percent(share, 1))"
        )
        if total(row) > 0 {
          canvas.text(NumberText.percent(share, 1), x: x + cell / 2, y: y + height / 2, style: "middle")
          canvas.text(count.grouped, x: x + cell / 2, y: y + height / 2 + 14, style: "middle small")
        }
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
    labels.indices.map { "\(labels[$0]) read rightly \(count($0, $0).grouped) times of \(total($0).grouped)" }.joined(
      separator: "; ")
  }
}
