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

  /// An empty table.
  init() {}

  /// What `system` came to under each of its protocols, in the folders of `place`.
  init(_ system: PublishedSystem, in place: URL) {
    for measurement in system.measurements {
      let summary = try? ReproductionSummary(in: place.appendingPathComponent(measurement.name))
      add(system, measurement, summary, note: Self.note(without: measurement))
    }
  }

  /// What stands in place of the figures of `measurement` where there are none yet.
  static func note(without measurement: PublishedSystem.Measurement) -> String {
    measurement.source == nil ? "needs a FaceSet of one's own faces" : "not finished"
  }

  /// Adds a measurement; where `summary` is nil, `note` says why.
  mutating func add(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary?,
    note: String
  ) {
    rows.append(Row(system: system, measurement: measurement, summary: summary, note: note))
  }

  private static let header = [
    "system", "protocol", "kind", "paper", "measured", "no copies", "mean ± sd", "training", "time",
  ]

  private func cells(_ row: Row) -> [String] {
    let paper = row.measurement.figures.first { $0.measure == .accuracy }.map { NumberText.percent($0.value) } ?? "-"
    let kind = row.measurement.kind == .both ? "paper, clean" : row.measurement.kind.rawValue
    guard let summary = row.summary else {
      return [row.system.name, row.measurement.name, kind, paper, row.note]
    }
    let (mean, deviation) = summary.accuracy
    let spread = deviation.map { "\(NumberText.fixed(mean * 100, 2)) ± \(NumberText.fixed($0 * 100, 2))" } ?? ""
    let others = (summary.copies ?? 0) > 0 ? summary.accuracyWithoutCopies : nil
    return [
      row.system.name, row.measurement.name, kind, paper, NumberText.percent(summary.evaluation.accuracy),
      others.map { NumberText.percent($0) } ?? "", spread,
      summary.standingRun?.trainingAccuracy.map { NumberText.percent($0) } ?? "", NumberText.duration(summary.seconds),
    ]
  }

  /// A row a measurement.
  var table: TextTable {
    var table = TextTable(header: Self.header)
    for row in rows { table.add(cells(row)) }
    return table
  }

  /// The same as text.
  var text: String { table.text }

  /// A page: the table, then each measurement with all of its figures.
  var markdown: String {
    var lines = [
      "# The published systems, measured", "",
      "Written by `mien reproduce all --data … --markdown`. *Measured* is the accuracy: over folds that of the run of least",
      "validation loss, over seeds that of all runs together, each on its own draw. *No copies* is the accuracy without the",
      "measured faces that stand in the training part too, alike to the last pixel or as a copy that balancing made; empty",
      "where there are none. *Mean ± sd* is over folds or seeds, *training* the accuracy on augmented training faces in the",
      "epoch kept. A *clean* protocol lets no person stand on both sides where people are known, and makes copies after the",
      "split; of FER2013, which names no people, 280 PublicTest faces stand in Training too.", "",
    ]
    lines += Self.markdown([Self.header] + rows.map(cells))
    for row in rows {
      guard let summary = row.summary else { continue }
      lines += [
        "", "## \(row.system.name), \(row.measurement.name)", "", "\(row.system.paper). \(row.measurement.summary).",
      ]
      lines += ["", Self.protocolLine(row.measurement, summary), ""]
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
      if let note = summary.copiesNote { lines += ["", note] }
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

  private static func protocolLine(
    _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary
  ) -> String {
    let epochs = summary.runs.map(\.epochs)
    let range = Set(epochs).count > 1 ? "\(epochs.min() ?? 0) to \(epochs.max() ?? 0)" : "\(epochs.first ?? 0)"
    let runs = summary.runs.count == 1 ? "One run" : "\(summary.runs.count) runs"
    let interval = summary.evaluation.accuracyInterval
    // A face that several seeds measure is no new evidence.
    let range95 =
      measurement.isPooled
      ? " in all"
      : ", 95 % interval \(NumberText.fixed(interval.lower * 100, 2)) to \(NumberText.percent(interval.upper))"
    return
      "\(runs) of \(range) epochs, \(NumberText.duration(summary.seconds)); \(summary.evaluation.count) faces\(range95); "
      + "weights SHA-256 "
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

extension ReproductionSummary {
  /// How many measured faces were trained on, in a sentence; nil where none was.
  var copiesNote: String? {
    guard let copies, copies > 0 else { return nil }
    let others = accuracyWithoutCopies.map { "without them the accuracy is \(NumberText.percent($0))" }
    return
      "\(copies) of the \(evaluation.count) measured faces are pictures that were trained on, alike to the last pixel "
      + "or copies that balancing made: \(others ?? "none is left without them")."
  }
}
