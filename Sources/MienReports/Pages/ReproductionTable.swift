public import Foundation
import MienCore
public import MienRuns

/// The papers' figures and those measured here, system by system: a table for the terminal, a page in Markdown.
public struct ReproductionTable: Sendable {
  private struct Row {
    let system: PublishedSystem
    let measurement: PublishedSystem.Measurement
    let summary: ReproductionSummary?
    let note: String
    /// What makes it a quick look; nil for a whole measurement.
    let quickLook: String?
  }

  private var rows: [Row] = []

  /// An empty table.
  public init() {}

  /// What `system` came to under each of its protocols, in the folders of `place`; quick looks are rows of their own.
  public init(_ system: PublishedSystem, in place: URL) {
    for measurement in system.measurements {
      do { try add(system, measurement, in: place) } catch { add(system, measurement, nil, note: "damaged") }
    }
  }

  /// Adds what is finished of a measurement in the folders of `place`, or a row that says that nothing is.
  ///
  /// - Throws: ``MienError`` if the figures kept there are damaged.
  public mutating func add(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, in place: URL
  ) throws {
    let count = rows.count
    let (whole, quickLooks) = Self.folders(of: measurement, in: place)
    if let summary = try ReproductionSummary(in: whole) { add(system, measurement, summary, note: "") }
    for folder in quickLooks {
      if let summary = try ReproductionSummary(in: folder) {
        add(system, measurement, summary, note: "")
      } else {
        rows.append(Row(system: system, measurement: measurement, summary: nil, note: "not finished", quickLook: ""))
      }
    }
    if rows.count == count { add(system, measurement, nil, note: Self.note(without: measurement)) }
  }

