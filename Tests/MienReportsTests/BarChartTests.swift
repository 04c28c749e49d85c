import Foundation
import FoundationXML
import MienCore
import MienReports
import Testing

@Suite struct BarChartTests {
  /// The attributes of every `rect` that is a bar, and all texts, by an XML parser.
  final class Reader: NSObject, XMLParserDelegate {
    var bars: [[String: String]] = []
    var texts: [String] = []
    private var isText = false

    static func read(_ svg: String) throws -> Reader {
      let reader = Reader()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = reader
      try #require(parser.parse(), "not well-formed: \(String(describing: parser.parserError))")
      return reader
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      if name == "rect", attributes["class"]?.first == "s" { bars.append(attributes) }
      isText = name == "text"
      if isText { texts.append("") }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if isText, !texts.isEmpty { texts[texts.count - 1] += string }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      isText = false
    }
  }

  @Test func barsAreAsLongAsTheirValues() throws {
    let chart = BarChart(title: "t", categories: ["a", "b"], series: [.init(name: "n", values: [100, 25])])
    let reader = try Reader.read(BarChart.svg([chart]))
    let widths = reader.bars.compactMap { $0["width"].flatMap(Double.init) }
    try #require(widths.count == 2)
    #expect(abs(widths[0] - 4 * widths[1]) < 0.05)
    #expect(reader.texts == ["t", "a", "100", "b", "25"])
  }

  @Test func textsAreEscaped() throws {
    let hostile = "<script>&\"'\u{1}\u{FFFF}</text>"
    let chart = BarChart(
      title: hostile, categories: [hostile], series: [.init(name: hostile, values: [1]), .init(name: "b", values: [])])
    let reader = try Reader.read(BarChart.svg([chart]))
    #expect(reader.texts.contains("<script>&\"'\u{FFFD}\u{FFFD}</text>"))
  }

  @Test func emptyAndOddValuesDrawNothingLong() throws {
    let chart = BarChart(
      title: "", categories: ["a", "b", "c"], series: [.init(name: "", values: [.nan, .infinity, -5])])
    let reader = try Reader.read(BarChart.svg([chart, BarChart(title: "", categories: [], series: [])]))
    #expect(reader.bars.map { $0["width"] } == ["0", "0", "0"])
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
    #expect(lines[0] == "3 faces of 1x1, grey, source a<b, 1 subjects, 1 sequences")
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
    #expect(try Reader.read(report.svg).texts.contains("a<b: FER+ majority, faces"))
  }
}
