import Foundation
import MienReports
import MienTraining

/// A search as a page of tables and charts.
struct TuningPage {
  private let folder: TuningFolder
  private let standings: [TuningFolder.Standing]
  private let selection: Selection
  /// Lines that a chart can tell apart.
  private static let mostCurves = 8
  /// Parts that a range is cut into.
  private static let parts = 4

  /// Lays out the search in `folder`.
  init(_ folder: TuningFolder) {
    self.folder = folder
    standings = folder.standings
    selection = folder.plan.recipe.selection
  }

  /// The page.
  var report: Report {
    Report(
      title: "Search: \(folder.plan.recipe.name)",
      subtitle: "\(standings.count) trials of \(folder.plan.data.joined(separator: "; "))",
      sections: [
        result, trials, keys, curves, .environment(.current(), [.init("command", "mien tune show \(folder.url.path)")]),
      ])
  }

  private var result: ReportSection {
    let best = folder.best
    let plan = folder.plan
    let rungs = folder.rungs.map { $0 ?? plan.recipe.epochs }.map(String.init)
    return ReportSection(
      title: "Result",
      blocks: [
        best?.record?.score.map { score in
          .figures([
            .init(
              name: "best \(selection.title)", value: abs(score), text: selection.text(score),
              detail: "\(best?.trial.name ?? ""), on the validation part")
          ])
        },
        .facts(
          (best.map { best in zip(plan.axes, best.trial.values).map { .init("best \($0.key)", $1.plainText) } } ?? [])
            + plan.axes.map { .init("searched \($0.key)", $0.text) }
            + [
              .init("method", plan.method.rawValue + (plan.draws.map { ", \($0) draws of seed \(plan.seed)" } ?? "")),
              .init("held against each other after", rungs.joined(separator: ", ") + " epochs"),
              .init("finished", folder.isFinished ? "yes" : "no"), .init("folder", folder.url.path),
            ]), .note(TuningTable.caution(standings.count)),
      ])
  }

  private var trials: ReportSection {
    let scored = standings.filter { $0.record?.score != nil }
    let chart = BarChart(
      title: "Each trial, \(selection.title)",
      categories: scored.map { "\($0.trial.number): \(NumberText.counted($0.record?.epochs ?? 0, "epoch"))" },
      series: [.init(name: selection.title, values: scored.map { abs($0.record?.score ?? 0) })],
      maximum: selection.metric == .loss ? nil : 1, label: label)
    return ReportSection(
      title: "Trials",
      blocks: [
        .table(TuningTable(folder).table, caption: "The best first; those trained further stand above the others"),
        scored.isEmpty ? nil : .chart(chart.drawing, caption: nil),
      ])
  }

  /// What each value of each key came to at the first rung, which all trials reach.
  private var keys: ReportSection? {
    let scores = folder.records.filter { $0.rung == 1 }.compactMap { record in
      record.score.map { (values: folder.trials[record.trial - 1].values, score: $0) }
    }
    guard !scores.isEmpty else { return nil }
    let charts = folder.plan.axes.enumerated().map { index, axis -> ReportBlock in
      let groups = Self.groups(scores.map { ($0.values[index], $0.score) })
      let means = groups.map { abs($0.scores.reduce(0, +) / Double($0.scores.count)) }
      let chart = BarChart(
        title: axis.key, categories: groups.map(\.name),
        series: [
          .init(name: "best", values: groups.map { abs($0.scores.max() ?? 0) }), .init(name: "mean", values: means),
        ], maximum: selection.metric == .loss ? nil : 1, label: label)
      return .chart(chart.drawing, caption: nil)
    }
    let epochs = folder.rungs.first.flatMap(\.self)
    return ReportSection(
      title: "Keys",
      blocks: charts.map(Optional.some) + [
        .note(
          "\(selection.title) of the trials with each value\(epochs.map { ", all after " + NumberText.counted($0, "epoch") } ?? ""). Other "
            + "keys differ too: a key's bars are not its effect alone.")
      ])
  }

  /// Scores by value; many numbers are put together in parts of equal size.
  private static func groups(_ scores: [(value: JSONValue, score: Double)]) -> [(name: String, scores: [Double])] {
    var names: [String] = []
    for entry in scores where !names.contains(entry.value.plainText) { names.append(entry.value.plainText) }
    let numbers = scores.compactMap { entry in Double(entry.value.plainText).map { ($0, entry.score) } }
      .sorted { $0.0 < $1.0 }
    guard numbers.count == scores.count else {
      return names.map { name in (name, scores.filter { $0.value.plainText == name }.map(\.score)) }
    }
    guard names.count > 2 * parts else {
      return names.sorted { Double($0) ?? 0 < Double($1) ?? 0 }.map { name in
        (name, scores.filter { $0.value.plainText == name }.map(\.score))
      }
    }
    return (0..<parts).map { part in
      let slice = numbers[(part * numbers.count / parts)..<((part + 1) * numbers.count / parts)]
      return ("\(slice.first?.0 ?? 0) to \(slice.last?.0 ?? 0)", slice.map(\.1))
    }
  }

  private var curves: ReportSection? {
    let series = standings.filter { $0.record?.score != nil }.prefix(Self.mostCurves).compactMap { standing in
      let points = points(of: standing.trial)
      return points.isEmpty ? nil : LineChart.Series(name: standing.trial.name, points: points)
    }
    guard !series.isEmpty else { return nil }
    let chart = LineChart(
      title: "The best trials", xTitle: "epoch", yTitle: selection.title, series: series,
      isPercent: selection.metric != .loss)
    return ReportSection(
      title: "Curves",
      blocks: [.chart(chart.drawing, caption: "On the validation part, each epoch; means over folds and seeds")])
  }

  /// What the recipe selects by, an epoch a place: the mean over heads and over the trial's runs.
  private func points(of trial: TuningPlan.Trial) -> [LineChart.Point] {
    let own = folder.run(of: trial)
    let inner = ((try? FileManager.default.contentsOfDirectory(atPath: own.path)) ?? []).sorted()
    let runs = ([own] + inner.map(own.appendingPathComponent)).compactMap { try? RunMetrics(run: $0) }
    let curves = runs.flatMap { run in
      (selection.head.isEmpty ? run.heads : [selection.head]).map {
        run.values("validation_\($0)_\(selection.metric.column)")
      }
    }
    return (0..<(curves.map(\.count).min() ?? 0)).map { epoch in
      let values = curves.compactMap { $0[epoch] }
      return .init(Double(epoch + 1), values.reduce(0, +) / Double(max(1, values.count)))
    }
  }

  private var label: @Sendable (Double) -> String {
    { [selection] value in selection.text(value) }
  }
}
