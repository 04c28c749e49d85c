import MienCore
import MienInference
import MienReports

/// An evaluation as a page of charts and faces.
struct EvaluationPage {
  private let evaluation: Evaluation
  private let report: EvaluationReport
  private let card: ModelCard
  private let faces: FaceSet
  private let source: LabelSource
  private let passes: String

  /// Lays out `evaluation` of the model with `card` on `faces`.
  init(
    _ evaluation: Evaluation, _ report: EvaluationReport, card: ModelCard, faces: FaceSet, source: LabelSource,
    passes: String
  ) {
    self.evaluation = evaluation
    self.report = report
    self.card = card
    self.faces = faces
    self.source = source
    self.passes = passes
  }

  /// The page.
  ///
  /// - Throws: ``MienError`` where a face cannot be written as a picture.
  func report(notes: [String], command: String) throws -> Report {
    let measured = try MeasuredFaces(faces, indices: evaluation.indices, metrics: evaluation.metrics)
    let split = report.split == "all" ? "all faces" : "the \(report.split) split"
    return Report(
      title: "\(report.model) on \(report.data)",
      subtitle: "\(report.count) faces of \(split), labels \(report.labels)",
      sections: [
        .result(report, passes: passes, notes: notes), .confusion(report), .classes(report),
        .roc(evaluation.metrics), .calibration(report.calibration), .robustness(report),
        try .sampleFaces(measured), try .surestMistakes(measured), .data(faces, source), .model(card),
        .environment(.current(), [.init("command", command)]),
      ])
  }
}
