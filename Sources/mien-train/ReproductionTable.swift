import Foundation
import MienReports
import MienTraining

/// The papers' figures and those measured here, system by system: a table for the terminal, a page in Markdown.
struct ReproductionTable {
  private struct Row {
    let system: PublishedSystem
    let measurement: PublishedSystem.Measurement
    let summary: ReproductionSummary?
    let note: String
  }

  private var rows: [Row] = []

  /// Adds a measurement; `summary` is nil where there is none, and `note` says why.
  mutating func add(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary?,
    note: String
  ) {
    rows.append(Row(system: system, measurement: measurement, summary: summary, note: note))
  }

  private static let header = ["system", "protocol", "kind", "paper", "measured", "mean ± sd", "training", "time"]

  private func cells(_ row: Row) -> [String] {
    let paper = row.measurement.figures.first { $0.measure == .accuracy }.map { NumberText.percent($0.value) } ?? "-"
    let kind = row.measurement.kind == .both ? "paper, clean" : row.measurement.kind.rawValue
    guard let summary = row.summary else {
      return [row.system.name, row.measurement.name, kind, paper, row.note]
    }
    let (mean, deviation) = summary.accuracy
    let spread = deviation.map { "\(NumberText.fixed(mean * 100, 2)) ± \(NumberText.fixed($0 * 100, 2))" } ?? ""
    // Runs with draws of their own are measured on different faces: none of them stands for the others.
    var measured = summary.evaluation.accuracy
    if case .seeds = row.measurement.repeats { measured = mean }
    return [
      row.system.name, row.measurement.name, kind, paper, NumberText.percent(measured), spread,
      summary.standingRun?.trainingAccuracy.map { NumberText.percent($0) } ?? "", NumberText.duration(summary.seconds),
    ]
  }

  /// A row a measurement.
  var text: String {
    var table = TextTable(header: Self.header)
    for row in rows { table.add(cells(row)) }
    return table.text
  }

  /// A page: the table, then each measurement with all of its figures.
  var markdown: String {
    var lines = [
      "# The published systems, measured", "",
      "Written by `mien reproduce all --data … --markdown`. *Measured* is the accuracy of the run of least validation loss,",
      "over seeds the mean; *mean ± sd* that of all folds or seeds, *training* the accuracy on augmented training faces in",
      "the epoch kept. A protocol of the kind *clean* keeps people and copies of a face on one side. Where there are several",
      "runs, the tables below are of the one of least validation loss.", "",
    ]
    lines += Self.markdown([Self.header] + rows.map(cells))
    for row in rows {
      guard let summary = row.summary else { continue }
      lines += [
        "", "## \(row.system.name), \(row.measurement.name)", "", "\(row.system.paper). \(row.measurement.summary).",
      ]
      lines += ["", Self.protocolLine(summary), ""]
      var figures = row.measurement.figures.map { ($0.measure, Optional($0.value)) }
      if figures.isEmpty { figures = [(.accuracy, nil), (.loss, nil)] }
      if !figures.contains(where: { if case .recall = $0.0 { true } else { false } }) {
        figures += summary.evaluation.classes.filter { summary.evaluation.perClass[$0]?.support ?? 0 > 0 }.sorted()
          .map { (.recall($0), nil) }
      }
      lines += Self.markdown(
        [["figure", "paper", "measured"]]
          + figures.map { measure, published in
            func text(_ value: Double?) -> String {
              value.map { measure.isShare ? NumberText.percent($0) : NumberText.fixed($0, 4) } ?? "-"
            }
            return [measure.words, text(published), text(summary.value(of: measure))]
          })
      if let accuracy = summary.standingRun?.testAccuracy {
        lines += ["", "On the test split (PrivateTest): \(NumberText.percent(accuracy))."]
      }
    }
    for system in PublishedSystem.all where rows.contains(where: { $0.system.name == system.name && $0.summary != nil })
    {
      lines += ["", "Of \(system.name): " + system.remarks.joined(separator: " ")]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func protocolLine(_ summary: ReproductionSummary) -> String {
    let epochs = summary.runs.map(\.epochs)
    let range = Set(epochs).count > 1 ? "\(epochs.min() ?? 0) to \(epochs.max() ?? 0)" : "\(epochs.first ?? 0)"
    let runs = summary.runs.count == 1 ? "One run" : "\(summary.runs.count) runs"
    let interval = summary.evaluation.accuracyInterval
    return
      "\(runs) of \(range) epochs, \(NumberText.duration(summary.seconds)); \(summary.evaluation.count) faces, 95 % interval "
      + "\(NumberText.fixed(interval.lower * 100, 2)) to \(NumberText.percent(interval.upper)); weights SHA-256 "
      + "`\(summary.evaluation.weightsSHA256.prefix(16))…`. `mien reproduce \(summary.system) --only \(summary.measurement)`"
  }

  private static func markdown(_ rows: [[String]]) -> [String] {
    let width = rows[0].count
    return rows.enumerated().flatMap { index, cells in
      let padded = cells + [String](repeating: "", count: width - cells.count)
      let line = "| " + padded.joined(separator: " | ") + " |"
      return index == 0 ? [line, "|" + String(repeating: "---|", count: width)] : [line]
    }
  }
}
