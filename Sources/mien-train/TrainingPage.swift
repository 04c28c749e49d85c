import Foundation
import MienCore
import MienReports
import MienTorch
import MienTraining

/// A finished run as a page: `report.html` in its folder.
struct TrainingPage {
  private let run: RunFolder
  private let sets: [FaceSet]
  private let measurement: RunMeasurement

  /// Measures the best epoch of `run` on the validation part of `sets`.
  @TorchActor init(of run: RunFolder, sets: [FaceSet]) throws {
    (self.run, self.sets) = (run, sets)
    measurement = try RunMeasurement(of: run, sets: sets)
  }

  /// Writes the page.
  ///
  /// - Parameter command: what made the run.
  /// - Throws: ``MienError`` where the run's `metrics.csv` cannot be read, or a face or the page cannot be written.
  func write(command: String) throws {
    try AtomicFile.write(report(command: command).data, to: run.url.appendingPathComponent("report.html"))
  }

  private func report(command: String) throws -> Report {
    let heads = measurement.metrics[.validation] ?? []
    guard let metrics = heads.first else { throw MienError(.mismatch, run.url.path, "has no face to be measured on") }
    let recipe = run.recipe
    let source = sets.map(\.info.source).joined(separator: "+")
    let evaluation = EvaluationReport(
      metrics, model: recipe.name, weightsSHA256: measurement.weightsSHA256, data: source, split: .validation)
    let tests = measurement.metrics[.test] ?? []
    func facts(_ heads: [ClassificationMetrics], _ part: String) -> [ReportBlock.Fact] {
      heads.map { head in
        .init(
          "\(head.labels.name), \(part)",
          "\(NumberText.percent(head.accuracy)) of \(head.count) faces, balanced "
            + "\(NumberText.percent(head.balancedAccuracy)), loss \(NumberText.fixed(head.logLoss, 4))")
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
          title: "All heads", blocks: [.facts(facts(heads, "validation") + facts(tests, "test, measured once"))]),
        .curves(try RunMetrics(run: run.url)), .confusion(evaluation), .classes(evaluation), .roc(metrics),
        .calibration(evaluation.calibration), try measured.map { try .sampleFaces($0) },
        try measured.flatMap { try .surestMistakes($0) },
        sets.count == 1
          ? .data(sets[0], metrics.labels == .ferplus && sets[0].hasVotes ? .ferplus : .own, parts: measurement.parts)
          : nil,
        .protocolAndRecipe([.init("seed", "\(recipe.seed)")], recipe: try RecipeFile.text(of: recipe)),
        .environment(.current(), [.init("command", command), .init("weights, SHA-256", measurement.weightsSHA256)]),
      ])
  }
}
