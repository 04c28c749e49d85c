import Foundation
import MienCore
import MienReports
import Testing

@Suite struct ChartTests {
  private let hostile = "<script>&\"'\u{1}</text>"

  /// The places of each polyline.
  private func lines(_ markup: Markup) -> [[(x: Double, y: Double)]] {
    markup.all("polyline").map { element in
      (element.attributes["points"] ?? "").split(separator: " ").map { pair in
        let numbers = pair.split(separator: ",").compactMap { Double($0) }
        return (numbers[0], numbers[1])
      }
    }
  }

  @Test func linesFollowTheirValues() throws {
    let chart = LineChart(
      title: "t", xTitle: "epoch", yTitle: "loss",
      series: [.init(name: "a", points: [.init(1, 0), .init(2, 5), .init(3, 10)])])
    let markup = try Markup(chart.drawing.document)
    // The first polyline is the line, the second its sample in the legend.
    let line = lines(markup)[0]
    #expect(line.count == 3)
    #expect(abs(line[1].x - (line[0].x + line[2].x) / 2) < 0.02 && abs(line[1].y - (line[0].y + line[2].y) / 2) < 0.02)
    #expect(line[0].y > line[2].y)
    #expect(markup.texts("text").contains("10") && markup.texts("text").contains("epoch"))
    #expect(markup.texts("desc") == ["loss over epoch; a ends at 10.0000"])
  }

  @Test func linesBreakAtGapsAndSurviveOddValues() throws {
    let chart = LineChart(
      title: hostile, xTitle: hostile, yTitle: hostile,
      series: [
        .init(
          name: hostile,
          points: [.init(1, 1), .init(2, .nan), .init(3, .infinity), .init(4, 2), .init(5, 1e300), .init(6, 3)]),
        .init(name: "none", points: []),
      ])
    let markup = try Markup(chart.drawing.document)
    // Three dots for the three lone points; lines are only in the legend.
    #expect(markup.all("circle").count == 3 && markup.all("polyline").count == 2)
    #expect(markup.texts("text").contains("<script>&\"'\u{FFFD}</text>"))
    _ = try Markup(LineChart(title: "", xTitle: "", yTitle: "", series: []).drawing.document)
  }

  @Test(arguments: [
    ([1.0], ["1"]), ([1.0, 2.0, 3.0], ["1", "2", "3"]), ([0.5, 1.5], ["0.6", "0.8", "1.0", "1.2", "1.4"]),
  ])
  func epochsHaveWholeTicks(epochs: [Double], ticks: [String]) throws {
    let chart = LineChart(
      title: "", xTitle: "epoch", yTitle: "", series: [.init(name: "a", points: epochs.map { .init($0, $0) })])
    #expect(try Markup(chart.drawing.document).all("text", class: "middle").map(\.text) == ticks)
  }

  @Test func aSmallConstantIsNotDrawnAsZero() throws {
    let chart = LineChart(
      title: "", xTitle: "epoch", yTitle: "", series: [.init(name: "a", points: [.init(1, 0.001), .init(2, 0.001)])])
    let ticks = try Markup(chart.drawing.document).all("text", class: "end").filter { $0.classes.contains("tick") }
    #expect(ticks.map(\.text) == ["0.0004", "0.0006", "0.0008", "0.0010", "0.0012", "0.0014", "0.0016"])
  }

  @Test(arguments: [(0.5, 0.9, "accuracy (axis from 50 %)"), (0, 0.9, "accuracy"), (-0.5, 0.9, "accuracy")])
  func anAxisThatDoesNotBeginAtZeroSaysSo(low: Double, high: Double, title: String) throws {
    let chart = LineChart(
      title: "", xTitle: "epoch", yTitle: "accuracy",
      series: [.init(name: "", points: [.init(1, low), .init(2, high)])], isPercent: true)
    let texts = try Markup(chart.drawing.document).texts("text")
    #expect(texts.contains(title), "\(texts)")
    // A line without a name needs no legend.
    #expect(try lines(Markup(chart.drawing.document)).count == 1)
  }

