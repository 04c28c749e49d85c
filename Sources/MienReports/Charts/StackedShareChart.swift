import MienCore

/// Shares that add up to one over time, one band an emotion, with places that lead to pictures.
struct StackedShareChart: Chart {
  /// A place on the time axis that leads elsewhere on the page.
  struct Link: Sendable {
    let seconds: Double
    /// The element's id.
    let target: String
    let tooltip: String
  }

  let title: String
  let labels: LabelSet
  /// Stretches without a gap; shares in the order of `labels`.
  let spans: [[(seconds: Double, shares: [Float])]]
  let range: ClosedRange<Double>
  let links: [Link]

  /// The chart.
  func drawing(_ layout: ChartLayout) -> Drawing {
    let isNarrow = layout == .narrow
    let (left, right, height) = (isNarrow ? 64.0 : 66, layout.width - (isNarrow ? 36 : 24), isNarrow ? 120.0 : 140)
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    var top = 30.0
    canvas.legend(labels.emotions.sorted().map { ($0.rawValue, Ink.emotion($0)) }, .square, top: &top)
    top += 6
    let axis = Axis([], range: range, parts: isNarrow ? 3 : 5)
    let x = { (seconds: Double) in left + max(0, min(1, axis.position(seconds))) * (right - left) }
    let y = { (share: Double) in top + (1 - share) * height }
    for span in spans { bands(span, &canvas, x, y) }
    for share in [0.0, 0.5, 1] {
      canvas.line(x1: left, y1: y(share), x2: right, y2: y(share), style: "grid")
      canvas.text(NumberText.percent(share, 0), x: left - 8, y: y(share) + 4, style: "tick end")
    }
    for tick in axis.ticks {
      canvas.line(x1: x(tick), y1: top + height, x2: x(tick), y2: top + height + 5)
      canvas.text(axis.label(tick) + " s", x: x(tick), y: top + height + 19, style: "tick middle")
    }
    for (index, link) in links.enumerated() {
      let here = x(link.seconds)
      let start = index == 0 ? here - 8 : (x(links[index - 1].seconds) + here) / 2
      let end = index == links.count - 1 ? here + 8 : (x(links[index + 1].seconds) + here) / 2
      canvas.link(
        x: max(left, start), y: top, width: max(1, min(right, end) - max(left, start)), height: height,
        target: link.target, tooltip: link.tooltip)
    }
    return canvas.drawing(height: top + height + 30, title: title, summary: "Stacked probabilities over time.")
  }

  private func bands(
    _ span: [(seconds: Double, shares: [Float])], _ canvas: inout SVGCanvas, _ x: (Double) -> Double,
    _ y: (Double) -> Double
  ) {
    var base = span.map { _ in 0.0 }
    for emotion in labels.emotions.sorted() {
      guard let index = labels.index(of: emotion) else { continue }
      let tops = zip(base, span).map { $0 + Double($1.1[index]) }
      let upper = zip(span, tops).map { (x: x($0.0), y: y(min(1, $1))) }
      let lower = zip(span, base).map { (x: x($0.0), y: y(min(1, $1))) }
      canvas.area(upper + lower.reversed(), ink: .emotion(emotion), tooltip: emotion.rawValue)
      base = tops
    }
  }
}
