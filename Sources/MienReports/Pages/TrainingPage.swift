public import MienCore
public import MienRuns

/// A finished run as a page: `report.html` in its folder.
public struct TrainingPage: Sendable {
  private let run: RunDescription
  private let metrics: RunMetrics
  private let result: RunResult
  private let measurement: RunMeasurement
  private let set: FaceSet
  private let weightsSHA256: String

  /// Lays out a run.
  ///
  /// - Parameters:
  ///   - measurement: of its best epoch, on the validation part and, if the recipe sets one aside, on the test part.
  ///   - set: what it was trained on; several sets joined, with the labels of the first head.
  ///   - weightsSHA256: of the graph that an export would have, without a temperature.
  public init(
    _ run: RunDescription, metrics: RunMetrics, result: RunResult, measurement: RunMeasurement, set: FaceSet,
    weightsSHA256: String
  ) {
    (self.run, self.metrics, self.result) = (run, metrics, result)
    (self.measurement, self.set, self.weightsSHA256) = (measurement, set, weightsSHA256)
  }

  /// The part that the page's figures are of: the test part, which nothing was chosen by, if it was measured.
  private var part: Split { measurement.metrics[.test]?.isEmpty == false ? .test : .validation }

  /// The page.
  ///
  /// - Parameter command: what made the run.
  /// - Throws: ``MienError`` if the run has no face to be measured on, or a face cannot be written as a picture.
  public func page(command: String) throws -> Report {
    guard let figures = measurement.metrics[part]?.first else {
      throw MienError(.mismatch, run.name, "has no face to be measured on")
    }
    let indices = measurement.faces[part] ?? []
    let evaluation = EvaluationReport(
      figures, model: run.name, weightsSHA256: weightsSHA256, data: set.info.source,
      split: part, clusters: set.clusters(of: indices))
    let measured = try MeasuredFaces(set, indices: indices, metrics: figures)
    func facts(_ heads: [EpochResult.Head], _ part: String) -> [ReportBlock.Fact] {
      heads.map { head in
        .init(
          "\(head.labels), \(part)",
          "\(NumberText.percent(head.accuracy)) of \(Spelling.counted(head.count, "face")), balanced "
            + "\(NumberText.percent(head.balancedAccuracy)), loss \(NumberText.fixed(head.loss, 4))")
      }
    }
    let parts = facts(result.test, "test, measured once") + facts(result.best.heads, "validation")
    let note =
      part == .test || run.keepsLast
      ? "Measured once, after training: nothing was chosen by these faces."
      : "The epoch kept was chosen by these faces: the figures are slightly optimistic."
    let caution = measurement.caution(part, faces: indices, of: set)
    return Report(
      title: run.name, subtitle: run.summary,
      sections: [
        .result(evaluation, passes: "one", notes: [note] + (caution.map { [$0] } ?? [])),
        parts.count > 1
          ? ReportSection(
            title: result.best.heads.count > 1 ? "All heads" : "Test and validation", blocks: [.facts(parts)]) : nil,
        .curves(metrics), .confusion(evaluation), .classes(evaluation), .roc(figures),
        .calibration(evaluation), .coverage(evaluation), try .sampleFaces(measured),
        try .surestMistakes(measured),
        .data(
          set, figures.labels == .ferplus && set.hasVotes ? .ferplus : .own, classes: evaluation.classes,
          parts: measurement.parts),
        .protocolAndRecipe([.init("seed", "\(run.seed)")], recipe: run.recipe),
        .environment(.current(), [.init("command", command), .init("weights, SHA-256", weightsSHA256)]),
      ])
  }
}
