public import MienCore

/// How often the top class is right against how sure the model is, with the share of faces in each bin below
/// (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
public struct ReliabilityDiagram: Chart {
  /// What the chart shows.
  public let title: String
  private let calibration: Calibration

  /// Describes a diagram.
  public init(title: String, _ calibration: Calibration) {
    self.title = title
    self.calibration = calibration
  }

  /// The chart, legend to the right or, in a narrow one, below.
  public func drawing(_ layout: ChartLayout) -> Drawing {
    let isNarrow = layout == .narrow
    let unit = Axis([], range: 0...1, isPercent: true)
    let plot = PlotArea(
      x: unit, y: unit, left: 64, top: 56, width: isNarrow ? layout.width - 64 - 36 : 420, height: isNarrow ? 220 : 320)
    let total = calibration.bins.reduce(0) { $0 + $1.count }
    let shares = calibration.bins.map { total > 0 ? Double($0.count) / Double(total) : 0 }
    let counts = PlotArea(
      x: unit, y: Axis(shares + [0], isPercent: true), left: plot.left, top: plot.bottom + 76, width: plot.width,
      height: 90)
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    plot.draw(on: &canvas, xTitle: "probability of the top class", yTitle: "share that is right")
    counts.draw(on: &canvas, xTitle: "probability of the top class", yTitle: "share of faces")
    for (bin, share) in zip(calibration.bins, shares) {
      let (x, width) = (plot.x(bin.lower) + 1, plot.x(bin.upper) - plot.x(bin.lower) - 2)
      let range = "\(NumberText.percent(bin.lower, 0)) to \(NumberText.percent(bin.upper, 0))"
      canvas.rectangle(
        x: x, y: counts.y(share), width: width, height: counts.bottom - counts.y(share), style: "s5",
        tooltip: "\(range): \(Spelling.counted(bin.count, "face"))")
      guard let accuracy = bin.accuracy, let confidence = bin.confidence else { continue }
      canvas.rectangle(
        x: x, y: plot.y(accuracy), width: width, height: plot.bottom - plot.y(accuracy), style: "s0", opacity: 0.75,
        tooltip: "\(range): right \(NumberText.percent(accuracy, 1)), sure \(NumberText.percent(confidence, 1)), "
          + Spelling.counted(bin.count, "face"))
      // Files of earlier versions have no interval; theirs took faces as independent.
      let interval =
        bin.accuracyInterval
        ?? ProportionInterval(successes: Int((accuracy * Double(bin.count)).rounded()), of: bin.count)
      let middle = x + width / 2
      canvas.line(x1: middle, y1: plot.y(interval.lower), x2: middle, y2: plot.y(interval.upper), style: "whisker")
      for end in [interval.lower, interval.upper] {
        canvas.line(x1: middle - 3, y1: plot.y(end), x2: middle + 3, y2: plot.y(end), style: "whisker")
      }
      canvas.dot(x: plot.x(confidence), y: plot.y(confidence), ink: .series(4))
    }
    canvas.line(x1: plot.left, y1: plot.bottom, x2: plot.right, y2: plot.top, style: "guide")
    let below = counts.bottom + 46
    legend(on: &canvas, x: isNarrow ? 20 : plot.right + 20, top: isNarrow ? below + 8 : plot.top)
    return canvas.drawing(height: isNarrow ? below + 122 : below, title: title, summary: summary)
  }

  private func legend(on canvas: inout SVGCanvas, x: Double, top: Double) {
    canvas.rectangle(x: x, y: top, width: 12, height: 12, style: "s0", opacity: 0.75)
    canvas.text("right, with 95 % interval", x: x + 20, y: top + 10.5)
    canvas.dot(x: x + 6, y: top + 27, ink: .series(4))
    canvas.text("mean probability", x: x + 20, y: top + 31)
    canvas.line(x1: x - 2, y1: top + 47, x2: x + 14, y2: top + 47, style: "guide")
    canvas.text("perfect calibration", x: x + 20, y: top + 51)
    canvas.text("expected calibration error", x: x, y: top + 84, style: "value")
    canvas.text(NumberText.percent(calibration.ece), x: x, y: top + 106, style: "title")
  }

  private var summary: String {
    let bins = calibration.bins.compactMap { bin -> String? in
      guard let accuracy = bin.accuracy, let confidence = bin.confidence else { return nil }
      return "sure \(NumberText.percent(confidence, 0)), right \(NumberText.percent(accuracy, 0)), "
        + Spelling.counted(bin.count, "face")
    }
    return (["expected calibration error \(NumberText.percent(calibration.ece))"] + bins).joined(separator: "; ")
  }
}
