public import MienCore

/// Lines over a common axis: curves of training, ROC curves, accuracy by severity. Where every horizontal value is whole,
/// as an epoch is, so are the ticks.
public struct LineChart: Chart {
  /// One place on a line.
  public struct Point: Sendable, Equatable {
    /// Along the horizontal axis.
    public let x: Double
    /// Along the vertical axis; a line breaks where it is not finite.
    public let y: Double

    /// A place.
    public init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One line.
  public struct Series: Sendable {
    /// What the line stands for; empty if the chart's title says it, and a legend need not.
    public let name: String
    /// Its places, from left to right.
    public let points: [Point]
    /// The emotion that the line is of, whose colour it has; nil for a colour by the place in the chart.
    public let emotion: Emotion?

    /// Describes a line.
    public init(name: String, points: [Point], emotion: Emotion? = nil) {
      self.name = name
      self.points = points
      self.emotion = emotion
    }

    fileprivate func ink(_ index: Int) -> Ink { emotion.map(Ink.emotion) ?? .series(index) }
  }

  /// What the chart shows.
  public var title: String
  /// What the horizontal axis says.
  public var xTitle: String
  /// What the vertical axis says.
  public var yTitle: String
  /// The lines, in the order of the legend.
  public var series: [Series]
  /// The ends of the vertical axis; nil to follow the lines.
  public var yRange: ClosedRange<Double>?
  /// Whether vertical values are shares, written as percentages.
  public var isPercent: Bool
  /// Whether horizontal values are, too.
  public var isXPercent: Bool
  /// Whether the plot is a square from 0 to 1 with its diagonal, as for ROC curves, and its upper left corner, where good
  /// classifiers are, once more enlarged.
  public var isUnitSquare: Bool
  /// A horizontal place to mark, and what it is.
  public var mark: (x: Double, name: String)?

  /// Describes a chart.
  public init(
    title: String, xTitle: String, yTitle: String, series: [Series], yRange: ClosedRange<Double>? = nil,
    isPercent: Bool = false, isXPercent: Bool = false, isUnitSquare: Bool = false,
    mark: (x: Double, name: String)? = nil
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
    self.yRange = yRange
    self.isPercent = isPercent
    self.isXPercent = isXPercent
    self.isUnitSquare = isUnitSquare
    self.mark = mark
  }

  /// The chart, legend to the right or, in a narrow one, below.
  public func drawing(_ layout: ChartLayout) -> Drawing {
    let isNarrow = layout == .narrow
    let y = Axis(points.map(\.y), range: isUnitSquare ? 0...1 : yRange, isPercent: isPercent || isUnitSquare)
    // Beside the axis stand its ticks, in letters of seven units.
    let left = max(58, 28 + 7 * Double(y.ticks.map { y.label($0).count }.max() ?? 0))
    let named = series.enumerated().filter { !$1.name.isEmpty }
    let right = isNarrow ? layout.width - 36 : isUnitSquare ? left + 420 : named.isEmpty ? layout.width - 40 : 518
    let x = Axis(
      points.map(\.x), range: isUnitSquare ? 0...1 : extent, isPercent: isUnitSquare || isXPercent,
      isWhole: !isUnitSquare && !isXPercent && points.allSatisfy { $0.x == $0.x.rounded() }, parts: isNarrow ? 3 : 5)
    let plot = PlotArea(
      x: x, y: y, left: left, top: mark == nil ? 56 : 66, width: right - left,
      height: isUnitSquare ? right - left : isNarrow ? 190 : 250)
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    plot.draw(
      on: &canvas, xTitle: xTitle + (isXPercent ? x.startNote : ""), yTitle: yTitle + y.startNote,
      yTitleLift: plot.top - 42)
    if isUnitSquare {
      canvas.line(x1: plot.left, y1: plot.bottom, x2: plot.right, y2: plot.top, style: "guide")
    }
    if let mark, Axis.isUsable(mark.x) {
      let x = plot.x(mark.x)
      canvas.line(x1: x, y1: plot.top - 8, x2: x, y2: plot.bottom, style: "guide")
      // The name stands above the plot, on the side that has more room.
      let isRight = x > (plot.left + plot.right) / 2
      canvas.text(mark.name, x: x + (isRight ? -5 : 5), y: plot.top - 4, style: isRight ? "value end" : "value")
    }
    for (index, entry) in series.enumerated() {
      for piece in pieces(entry, plot) { canvas.path(piece, ink: entry.ink(index), tooltip: entry.name) }
      if !isNarrow, !entry.name.isEmpty { sample(of: entry, index, beside: plot, on: &canvas) }
    }
    var bottom = plot.bottom + 46
    if isNarrow {
      if !named.isEmpty { canvas.legend(named.map { ($1.name, $1.ink($0)) }, .line, top: &bottom) }
      if isUnitSquare { bottom = corner(on: &canvas, left: plot.left, top: bottom + 34, side: 180) }
    } else {
      let legend = plot.top + 8 + 20 * Double(series.count)
      bottom = max(
        bottom,
        isUnitSquare ? corner(on: &canvas, left: plot.right + 58, top: legend + 34, side: 140) + 10 : legend + 10)
    }
    return canvas.drawing(height: bottom, title: title, summary: summary)
  }

  /// Names a line to the right of the plot.
  private func sample(of entry: Series, _ index: Int, beside plot: PlotArea, on canvas: inout SVGCanvas) {
    let (x, y) = (plot.right + 20, plot.top + 8 + 20 * Double(index))
    canvas.path([(x, y - 4), (x + 24, y - 4)], ink: entry.ink(index), tooltip: entry.name)
    canvas.text(SVGCanvas.shortened(entry.name, to: isUnitSquare ? 25 : 20), x: x + 30, y: y)
  }

