import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienTorch
import MienTraining

/// A finished run as a page: `report.html` in its folder.
struct TrainingPage {
  private let run: RunFolder
  private let sets: [FaceSet]
  private let result: RunResult
  private let measurement: RunMeasurement
  /// Of the graph that an export would have, without a temperature.
  private let weightsSHA256: String

  /// The page of `run`.
  private static func url(_ run: RunFolder) -> URL { run.url.appendingPathComponent("report.html") }

  /// Writes the page of a finished run; leaves one that is there.
  ///
  /// - Parameter command: what made the run.
  /// - Throws: ``MienError`` where the run's best epoch cannot be measured, its `metrics.csv` cannot be read, or a face or
  ///   the page cannot be written.
  @TorchActor static func add(to run: RunFolder, sets: [FaceSet], command: String) throws {
    guard !FileManager.default.fileExists(atPath: url(run).path), let result = try RunResult(of: run) else { return }
    let report = try TrainingPage(of: run, result, sets: sets).report(command: command)
    try ResultFile.write(report.data, to: url(run).path)
  }

  /// Measures the best epoch of `run` on the validation part of `sets`.
  @TorchActor private init(of run: RunFolder, _ result: RunResult, sets: [FaceSet]) throws {
    (self.run, self.result, self.sets) = (run, result, sets)
    measurement = try RunMeasurement(of: run, sets: sets)
    weightsSHA256 = try ModelExport.model(of: run).weightsSHA256
  }

  private func report(command: String) throws -> Report {
    let heads = measurement.metrics[.validation] ?? []
    guard let metrics = heads.first else { throw MienError(.mismatch, run.url.path, "has no face to be measured on") }
    let recipe = run.recipe
    let source = sets.map(\.info.source).joined(separator: "+")
    let evaluation = EvaluationReport(
      metrics, model: recipe.name, weightsSHA256: weightsSHA256, data: source, split: .validation)
    func facts(_ heads: [EpochResult.Head], _ part: String) -> [ReportBlock.Fact] {
      heads.map { head in
        .init(
          "\(head.labels), \(part)",
          "\(NumberText.percent(head.accuracy)) of \(head.count) faces, balanced "
            + "\(NumberText.percent(head.balancedAccuracy)), loss \(NumberText.fixed(head.loss, 4))")
      }
    }
    let measured =
      sets.count == 1
      ? try MeasuredFaces(sets[0], indices: measurement.faces[.validation] ?? [], metrics: metrics) : nil
    return Report(
      title: recipe.name, subtitle: recipe.summary,
      sections: [
        .result(
          evaluation, passes: "one",
          notes: ["The epoch kept was chosen on these faces: the figures read a little high."]),
        ReportSection(
          title: "All heads",
          blocks: [.facts(facts(result.best.heads, "validation") + facts(result.test, "test, measured once"))]),
        .curves(try RunMetrics(run: run.url)), .confusion(evaluation), .classes(evaluation), .roc(metrics),
        .calibration(evaluation.calibration), try measured.map { try .sampleFaces($0) },
        try measured.flatMap { try .surestMistakes($0) },
        sets.count == 1
          ? .data(sets[0], metrics.labels == .ferplus && sets[0].hasVotes ? .ferplus : .own, parts: measurement.parts)
          : nil,
        .protocolAndRecipe([.init("seed", "\(recipe.seed)")], recipe: try RecipeFile.text(of: recipe)),
        .environment(.current(), [.init("command", command), .init("weights, SHA-256", weightsSHA256)]),
      ])
  }
}
