import Foundation
import MienReports
import MienTraining

/// The trials of a search, laid out for people.
struct TuningTable {
  private let folder: TuningFolder

  /// Lays out the search in `folder`.
  init(_ folder: TuningFolder) { self.folder = folder }

  /// A row a trial, the best first.
  var table: TextTable {
    let standings = folder.standings
    let selection = folder.plan.recipe.selection
    let hasDeviation = standings.contains { $0.record?.standardDeviation != nil }
    let keys = folder.plan.axes.map(\.key)
    var table = TextTable(
      header: ["trial"] + keys + ["epochs", "best", selection.title] + (hasDeviation ? ["sd"] : []) + ["state"])
    for standing in standings {
      let record = standing.record
      let best = record?.bestEpochs.map(String.init).joined(separator: " ") ?? ""
      var row = ["\(standing.trial.number)"] + standing.trial.values.map(\.plainText)
      row += ["\(record?.epochs ?? 0)", best.isEmpty ? "-" : best, record?.score.map(selection.text) ?? "-"]
      if hasDeviation { row.append(record?.standardDeviation.map(selection.text) ?? "-") }
      table.add(row + [standing.state.rawValue])
    }
    return table
  }

  /// The table and what follows from it.
  var lines: [String] {
    var lines = [table.text, ""]
    if let best = folder.best {
      let settings = zip(folder.plan.axes, best.trial.values).map { "--set '\($0.key)=\($1.plainText)'" }
      lines.append("best: \(best.trial.name), in \(folder.run(of: best.trial).path)")
      lines.append(settings.joined(separator: " "))
      lines.append(Self.caution(folder.standings.count))
    } else if folder.isFinished {
      lines.append("no trial came to a result")
    } else {
      lines.append("the search is not finished; the same command with --resume goes on")
    }
    let failed = folder.standings.filter { $0.state == .failed || $0.state == .diverged }
    return lines + failed.compactMap { standing in standing.record?.message.map { "\(standing.trial.name): \($0)" } }
  }

  /// Why the best score is too good.
  static func caution(_ count: Int) -> String {
    "The best of \(count) on the faces that chose it: measure it on others before you quote it."
  }

  /// A finished trial in a line.
  static func line(_ record: TrialRecord, of count: Int, rungs: Int, selection: Selection) -> String {
    let settings = record.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.plainText)" }
    let rung = rungs > 1 ? ", rung \(record.rung) of \(rungs)" : ""
    let result =
      record.score.map {
        "\(selection.title) \(selection.text($0)) after \(NumberText.counted(record.epochs, "epoch"))"
      }
      ?? "\(record.outcome.rawValue): \(record.message ?? "")"
    return "trial \(record.trial) of \(count)\(rung): \(settings.joined(separator: " "))  \(result)"
  }
}

extension Selection {
  /// What a score is, as `accuracy` or `loss (fer2013)`.
  var title: String { metric.name + (head.isEmpty ? "" : " (\(head))") }

  /// A score as people read it: a share as a percentage, a loss without the sign that makes less of it better.
  func text(_ score: Double) -> String {
    metric == .loss ? NumberText.fixed(abs(score), 4) : NumberText.percent(score)
  }
}

extension Selection.Metric {
  /// The figure's name.
  var name: String { self == .balancedAccuracy ? "balanced accuracy" : rawValue }

  /// The end of its column's name in `metrics.csv`.
  var column: String { self == .balancedAccuracy ? "balanced_accuracy" : rawValue }
}
