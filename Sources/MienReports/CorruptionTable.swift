public import MienCore

/// Accuracy on corrupted faces as a table: a row a corruption, a column a severity, and their mean.
public struct CorruptionTable: Sendable {
  private let results: [CorruptionResult]
  private let clean: Double
  /// The corruptions, in the order measured.
  public let names: [String]

  /// Lays out `results` beside the accuracy on the faces as they are.
  public init(_ results: [CorruptionResult], clean: Double) {
    self.results = results
    self.clean = clean
    names = results.reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } }
  }

  /// The table.
  public var table: TextTable {
    let severities = Set(results.map(\.severity)).sorted()
    var table = TextTable(header: ["corruption", "none"] + severities.map(String.init) + ["mean", "parameter"])
    for name in names {
      let rows = results.filter { $0.name == name }.sorted { $0.severity < $1.severity }
      // `sigma, px` and the values are written as `sigma 0.5, 1, 1.5 px`.
      let parts = (rows.first?.parameter ?? "").split(separator: ", ", maxSplits: 1).map(String.init)
      let values = rows.map(\.value.shortText).joined(separator: ", ")
      let parameter = (parts.prefix(1) + [values] + parts.dropFirst()).joined(separator: " ")
      let cells = severities.map { severity in
        rows.first { $0.severity == severity }.map { NumberText.percent($0.accuracy, 1) } ?? ""
      }
      let mean = rows.map(\.accuracy).reduce(0, +) / Double(max(1, rows.count))
      table.add([name, NumberText.percent(clean, 1)] + cells + [NumberText.percent(mean, 1), parameter])
    }
    return table
  }
}
