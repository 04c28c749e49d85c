public import MienCore
public import MienRuns

/// A measurement of a published system as a page.
public struct ReproductionPage: Sendable {
  private let system: PublishedSystem
  private let measurement: PublishedSystem.Measurement
  private let summary: ReproductionSummary
  private let metrics: ClassificationMetrics
  private let faces: MeasuredFaces
  private let set: FaceSet
  private let parts: [Split: [Int]]
  private let run: RunDescription
  private let curves: RunMetrics

  /// Lays out a measurement.
  ///
  /// - Parameters:
  ///   - metrics: the standing run on the measured part; over seeds, whose parts differ, all runs together.
  ///   - indices: [N] which face of `set` each entry of `metrics` is; a copy made by balancing stands for its original.
  ///   - parts: the standing run's parts, likewise.
  ///   - run: the standing run.
  ///   - curves: its epochs.
  /// - Throws: ``MienError`` if `indices` do not fit.
  public init(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ summary: ReproductionSummary,
    metrics: ClassificationMetrics, indices: [Int], of set: FaceSet, parts: [Split: [Int]], run: RunDescription,
    curves: RunMetrics
  ) throws {
    (self.system, self.measurement, self.summary, self.metrics) = (system, measurement, summary, metrics)
    (self.set, self.parts, self.run, self.curves) = (set, parts, run, curves)
    faces = try MeasuredFaces(set, indices: indices, metrics: metrics)
  }

  /// The page.
  ///
  /// - Parameters:
  ///   - protocols: what the system came to under each protocol.
  ///   - command: the command that made it.
  /// - Throws: ``MienError`` if a face cannot be written as a picture.
  public func page(_ protocols: ReproductionTable, command: String) throws -> Report {
    let evaluation = summary.evaluation
    let runs = summary.runs.count == 1 ? "one run" : "\(summary.runs.count) runs"
    let quick = summary.quickLook.map { "A quick look: \($0.text). Its figures do not measure the system." }
    var notes = (quick.map { [$0] } ?? []) + (summary.copiesNote.map { [$0] } ?? [])
    if measurement.isPooled {
      let isCounted = evaluation.intervalUnit != nil
      notes.append(
        "All \(runs) together, each on its own draw\(isCounted ? "" : ": a face may count more than once, so the interval is too narrow"). "
          + "Model, curves and data are those of \(summary.standing), the run with the lowest validation loss.")
    } else if summary.runs.count > 1 {
      notes.append("The figures are those of \(summary.standing), the run with the lowest validation loss.")
    }
    let balance =
      run.hasCopies ? ["Copies that balancing made are counted, and shown as the faces they were made of."] : []
    return Report(
      title: "\(system.name), \(measurement.name)\(quick == nil ? "" : " (quick look)")", subtitle: system.paper,
      sections: [
        .published(
          measurement.figures.map { figure in
            PublishedFigure(
              name: figure.measure.title, published: figure.value, measured: summary.value(of: figure.measure),
              isShare: figure.measure.isShare)
          }, caution: quick, notes: system.remarks),
        ReportSection(
          title: "Protocols",
          blocks: [
            .facts(
              [
                .init("protocol", measurement.summary), .init("training", runs),
                .init("time", NumberText.duration(summary.seconds)), .init("seed", "\(run.seed)"),
              ] + (summary.quickLook.map { [.init("quick look", $0.text)] } ?? [])),
            .table(protocols.table, caption: "Results of \(system.name) under each protocol so far"),
          ]),
        .result(evaluation, passes: "one", notes: notes),
        summary.runs.count > 1 ? .folds(summary.runs.map(\.fold), unit: measurement.isPooled ? "seed" : "fold") : nil,
        .curves(curves), .confusion(evaluation), .classes(evaluation), .roc(metrics),
        .calibration(evaluation), .coverage(evaluation), try .sampleFaces(faces),
        try .surestMistakes(faces), .data(set, .own, classes: evaluation.classes, parts: parts, notes: balance),
        .protocolAndRecipe([.init("recipe", "\(measurement.recipe), as resolved")], recipe: run.recipe),
        .environment(.current(), [.init("command", command), .init("weights, SHA-256", evaluation.weightsSHA256)]),
      ])
  }
}

extension ReproductionSummary.Run {
  /// The run as a row of the report's table of folds.
  fileprivate var fold: FoldResult {
    FoldResult(
      name: name, count: count, accuracy: accuracy, balancedAccuracy: balancedAccuracy, loss: loss,
      bestEpoch: bestEpoch)
  }
}

extension ReproductionSummary {
  /// How many measured faces were trained on, in a sentence; nil if none was.
  var copiesNote: String? {
    guard let copies, copies > 0 else { return nil }
    let others = accuracyWithoutCopies.map { "without them the accuracy is \(NumberText.percent($0))" }
    return
      "\(copies.grouped) of the \(evaluation.count.grouped) measured faces are pixel-for-pixel copies of training pictures, "
      + "or copies that balancing made: \(others ?? "none is left without them")."
  }
}
