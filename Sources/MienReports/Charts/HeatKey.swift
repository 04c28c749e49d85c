import MienCore

/// What the colours of explanation maps mean: a bar from no support to the strongest place.
struct HeatKey: Chart {
  let title = "Colours of the maps"

  /// The chart.
  func drawing(_ layout: ChartLayout) -> Drawing {
    let (left, width, steps) = (20.0, 300.0, 64)
    var canvas = SVGCanvas(layout)
    canvas.title(title)
    for step in 0..<steps {
      let place = Double(step) / Double(steps)
      let rgb = EmotionMap.blended(128, Float(step) / Float(steps - 1)).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      canvas.swatch(
        x: left + place * width, y: 34, width: width / Double(steps) + 0.5, height: 14, color: .init(rgb))
    }
    canvas.text("no support", x: left, y: 64, style: "value")
    canvas.text("the face's strongest place", x: left + width, y: 64, style: "value end")
    return canvas.drawing(height: 74, title: title, summary: "From grey over violet and red to yellow.")
  }
}
