import Foundation
import MienCore
import MienReports
import Testing

@Suite struct BarChartTests {
  /// The rectangles that are bars.
  private func bars(_ markup: Markup) -> [[String: String]] {
    markup.all("rect").map(\.attributes).filter { $0["class"]?.first == "s" }
  }

  @Test func barsAreAsLongAsTheirValues() throws {
    let chart = BarChart(title: "t", categories: ["a", "b"], series: [.init(name: "n", values: [100, 25])])
    let markup = try Markup(BarChart.svg([chart]))
    let widths = bars(markup).compactMap { $0["width"].flatMap(Double.init) }
    try #require(widths.count == 2)
    #expect(abs(widths[0] - 4 * widths[1]) < 0.05)
    #expect(markup.texts("text") == ["t", "a", "100", "b", "25"])
  }

  @Test func negativeBarsPointToTheLeft() throws {
    let chart = BarChart(title: "t", categories: ["a", "b"], series: [.init(name: "n", values: [100, -50])])
    let markup = try Markup(BarChart.svg([chart]))
    let places = bars(markup).map { bar in ["x", "width"].map { Double(bar[$0] ?? "") ?? .nan } }
    try #require(places.count == 2)
    #expect(abs(places[0][1] - 2 * places[1][1]) < 0.05)
    #expect(abs(places[1][0] + places[1][1] - places[0][0]) < 0.05)
    #expect(markup.texts("text") == ["t", "a", "100", "b", "-50"])
    #expect(markup.all("text", class: "end").last?.text == "-50")
  }

  /// On a phone the bars have most of the room, whatever stands beside them.
  @Test func valuesLeaveRoomForTheBars() throws {
    let chart = BarChart(
      title: "t", categories: ["cheeks and chin", "b"], series: [.init(name: "n", values: [0.626, -0.031])],
      maximum: 0.626
    ) { NumberText.fixed($0 * 100, 1) }
    let svg = chart.drawing(.narrow).document
    let markup = try Markup(svg)
    let places = bars(markup).map { bar in ["x", "width"].map { Double(bar[$0] ?? "") ?? .nan } }
    try #require(places.count == 2)
    #expect(places[0][1] > 120 && places[1][1] > 5, "\(places)")
    // The value of the bar to the left of 0 stands to the right of 0.
    let value = try #require(markup.all("text", class: "value").last)
    #expect(value.text == "-3.1" && Double(value.attributes["x"] ?? "") ?? 0 > places[0][0])
    #expect(!value.classes.contains("end"))
  }

  @Test func whatIsWrittenAsZeroStandsBesideZero() throws {
    let chart = BarChart(
      title: "t", categories: ["a", "b", "c"], series: [.init(name: "n", values: [-0.0004, 1, .nan])], maximum: 1
    ) { NumberText.fixed($0, 1) }
    let markup = try Markup(BarChart.svg([chart]))
    #expect(markup.texts("text") == ["t", "a", "0.0", "b", "1.0", "c", "undefined"])
    let values = markup.all("text", class: "value")
    #expect(values.allSatisfy { $0.attributes["text-anchor"] == nil }, "none stands to the left of its bar")
  }

  @Test func textIsAnchoredForReadersWithoutStyleSheets() throws {
    let chart = BarChart(title: "t", categories: ["a"], series: [.init(name: "n", values: [-5])])
    for text in try Markup(BarChart.svg([chart])).all("text") {
      #expect((text.attributes["text-anchor"] == "end") == text.classes.contains("end"))
    }
    #expect(!BarChart.svg([chart]).contains("text-anchor:"))
  }