  @Test func marksStandAboveThePlot() throws {
    let chart = LineChart(
      title: "t", xTitle: "epoch", yTitle: "y", series: [.init(name: "a", points: [.init(1, 5), .init(2, 1)])],
      mark: (1, "best epoch 1"))
    let markup = try Markup(chart.drawing.document)
    let mark = try #require(
      markup.all("text").first { $0.text == "best epoch 1" }?.attributes["y"].flatMap(Double.init))
    let highest = try #require(lines(markup)[0].map(\.y).min())
    #expect(mark < highest)
  }

  private var everyKind: [any Chart] {
    get throws {
      let metrics = try Samples.metrics(count: 210)
      let emotions = metrics.labels.emotions
      let shares = [0.995, 0.5, 0.25]
      return [
        LineChart(
          title: "A title that is too long for one line of a phone's screen", xTitle: "epoch",
          yTitle: "share of faces classified correctly",
          series: (1...7).map { index in
            .init(
              name: "fer2013, validation \(index)", points: (0..<60).map { .init(Double($0), 0.7 + Double($0) / 250) })
          }, isPercent: true, mark: (50, "best epoch 50")),
        LineChart(
          title: "ROC", xTitle: "false positive rate", yTitle: "true positive rate",
          series: emotions.compactMap { emotion in
            metrics.rocCurve(of: emotion).map { curve in
              .init(
                name: "\(emotion.rawValue), AUC 0.9999",
                points: curve.points.map { .init($0.falsePositiveRate, $0.truePositiveRate) })
            }
          }, isUnitSquare: true),
        BarChart(
          title: "Falls", categories: ["cheeks and chin", "brows", "eyes"],
          series: emotions.map { .init(name: "\($0.rawValue) (n = 1234)", values: [0.4, -0.2, .nan], emotion: $0) }
        ) { NumberText.fixed($0 * 100, 1) + " points" },
        DotChart(
          title: "Trials", series: ["mean", "best"],
          rows: (1...20).map { .init(name: "\($0): 20 epochs", values: shares, deviation: 0.0321) },
          axisTitle: "balanced accuracy", isPercent: true
        ) { NumberText.percent($0) },
        Heatmap(
          title: "c", labels: Emotion.allCases.map(\.rawValue),
          counts: Emotion.allCases.map { _ in Emotion.allCases.map { _ in 1234 } }),
        ReliabilityDiagram(title: "r", metrics.calibration),
      ]
    }
  }

  /// On a phone, letters are as large as elsewhere, and everything is inside.
  @Test func chartsFitAPhone() throws {
    for chart in try everyKind {
      let section = ReportSection(title: "s", blocks: [.chart(chart, caption: nil)])
      let markup = try Markup(Report(title: "t", sections: [section]).html)
      let starts = markup.elements.indices.filter { markup.elements[$0].name == "svg" }
      try #require(starts.count == 2 && markup.elements[starts[1]].classes == ["chart", "narrow"])
      let box = (markup.elements[starts[1]].attributes["viewBox"] ?? "").split(separator: " ").compactMap { Double($0) }
      try #require(box.count == 4 && box[2] < 320)
      let (left, right) = (box[0], box[0] + box[2])
      for element in markup.elements[starts[1]...] {
        func number(_ name: String) -> Double? { element.attributes[name].flatMap(Double.init) }
        for x in ["x", "x1", "x2", "cx"].compactMap(number) {
          #expect((left...right).contains(x), "\(chart.title): \(element)")
        }
        if let x = number("x"), let width = number("width") {
          #expect(x + width <= right, "\(chart.title): \(element)")
        }
        guard element.name == "text", element.attributes["transform"] == nil, let x = number("x") else { continue }
        let y = number("y") ?? .nan
        #expect((box[1]...(box[1] + box[3])).contains(y), "\(chart.title): \(element)")
        // A small letter is some 5.5 units wide.
        let length = 5.5 * Double(element.text.count)
        let start =
          element.classes.contains("end") ? x - length : element.classes.contains("middle") ? x - length / 2 : x
        let slack = 4.0
        #expect(start >= left - slack && start + length <= right + slack, "\(chart.title): \(element)")
      }
    }
  }

  @Test func manyLinesDiffer() throws {
    let series = (0..<16).map { index in
      LineChart.Series(
        name: "runs/reproduce/official/system-\(index + 10)", points: [.init(1, 0), .init(2, Double(index))])
    }
    let markup = try Markup(LineChart(title: "", xTitle: "", yTitle: "", series: series).drawing.document)
    // Line and sample in the legend look alike, and like no other.
    let looks = markup.all("polyline").map { $0.attributes["class"] ?? "" }
    #expect(looks.count == 32 && Set(looks).count == 16)
    #expect(markup.texts("style").first?.contains(".d1{stroke-dasharray:") == true)
    let names = markup.texts("text").filter { $0.contains("…") }
    #expect(names.count == 16 && Set(names).count == 16 && names.allSatisfy { $0.count == 20 })
  }

  @Test func rocCurvesLoseNoCorner() throws {
    let metrics = try Samples.metrics(count: 7000)
    let curve = try #require(metrics.rocCurve(of: .anger))
    let chart = LineChart(
      title: "ROC", xTitle: "x", yTitle: "y",
      series: [.init(name: "anger", points: curve.points.map { .init($0.falsePositiveRate, $0.truePositiveRate) })],
      isUnitSquare: true)
    let line = try lines(Markup(chart.drawing.document))[0]
    #expect(line.count < 2000)
    // The area under the drawn line is the AUC, in the plot's units.
    let (width, height) = (line.last!.x - line[0].x, line[0].y - line.last!.y)
    let area = zip(line, line.dropFirst()).reduce(0) { sum, step in
      sum + (step.1.x - step.0.x) * (line[0].y - (step.0.y + step.1.y) / 2)
    }
    #expect(abs(area / (width * height) - curve.area) < 0.003)
  }

  @Test func theBusyCornerOfROCCurvesIsEnlarged() throws {
    let curve = [(0.0, 0.0), (0.0, 0.7), (0.1, 0.9), (0.3, 0.95), (1, 1)].map { LineChart.Point($0.0, $0.1) }
    let chart = LineChart(
      title: "ROC", xTitle: "x", yTitle: "y", series: [.init(name: "fear", points: curve, emotion: .fear)],
      isUnitSquare: true)
    let markup = try Markup(chart.drawing.document)
    // The whole curve, its sample in the legend, and its part in the corner.
    let drawn = lines(markup)
    try #require(drawn.count == 3)
    let (whole, corner) = (drawn[0], drawn[2])
    // It enters at 80 % on its way from 70 to 90, and leaves at 20 % on its way from 90 to 95.
    let (unit, inner) = (420.0, 140.0)
    let (left, bottom) = (corner[0].x - 0.05 / 0.2 * inner, corner[0].y)
    #expect(abs(corner[1].x - (left + 0.5 * inner)) < 0.1 && abs(corner[1].y - (bottom - 0.5 * inner)) < 0.1)
    let last = try #require(corner.last)
    #expect(abs(last.x - (left + inner)) < 0.1 && abs(last.y - (bottom - 0.625 * inner)) < 0.1)
    #expect(abs((whole.last?.x ?? 0) - whole[0].x - unit) < 0.1)
    #expect(markup.all("polyline").allSatisfy { $0.classes.contains("le-fear") })
    // A curve that never comes there is not drawn there.
    let chance = LineChart(
      title: "", xTitle: "", yTitle: "", series: [.init(name: "a", points: [.init(0, 0), .init(1, 1)])],
      isUnitSquare: true)
    #expect(try lines(Markup(chance.drawing.document)).count == 2)
  }

  @Test func dotsThatLieCloseTogetherDifferVisibly() throws {
    let chart = DotChart(
      title: "loss", series: ["loss"],
      rows: [
        .init(name: "1", values: [1.708], deviation: 0.02), .init(name: "2", values: [1.810]),
        .init(name: "3", values: [nil]),
      ], axisTitle: "loss"
    ) { NumberText.fixed($0, 3) }
    let markup = try Markup(chart.drawing.document)
    let places = markup.all("circle").compactMap { Double($0.attributes["cx"] ?? "") }
    try #require(places.count == 2)
    #expect(places[1] - places[0] > 200, "a bar from 0 would differ by a twentieth of its length")
    #expect(markup.texts("text").contains("1.708 ± 0.020") && markup.texts("text").contains("1.810"))
    // The deviation is drawn to both sides, with an end on each.
    let whiskers = markup.all("line", class: "whisker").map { line in
      ["x1", "x2"].map { Double(line.attributes[$0] ?? "") ?? .nan }
    }
    try #require(whiskers.count == 3)
    #expect(abs((whiskers[0][0] + whiskers[0][1]) / 2 - places[0]) < 0.1 && whiskers[0][1] > whiskers[0][0])
    _ = try Markup(DotChart(title: "", series: [], rows: [], axisTitle: "") { "\($0)" }.drawing.document)
  }

  @Test func heatmapShowsCountsAndShares() throws {
    let chart = Heatmap(title: "c", labels: ["a", "b", hostile], counts: [[3, 1, 0], [0, 2, 0], []])
    let markup = try Markup(chart.drawing.document)
    let texts = markup.texts("text")
    #expect(texts.contains("75.0 %") && texts.contains("25.0 %") && texts.contains("100.0 %"))
    #expect(!texts.contains("0.0 %") && texts.count { $0 == "no face with this label" } == 1)
    let cells = markup.all("rect", class: "s0").map { Double($0.attributes["fill-opacity"] ?? "1") ?? 1 }
    try #require(cells.count == 9)
    #expect(cells[4] > cells[0] && cells[0] > cells[1] && cells[1] > cells[2] && cells[2] == 0)
    #expect(markup.texts("title").contains("a read as b: 1 of 4, 25.0 %"))
  }

  @Test func reliabilityBarsAreAsHighAsAccuracy() throws {
    let metrics = try Samples.metrics(count: 400)
    let markup = try Markup(ReliabilityDiagram(title: "r", metrics.calibration).drawing.document)
    let heights = markup.all("rect", class: "s0").dropLast().compactMap { Double($0.attributes["height"] ?? "") }
    let accuracies = metrics.calibration.bins.compactMap(\.accuracy)
    try #require(heights.count == accuracies.count && accuracies.count > 5)
    for (height, accuracy) in zip(heights, accuracies) { #expect(abs(height / 320 - accuracy) < 0.001) }
    #expect(markup.texts("text").contains(NumberText.percent(metrics.calibration.ece)))
  }

  @Test func reliabilityWhiskersSpanTheIntervalsByPerson() throws {
    let metrics = try Samples.metrics(count: 400)
    let calibration = metrics.calibration(FaceClusters(unit: .person, keys: (0..<400).map { $0 / 20 }))
    let markup = try Markup(ReliabilityDiagram(title: "r", calibration).drawing.document)
    func number(_ line: Markup.Element, _ name: String) -> Double { Double(line.attributes[name] ?? "") ?? .nan }
    let heights = markup.all("line", class: "whisker").filter { number($0, "x1") == number($0, "x2") }
      .map { (number($0, "y1") - number($0, "y2")) / 320 }
    let intervals = calibration.bins.compactMap(\.accuracyInterval)
    try #require(heights.count == intervals.count && intervals.count > 5)
    for (height, interval) in zip(heights, intervals) {
      #expect(abs(height - (interval.upper - interval.lower)) < 0.001)
    }
    #expect(intervals != metrics.calibration.bins.compactMap(\.accuracyInterval))
  }

  @Test(arguments: [
    (0.85004, 2, "0.85"), (-0.005, 1, "0.0"), (-1.25, 1, "-1.3"), (3, 0, "3"), (.nan, 2, "-"), (1e300, 2, "1e+300"),
  ])
  func numbersHaveFixedDecimals(value: Double, decimals: Int, text: String) {
    #expect(NumberText.fixed(value, decimals) == text)
  }

  @Test(arguments: [(4.21, "4.2 s"), (725, "12 min 5 s"), (5400, "1 h 30 min"), (-1, "-"), (.infinity, "-")])
  func timesAreReadable(seconds: Double, text: String) { #expect(NumberText.duration(seconds) == text) }
}