  /// How much of the unit square the enlarged corner shows, to the right and downwards.
  private static let cornerSide = 0.2

  /// Draws the upper left corner of the unit square, enlarged.
  ///
  /// - Returns: where it ends.
  private func corner(on canvas: inout SVGCanvas, left: Double, top: Double, side: Double) -> Double {
    let plot = PlotArea(
      x: Axis([], range: 0...Self.cornerSide, isPercent: true),
      y: Axis([], range: (1 - Self.cornerSide)...1, isPercent: true), left: left, top: top, width: side, height: side)
    canvas.text("The corner, enlarged", x: left - 38, y: top - 14, style: "value")
    plot.draw(on: &canvas, xTitle: "", yTitle: "")
    for (index, entry) in series.enumerated() {
      let inside = Series(name: entry.name, points: Self.clipped(entry.points), emotion: entry.emotion)
      for piece in pieces(inside, plot) where piece.count > 1 {
        canvas.path(piece, ink: entry.ink(index), tooltip: entry.name)
      }
    }
    return plot.bottom + 30
  }

  /// The part of a rising curve that the enlarged corner shows, cut at its edges.
  private static func clipped(_ points: [Point]) -> [Point] {
    let (right, floor) = (cornerSide, 1 - cornerSide)
    var shown: [Point] = []
    for (first, second) in zip(points, points.dropFirst())
    where second.y >= floor && first.x <= right && first.x.isFinite && second.x.isFinite {
      func at(_ share: Double) -> Point {
        Point(first.x + share * (second.x - first.x), first.y + share * (second.y - first.y))
      }
      let entry = first.y < floor ? at((floor - first.y) / (second.y - first.y)) : first
      let exit = second.x > right ? at((right - first.x) / (second.x - first.x)) : second
      guard entry.x <= right, exit.y >= floor else { continue }
      if shown.isEmpty { shown.append(entry) }
      shown.append(exit)
    }
    return shown
  }

  private var points: [Point] {
    series.flatMap(\.points).filter { Axis.isUsable($0.x) && Axis.isUsable($0.y) }
  }

  private var extent: ClosedRange<Double>? {
    guard let least = points.map(\.x).min(), let most = points.map(\.x).max() else { return nil }
    return least...most
  }

  private var summary: String {
    let ends = series.compactMap { entry -> String? in
      guard let last = entry.points.last(where: { Axis.isUsable($0.y) }), !isUnitSquare else { return nil }
      let value = isPercent ? NumberText.percent(last.y) : NumberText.fixed(last.y, 4)
      return "\(entry.name) ends at \(value)".trimmingPrefix(" ").description
    }
    return (["\(yTitle) over \(xTitle)"] + (isUnitSquare ? series.map(\.name) : ends)).joined(separator: "; ")
  }

  /// The line's unbroken parts in the picture's units. Places closer than half a unit to the last one drawn are left
  /// out: a ROC curve has a point a face.
  private func pieces(_ series: Series, _ plot: PlotArea) -> [[(x: Double, y: Double)]] {
    var pieces: [[(x: Double, y: Double)]] = [[]]
    for (index, point) in series.points.enumerated() {
      guard Axis.isUsable(point.x), Axis.isUsable(point.y) else {
        if pieces.last?.isEmpty == false { pieces.append([]) }
        continue
      }
      let place = (
        x: plot.x(point.x), y: plot.y(min(max(point.y, plot.yAxis.range.lowerBound), plot.yAxis.range.upperBound))
      )
      let isLast = index + 1 == series.points.count || !Axis.isUsable(series.points[index + 1].y)
      if let last = pieces.last?.last, !isLast, abs(last.x - place.x) + abs(last.y - place.y) < 0.5 { continue }
      pieces[pieces.count - 1].append(place)
    }
    return pieces.filter { !$0.isEmpty }
  }
}

/// A rectangle with an axis on two sides.
struct PlotArea {
  let xAxis: Axis
  let yAxis: Axis
  let left: Double
  let top: Double
  let width: Double
  let height: Double

  init(x: Axis, y: Axis, left: Double, top: Double, width: Double, height: Double) {
    (xAxis, yAxis) = (x, y)
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
  }

  var right: Double { left + width }
  var bottom: Double { top + height }

  func x(_ value: Double) -> Double { left + width * xAxis.position(value) }
  func y(_ value: Double) -> Double { bottom - height * yAxis.position(value) }

  /// Draws grid, ticks and titles, that of the vertical axis `yTitleLift` above the plot.
  func draw(on canvas: inout SVGCanvas, xTitle: String, yTitle: String, yTitleLift: Double = 14) {
    for tick in yAxis.ticks {
      canvas.line(x1: left, y1: y(tick), x2: right, y2: y(tick), style: "grid")
      canvas.text(yAxis.label(tick), x: left - 7, y: y(tick) + 4, style: "tick end")
    }
    for tick in xAxis.ticks {
      canvas.line(x1: x(tick), y1: bottom, x2: x(tick), y2: bottom + 4)
      canvas.text(xAxis.label(tick), x: x(tick), y: bottom + 17, style: "tick middle")
    }
    canvas.line(x1: left, y1: bottom, x2: right, y2: bottom)
    canvas.line(x1: left, y1: top, x2: left, y2: bottom)
    canvas.text(xTitle, x: right, y: bottom + 35, style: "end")
    canvas.text(yTitle, x: 20, y: top - yTitleLift)
  }
}
