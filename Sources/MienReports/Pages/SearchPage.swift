import Foundation
import MienCore
public import MienRuns

/// A search as a page of tables and charts.
public struct SearchPage: Sendable {
  private let search: SearchResults
  /// Lines that a chart can tell apart.
  private static let mostCurves = 8
  /// Parts that a range is cut into.
  private static let parts = 4

  /// Lays out `search`.
  public init(_ search: SearchResults) { self.search = search }

  /// The page.
  ///
  /// - Parameter command: the command that made it.
  public func report(command: String) -> Report {
    Report(
      title: "Search: \(search.name)",
      subtitle: "\(Spelling.counted(search.trials.count, "trial")), data: \(search.data.joined(separator: "; "))",
      sections: [
        result, trials, keys, curves,
        .environment(.current(), [.init("command", command)]),
      ])
  }

  private var result: ReportSection {
    let best = search.best
    return ReportSection(
      title: "Result",
      blocks: [
        best?.score.map { score in
          .figures([
            .init(
              name: "best \(search.title)", value: abs(score), text: search.figure.text(score),
              detail: (best?.name ?? "")
                + (search.hasSeveralRuns
                  ? ", mean over \(search.repeated), each on its validation part" : ", on the validation part"))
          ])
        },
        .facts(
          (best.map { best in zip(search.keys, best.values).map { .init("best \($0.name)", $1) } } ?? [])
            + search.keys.map { .init("searched \($0.name)", $0.text) }
            + [
              .init("method", search.method),
              .init(
                "compared after",
                search.rungs.map(String.init).joined(separator: ", ") + (search.rungs == [1] ? " epoch" : " epochs")),
              .init("finished", search.isFinished ? "yes" : "no"), .init("folder", search.folder.path),
            ]), .note(SearchTable.caution(search.trials.count)),
      ])
  }

  private func chart(_ title: String, series: [String], rows: [DotChart.Row]) -> DotChart {
    let figure = search.figure
    return DotChart(
      title: title, series: series, rows: rows, axisTitle: search.title, isPercent: figure != .loss
    ) { figure.text($0) }
  }

  private var trials: ReportSection {
    let scored = search.trials.filter { $0.score != nil }
    let rows = scored.map { trial in
      DotChart.Row(
        name: "trial \(trial.number), \(Spelling.counted(trial.epochs, "epoch"))", values: [trial.score.map(abs)],
        deviation: trial.deviation)
    }
    let hasDeviation = scored.contains { $0.deviation != nil }
    return ReportSection(
      title: "Trials",
      blocks: [
        .table(
          SearchTable(search).table,
          caption: "Longer-trained trials first, each group from best to worst."
            + (search.hasSeveralRuns ? " Best epochs: one of each run." : "")),
        scored.isEmpty
          ? nil
          : .chart(
            chart("Each trial, \(search.title)", series: [search.title], rows: rows),
            caption: hasDeviation ? "Lines: the standard deviation over \(search.repeated), to both sides." : nil),
      ])
  }

  /// What each value of each key came to at the first rung, which all trials reach.
  private var keys: ReportSection? {
    let scored = search.trials.sorted { $0.number < $1.number }.compactMap { trial in
      trial.firstScore.map { (values: trial.values, score: $0) }
    }
    guard !scored.isEmpty else { return nil }
    let charts = search.keys.enumerated().map { index, key -> ReportBlock in
      let rows = Self.groups(scored.map { ($0.values[index], $0.score) }).map { group in
        let statistics = SampleStatistics(group.scores)
        return DotChart.Row(
          name: group.name, values: [abs(statistics.mean), group.scores.max().map(abs)],
          deviation: statistics.standardDeviation)
      }
      return .chart(chart(key.name, series: ["mean", "best"], rows: rows), caption: nil)
    }
    // A deviation takes two trials with one value.
    let hasDeviations = search.keys.indices.contains { key in
      Set(scored.map { $0.values[key] }).count < scored.count
    }
    let after = search.rungs.count > 1 ? search.rungs.first.map { ", all after \(Spelling.counted($0, "epoch"))" } : nil
    return ReportSection(
      title: "Keys",
      blocks: charts.map(Optional.some) + [
        .note(
          "\(search.title.prefix(1).uppercased() + search.title.dropFirst()) of the trials with each value\(after ?? "")\(hasDeviations ? "; lines show the standard deviation of those trials" : "")."
            + (search.keys.count > 1
              ? " Other keys differ too: what a key's rows show is not its effect alone." : ""))
      ])
  }

  /// Scores by value; many numbers are put together in parts of equal size.
  private static func groups(_ scores: [(value: String, score: Double)]) -> [(name: String, scores: [Double])] {
    var names: [String] = []
    for entry in scores where !names.contains(entry.value) { names.append(entry.value) }
    let numbers = scores.compactMap { entry in Double(entry.value).map { ($0, entry.score) } }
      .sorted { $0.0 < $1.0 }
    guard numbers.count == scores.count else {
      return names.map { name in (name, scores.filter { $0.value == name }.map(\.score)) }
    }
    guard names.count > 2 * parts else {
      return names.sorted { Double($0) ?? 0 < Double($1) ?? 0 }.map { name in
        (name, scores.filter { $0.value == name }.map(\.score))
      }
    }
    return (0..<parts).map { part in
      let slice = numbers[(part * numbers.count / parts)..<((part + 1) * numbers.count / parts)]
      return ("\(slice.first?.0 ?? 0) to \(slice.last?.0 ?? 0)", slice.map(\.1))
    }
  }

  private var curves: ReportSection? {
    let series = search.trials.filter { $0.score != nil }.prefix(Self.mostCurves).compactMap { trial in
      let points = points(of: trial)
      return points.isEmpty ? nil : LineChart.Series(name: trial.name, points: points)
    }
    guard !series.isEmpty else { return nil }
    let chart = LineChart(
      title: "The best trials", xTitle: "epoch", yTitle: search.title, series: series,
      isPercent: search.figure != .loss)
    let left =
      series.count < search.trials.count
      ? "The first \(series.count) of the table's \(Spelling.counted(search.trials.count, "trial")). " : ""
    return ReportSection(
      title: "Curves",
      blocks: [
        .chart(
          chart,
          caption: left + "On the validation part, each epoch"
            + (search.hasSeveralRuns ? "; means over \(search.repeated)." : "."))
      ])
  }

  /// What the recipe selects by, an epoch a place: the mean over heads and over the trial's runs.
  private func points(of trial: SearchResults.Trial) -> [LineChart.Point] {
    let inner = ((try? FileManager.default.contentsOfDirectory(atPath: trial.folder.path)) ?? []).sorted()
    let runs = ([trial.folder] + inner.map(trial.folder.appendingPathComponent)).compactMap { try? RunMetrics(run: $0) }
    let curves = runs.flatMap { run in
      (search.head.isEmpty ? run.heads : [search.head]).map {
        run.values(.figure(search.figure, head: $0, part: .validation))
      }
    }
    return (0..<(curves.map(\.count).min() ?? 0)).map { epoch in
      let values = curves.compactMap { $0[epoch] }
      return .init(Double(epoch + 1), values.reduce(0, +) / Double(max(1, values.count)))
    }
  }
}
