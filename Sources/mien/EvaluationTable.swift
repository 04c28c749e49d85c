import MienCore
import MienInference
import MienReports

/// The figures of an evaluation, laid out for people.
struct EvaluationTable {
  private let evaluation: Evaluation
  private let report: EvaluationReport
  private let averaging: Evaluation.Averaging

  /// Lays out `evaluation`.
  init(_ evaluation: Evaluation, _ report: EvaluationReport, averaging: Evaluation.Averaging) {
    self.evaluation = evaluation
    self.report = report
    self.averaging = averaging
  }

  /// The lines to print.
  var lines: [String] { summary + ["", perClass, "", confusion] + notes }

  private var summary: [String] {
    let interval = report.accuracyInterval
    return [
      "model              \(report.model)",
      "weights SHA-256    \(report.weightsSHA256)",
      "data               \(report.data), \(report.split), \(report.count) faces, labels \(report.labels)",
      "passes             \(averaging == .flip ? "two: the face and its mirror image" : "one")",
      "accuracy           \(Self.percent(report.accuracy)), 95 % interval \(Self.percent(interval.lower)) to "
        + Self.percent(interval.upper),
      "balanced accuracy  \(Self.percent(report.balancedAccuracy))",
      "macro F1           \(Self.percent(report.macroF1))",
      "log loss           \(Self.fixed(report.loss, 4))",
      "calibration error  \(Self.percent(report.calibration.ece))",
    ]
  }

  private var perClass: String {
    var table = TextTable(header: ["class", "precision", "recall", "F1", "AUC", "faces"])
    for (emotion, scores) in zip(evaluation.metrics.labels.emotions, evaluation.metrics.classes) {
      table.add([
        emotion.rawValue, Self.percent(scores.precision), Self.percent(scores.recall), Self.percent(scores.f1),
        scores.auc.map { Self.fixed($0, 4) } ?? "-", "\(scores.support)",
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

  private var notes: [String] {
    var notes: [String] = []
    let missing = evaluation.missingClasses.map(\.rawValue).joined(separator: ", ")
    if !missing.isEmpty { notes += ["", "The model lacks \(missing): those faces count as wrong."] }
    if Set(evaluation.output.emotions) != Set(evaluation.metrics.labels.emotions) {
      notes += [
        "",
        "Measured on the output \(evaluation.output.name), restricted to the classes of \(report.labels).",
      ]
    }
    if evaluation.unlabelledCount > 0 {
      notes += [
        "",
        "\(evaluation.unlabelledCount) faces of the split have no \(report.labels) label and are left out.",
      ]
    }
    return notes
  }

  private static func percent(_ share: Double) -> String { fixed(share * 100, 2) + " %" }

  /// A number with a fixed count of decimals.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let rounded = Int((value * Double(scale)).rounded())
    let fraction = String(abs(rounded) % scale)
    return (rounded < 0 ? "-" : "") + "\(abs(rounded) / scale)."
      + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
