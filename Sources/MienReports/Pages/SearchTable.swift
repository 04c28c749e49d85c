import MienCore
public import MienRuns

/// The trials of a search, laid out for people.
public struct SearchTable: Sendable {
  private let search: SearchResults

  /// Lays out `search`.
  public init(_ search: SearchResults) { self.search = search }

  /// A row per trial, the best first.
  public var table: TextTable {
    let hasDeviation = search.trials.contains { $0.deviation != nil }
    var table = TextTable(
      header: ["trial", search.title] + (hasDeviation ? ["sd"] : []) + ["state"] + search.keys.map(\.name) + [
        "epochs", search.hasSeveralRuns ? "best epochs" : "best epoch",
      ])
    for trial in search.trials {
      let best = trial.bestEpochs.map(String.init).joined(separator: " ")
      var row = ["\(trial.number)", trial.score.map(search.figure.text) ?? "-"]
      if hasDeviation { row.append(trial.deviation.map(search.figure.text) ?? "-") }
      table.add(row + [trial.state.rawValue] + trial.values + ["\(trial.epochs)", best.isEmpty ? "-" : best])
    }
    return table
  }

  /// The table and what follows from it.
  public var lines: [String] {
    var lines = [table.text, ""]
    if let best = search.best {
      let settings = zip(search.keys, best.values).map { ShellWord.quoted("\($0.name)=\($1)") }.map { "--set \($0)" }
      lines.append("best: \(best.name), in \(best.folder.relativePath)")
      lines.append(settings.joined(separator: " "))
      let equals = search.trials.filter { $0.state == .finished && $0.score == best.score && $0.number != best.number }
      if !equals.isEmpty {
        lines.append(
          "\(equals.map(\.name).joined(separator: ", ")) \(equals.count == 1 ? "has" : "have") the same \(search.title)"
        )
      }
      lines.append(Self.caution(search.trials.count))
    } else if search.isFinished {
      lines.append("no trial came to a result")
    } else {
      lines.append("the search is not finished; the same command with --resume continues it")
    }
    let failed = search.trials.filter { $0.state == .failed || $0.state == .diverged }
    return lines + failed.compactMap { trial in trial.message.map { "\(trial.name): \($0)" } }
  }

  /// Why the best score is too good.
  static func caution(_ count: Int) -> String {
    "The best of \(count.grouped) on the faces that chose it: measure it on others before you quote it."
  }
}
