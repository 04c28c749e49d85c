public import MienCore

/// A measurement with what is known of it besides its figures: the table and the page of `mien evaluate`.
public struct EvaluationPage: Sendable {
  /// A profile that the model was read with.
  public struct Profile: Sendable {
    /// Its name.
    public let name: String
    /// How many corrections it was fitted to.
    public let correctionCount: Int
    /// Whether it changes the output that was measured.
    public let isUsed: Bool

    /// Describes a profile.
    public init(name: String, correctionCount: Int, isUsed: Bool) {
      (self.name, self.correctionCount, self.isUsed) = (name, correctionCount, isUsed)
    }
  }

  /// The figures.
  public let report: EvaluationReport
  private let metrics: ClassificationMetrics
  private let faces: MeasuredFaces
  private let set: FaceSet
  private let source: LabelSource
  private let file: String
  private let passes: String
  /// What else limits the figures, a sentence each.
  private let remarks: [String]

  /// Lays out a measurement.
  ///
  /// - Parameters:
  ///   - metrics: what `report` was made from.
  ///   - indices: [N] the faces measured, by their places in `set`.
  ///   - file: the name of the file that `set` was read from.
  ///   - passes: how many passes a face took, in words.
  ///   - output: the model's output that was measured.
  ///   - unlabelledCount: faces of the part without a label, left out.
  ///   - excludedCount: labelled faces that were to be left out.
  ///   - remarks: what else limits the figures, a sentence each.
  /// - Throws: ``MienError`` if `indices` do not fit `metrics` and `set`.
  public init(
    _ report: EvaluationReport, metrics: ClassificationMetrics, indices: [Int], of set: FaceSet, in file: String,
    labels: LabelSource, passes: String, output: LabelSet, unlabelledCount: Int = 0, excludedCount: Int = 0,
    profile: Profile? = nil,
    remarks others: [String] = []
  ) throws {
    (self.report, self.metrics, self.set, source, self.passes) = (report, metrics, set, labels, passes)
    self.file = file
    faces = try MeasuredFaces(set, indices: indices, metrics: metrics)
    var remarks = others
    if let profile {
      remarks.append(
        profile.isUsed
          ? "Read with the profile \(profile.name), fitted to \(Spelling.counted(profile.correctionCount, "correction"))."
          : "The profile \(profile.name) does not change the output \(output.name): the figures are those of the model without it."
      )
    }
    if !report.missingClasses.isEmpty {
      let missing = report.missingClasses.map(\.rawValue).joined(separator: ", ")
      remarks.append("The model lacks \(missing): those faces count as wrong.")
    }
    if Set(output.emotions) != Set(metrics.labels.emotions) {
      remarks.append("Measured on the output \(output.name), restricted to the classes of \(report.labels).")
    }
    if unlabelledCount > 0 {
      remarks.append(
        "\(Spelling.counted(unlabelledCount, "face")) of the split \(unlabelledCount == 1 ? "has" : "have") no "
          + "\(report.labels) label and \(unlabelledCount == 1 ? "is" : "are") left out.")
    }
    if excludedCount > 0 {
      remarks.append(
        "\(Spelling.counted(excludedCount, "face")) whose picture stands in the train split too "
          + "\(excludedCount == 1 ? "is" : "are") left out.")
    }
    self.remarks = remarks
  }

  /// The page.
  ///
  /// - Parameters:
  ///   - model: what is said of the model, as ``ReportSection/model(_:)`` of its card.
  ///   - command: the command that made it.
  /// - Throws: ``MienError`` if a face cannot be written as a picture.
  public func page(model: ReportSection, command: String) throws -> Report {
    let split = report.split == "all" ? "all faces" : "the \(report.split) split"
    return Report(
      title: "\(report.model) on \(file)",
      subtitle: "\(Spelling.counted(report.count, "face")) of \(split), labels \(report.labels)",
      sections: [
        .result(report, file: file, passes: passes, notes: remarks), .confusion(report), .classes(report),
        .roc(metrics),
        .calibration(report), .coverage(report), .robustness(report), try .sampleFaces(faces),
        try .surestMistakes(faces), .data(set, source, classes: report.classes), model,
        .environment(.current(), [.init("command", command)]),
      ])
  }

  /// The lines to print.
  public var lines: [String] {
    let corruptions = report.corruptions.map { ["", CorruptionTable($0, clean: report.accuracy).table.text] } ?? []
    let coverage = report.coverage.map { ["", ReportSection.coverageTable($0).text] } ?? []
    return summary + ["", ReportSection.classTable(report).text, "", confusion] + coverage + corruptions
      + notes.flatMap { ["", $0] }
  }

  private var summary: [String] {
    let unit = report.intervalUnit.flatMap { $0 == .face ? nil : " by \($0.rawValue)" } ?? ""
    return [
      "model              \(report.model)",
      "weights SHA-256    \(report.weightsSHA256)",
      "data               \(file), \(report.split), \(Spelling.counted(report.count, "face")), labels "
        + report.labels,
      "passes             \(passes)",
      "accuracy           \(NumberText.percent(report.accuracy)), 95 % interval\(unit) "
        + NumberText.range(report.accuracyInterval),
      "balanced accuracy  \(NumberText.percent(report.balancedAccuracy))",
      "macro F1           \(NumberText.percent(report.macroF1))",
      "log loss           \(NumberText.fixed(report.loss, 4))",
      "calibration error  \(NumberText.percent(report.calibration.ece))",
    ]
  }

  private var confusion: String {
    var table = TextTable(header: ["true \\ read"] + report.classes.map(\.rawValue))
    for (emotion, counts) in zip(report.classes, report.confusion) {
      table.add([emotion.rawValue] + counts.map(\.grouped))
    }
    return table.text
  }

  /// What limits the figures, a sentence each.
  public var notes: [String] { report.notes + remarks }
}