  @Test func emotionsHaveTheirColours() throws {
    let chart = BarChart(
      title: "t", categories: ["a"], series: Emotion.allCases.map { .init(name: $0.rawValue, values: [1], emotion: $0) }
    )
    let svg = BarChart.svg([chart])
    for emotion in Emotion.allCases {
      #expect(svg.contains("class=\"e-\(emotion.rawValue)\""))
      for theme in EmotionPalette.Theme.allCases {
        #expect(
          svg.contains(".e-\(emotion.rawValue){fill:\(EmotionPalette.color(of: emotion, on: theme).hexadecimal)}"))
      }
    }
  }

  @Test func longLabelsHaveRoom() throws {
    func label(_ text: String) throws -> (text: String, start: Double) {
      let chart = BarChart(title: "", categories: [text], series: [.init(name: "", values: [1])])
      let label = try #require(Markup(BarChart.svg([chart])).all("text", class: "end").first)
      let end = try #require(label.attributes["x"].flatMap(Double.init))
      // Digits of DejaVu Sans, the widest of the fonts asked for, are 7.6 units wide at 12, spaces and points 3.8.
      return (label.text, end - 6.9 * Double(label.text.count))
    }
    let range = try label("0.0005096 to 0.001003")
    #expect(range.text == "0.0005096 to 0.001003" && range.start > 0)
    let endless = try label(String(repeating: "0.1 ", count: 30))
    #expect(endless.text.count < 60 && endless.start > 0)
  }

  @Test func theNamesOfManySeriesHaveRoom() throws {
    let series = (1...6).map { BarChart.Series(name: "mien-s-20260801T10111\($0)", values: [1]) }
    let markup = try Markup(BarChart.svg([BarChart(title: "", categories: ["a"], series: series)]))
    let names = markup.all("text").filter { $0.text.hasPrefix("mien-s") }
    #expect(names.count == 6)
    for name in names {
      let x = try #require(name.attributes["x"].flatMap(Double.init))
      #expect(x + 7.5 * Double(name.text.count) < 720)
    }
  }

  @Test func textsAreEscaped() throws {
    let hostile = "<script>&\"'\u{1}\u{FFFF}</text>"
    let chart = BarChart(
      title: hostile, categories: [hostile], series: [.init(name: hostile, values: [1]), .init(name: "b", values: [])])
    let markup = try Markup(BarChart.svg([chart]))
    #expect(markup.texts("text").contains("<script>&\"'\u{FFFD}\u{FFFD}</text>"))
  }

  @Test func emptyAndOddValuesDrawNothingLong() throws {
    let chart = BarChart(
      title: "", categories: ["a", "b", "c"], series: [.init(name: "", values: [.nan, .infinity, 0])])
    let markup = try Markup(BarChart.svg([chart, BarChart(title: "", categories: [], series: [])]))
    #expect(bars(markup).map { $0["width"] } == ["0", "0", "0"])
  }

  @Test func setsAreCountedByClassAndSplit() throws {
    let votes: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    let faces = try FaceSet(
      source: "a<b", labelSet: .fer2013, height: 1, width: 1, channels: 1,
      rows: [
        .init(label: .anger, split: .train, votes: votes, subject: "s", sequence: "q", sourceRow: 0),
        .init(label: .anger, split: .test, sourceRow: 1), .init(label: nil, split: .test, sourceRow: 2),
      ], pixels: Data(count: 3))
    let report = FaceSetReport(faces)
    let lines = report.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "3 faces of 1x1, grey, source a<b, 1 subject, 1 sequence")
    #expect(lines[2] == "Own labels (fer2013)  train  test  total")
    #expect(lines[3] == "anger                     1     1      2")
    #expect(
      lines.filter { $0.hasPrefix("labelled") } == [
        "labelled                  1     1      2", "labelled           1     0      1",
      ])
    #expect(
      lines.filter { $0.hasPrefix("no label") } == [
        "no label                  0     1      1", "no label           0     2      2",
      ])
    #expect(lines.contains("neutral            1     0      1"))
    #expect(try Markup(report.svg).texts("text").contains("a<b: faces by FER+ majority"))
    #expect(
      try Markup(FaceSetReport(faces, name: "a.safetensors").svg).texts("text").contains(
        "a.safetensors: faces by own label (fer2013)"))
  }
}
