import MienCore
import MienInference
import MienReports

/// The figures of an evaluation, laid out for people.
struct EvaluationTable {
  private let evaluation: Evaluation
  private let report: EvaluationReport
  private let passes: String
  private let profile: AdaptedHead?

  /// Lays out `evaluation`.
  init(_ evaluation: Evaluation, _ report: EvaluationReport, passes: String, profile: AdaptedHead? = nil) {
    self.profile = profile
    self.evaluation = evaluation
    self.report = report
    self.passes = passes
  }

  /// The lines to print.
  var lines: [String] {
    let corruptions = report.corruptions.map { ["", CorruptionTable($0, clean: report.accuracy).table.text] }
    return summary + ["", perClass, "", confusion] + (corruptions ?? []) + notes.flatMap { ["", $0] }
  }

  private var summary: [String] {
    let interval = report.accuracyInterval
    return [
      "model              \(report.model)",
      "weights SHA-256    \(report.weightsSHA256)",
      "data               \(report.data), \(report.split), \(Spelling.counted(report.count, "face")), labels \(report.labels)",
      "passes             \(passes)",
      "accuracy           \(NumberText.percent(report.accuracy)), 95 % interval \(NumberText.percent(interval.lower)) to "
        + NumberText.percent(interval.upper),
      "balanced accuracy  \(NumberText.percent(report.balancedAccuracy))",
      "macro F1           \(NumberText.percent(report.macroF1))",
      "log loss           \(NumberText.fixed(report.loss, 4))",
      "calibration error  \(NumberText.percent(report.calibration.ece))",
    ]
  }

  private var perClass: String {
    var table = TextTable(header: ["class", "precision", "recall", "F1", "AUC", "faces"])
    for (emotion, scores) in zip(evaluation.metrics.labels.emotions, evaluation.metrics.classes) {
      table.add([
        emotion.rawValue, NumberText.percent(scores.precision), NumberText.percent(scores.recall),
        NumberText.percent(scores.f1),
        scores.auc.map { NumberText.fixed($0, 4) } ?? "-", "\(scores.support)",
      ])
    }
    return table.text
  }

  private var confusion: String {
    let emotions = evaluation.metrics.labels.emotions
    var table = TextTable(header: ["true \\ read"] + emotions.map(\.rawValue))
    for (emotion, counts) in zip(emotions, report.confusion) { table.add([emotion.rawValue] + counts.map(String.init)) }
    return table.text
  }

  /// What limits the figures, a sentence each.
  var notes: [String] {
    var notes: [String] = []
    if let profile {
      notes.append(
        profile.head.labels == evaluation.output
          ? "Read with the profile \(profile.info.profile), fitted to \(profile.info.correctionCount) corrections."
          : "The profile \(profile.info.profile) does not change the output \(evaluation.output.name).")
    }
    let missing = evaluation.missingClasses.map(\.rawValue).joined(separator: ", ")
    if !missing.isEmpty { notes.append("The model lacks \(missing): those faces count as wrong.") }
    if Set(evaluation.output.emotions) != Set(evaluation.metrics.labels.emotions) {
      notes.append("Measured on the output \(evaluation.output.name), restricted to the classes of \(report.labels).")
    }
    if evaluation.unlabelledCount > 0 {
      notes.append("\(evaluation.unlabelledCount) faces of the split have no \(report.labels) label and are left out.")
    }
    if evaluation.excludedCount > 0 {
      notes.append("\(evaluation.excludedCount) faces whose picture stands in the train split too are left out.")
    }
    return notes
  }
}