  /// The folder of the whole measurement, and those of quick looks.
  private static func folders(
    of measurement: PublishedSystem.Measurement, in place: URL
  ) -> (whole: URL, quickLooks: [URL]) {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).sorted()
    return (
      place.appendingPathComponent(measurement.name),
      names.filter { $0.hasPrefix(measurement.name + ".quick") }.map(place.appendingPathComponent)
    )
  }

  /// What stands in place of the figures of `measurement` if there are none yet.
  public static func note(without measurement: PublishedSystem.Measurement) -> String {
    measurement.source == nil ? "needs a FaceSet of your own faces" : "not finished"
  }

  /// Adds a measurement; if `summary` is nil, `note` says why.
  ///
  /// - Parameter quickLook: how much less is trained than the protocol asks for; `summary` has it, too.
  public mutating func add(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary?,
    note: String, quickLook: ReproductionSummary.QuickLook? = nil
  ) {
    rows.append(
      Row(
        system: system, measurement: measurement, summary: summary, note: note,
        quickLook: (summary?.quickLook ?? quickLook)?.text))
  }

  private static let header = [
    "system", "protocol", "kind", "paper", "measured", "no copies", "mean ± sd", "training", "time",
  ]

  private func cells(_ row: Row) -> [String] {
    let paper = row.measurement.figures.first { $0.measure == .accuracy }.map { NumberText.percent($0.value) } ?? "-"
    let kind = row.measurement.kind == .both ? "paper, clean" : row.measurement.kind.rawValue
    let name = row.measurement.name + (row.quickLook.map { " (quick look\($0.isEmpty ? "" : ": \($0)"))" } ?? "")
    guard let summary = row.summary else {
      return [row.system.name, name, kind, paper, row.note]
    }
    let (mean, deviation) = summary.accuracy
    let spread = deviation.map { "\(NumberText.fixed(mean * 100, 2)) ± \(NumberText.percent($0))" } ?? ""
    let others = (summary.copies ?? 0) > 0 ? summary.accuracyWithoutCopies : nil
    return [
      row.system.name, name, kind, paper, NumberText.percent(summary.evaluation.accuracy),
      others.map { NumberText.percent($0) } ?? "", spread,
      summary.standingRun?.trainingAccuracy.map { NumberText.percent($0) } ?? "", NumberText.duration(summary.seconds),
    ]
  }

  /// A row per measurement.
  public var table: TextTable {
    var table = TextTable(header: Self.header)
    for row in rows { table.add(cells(row)) }
    return table
  }

  /// The table for a terminal, then a line for each measurement that lacks faces, for which a column has no room.
  public var lines: [String] {
    var notes: [String] = []
    var short = TextTable(header: Self.header)
    for row in rows {
      let lacksFaces = row.summary == nil && row.note.hasPrefix(Self.need)
      short.add(lacksFaces ? cells(row).dropLast() + ["-"] : cells(row))
      if lacksFaces { notes.append("\(row.system.name), \(row.measurement.name): \(row.note)") }
    }
    return [short.text] + notes
  }

  /// How the note begins of a measurement that lacks faces.
  private static let need = "needs "

  /// A page: the table, then each measurement with all of its figures.
  ///
  /// - Parameters:
  ///   - name: what was reproduced: a system's name, its YAML file, or `all`.
  ///   - options: what else the command had, as `--only official`.
  public func markdown(of name: String = "all", options: [String] = []) -> String {
    let words = ["mien", "reproduce", ShellWord.quoted(name)] + options + ["--data FACES… --markdown FILE"]
    var lines = [
      "# The published systems, measured", "",
      "Written by `\(words.joined(separator: " "))`. *Measured* is the accuracy: over folds that of the run with the",
      "lowest validation loss, over seeds that of all runs together, each on its own draw. *No copies* is the accuracy without",
      "measured faces that are also in the training part, pixel for pixel or as a copy that balancing made; empty if there",
      "are none. *Mean ± sd* is over folds or seeds, *training* the accuracy on augmented training faces in the",
      "epoch kept. A *clean* protocol puts no person into both parts if people are known, and makes copies after the",
      rows.contains { $0.measurement.source == "fer2013" }
        ? "split; FER2013 does not name people; 280 of its PublicTest faces are also in Training." : "split.", "",
    ]
    lines += Self.markdown([Self.header] + rows.map(cells))
    for row in rows {
      guard let summary = row.summary else { continue }
      lines += [
        "", "## \(row.system.name), \(row.measurement.name)\(summary.quickLook == nil ? "" : " (quick look)")", "",
        "\(row.system.paper). \(row.measurement.summary).",
      ]
      if let quickLook = summary.quickLook {
        lines += ["", "**A quick look: \(quickLook.text).** Its figures do not measure the system."]
      }
      lines += ["", Self.protocolLine(row.measurement, summary, command: command(summary, of: name)), ""]
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
            return [measure.title, text(published), text(summary.value(of: measure))]
          })
      if let note = summary.copiesNote { lines += ["", note] }
      if let accuracy = summary.standingRun?.testAccuracy {
        lines += ["", "On the test split (PrivateTest): \(NumberText.percent(accuracy))."]
      }
    }
    let systems = rows.filter { $0.summary != nil }.map(\.system).reduce(into: [PublishedSystem]()) { list, system in
      if !list.contains(system) { list.append(system) }
    }
    for system in systems {
      lines += ["", "Of \(system.name): " + system.remarks.joined(separator: " ")]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func protocolLine(
    _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary, command: String
  ) -> String {
    let epochs = summary.runs.map(\.epochs)
    let range = Set(epochs).count > 1 ? "\(epochs.min() ?? 0) to \(epochs.max() ?? 0)" : "\(epochs.first ?? 0)"
    let runs = summary.runs.count == 1 ? "One run" : "\(summary.runs.count) runs"
    // In files of earlier versions, a face that several seeds measured counts as new evidence.
    let unit = summary.evaluation.intervalUnit
    let range95 =
      measurement.isPooled && unit == nil
      ? " in all"
      : ", 95 % interval\(unit.map { $0 == .face ? "" : " by \($0.rawValue)" } ?? "") "
        + NumberText.range(summary.evaluation.accuracyInterval)
    return
      "\(runs) of \(range) epoch\(range == "1" ? "" : "s"), \(NumberText.duration(summary.seconds)); "
      + "\(Spelling.counted(summary.evaluation.count, "face"))\(range95); "
      + "weights SHA-256 "
      + "`\(summary.evaluation.weightsSHA256.prefix(16))…`. `\(command)`"
  }

  /// The whole command that makes a measurement again: of a system that is not built in, with its file.
  private func command(_ summary: ReproductionSummary, of name: String) -> String {
    let system = name == "all" ? summary.system : ShellWord.quoted(name)
    let options = summary.quickLook.map { " " + $0.options } ?? ""
    return
      "mien reproduce \(system) --only \(summary.measurement) --data \(summary.evaluation.data).safetensors"
      + options
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
