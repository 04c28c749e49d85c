import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienTraining

/// A measurement of a published system as a page.
struct ReproductionPage {
  private let system: PublishedSystem
  private let measurement: PublishedSystem.Measurement
  private let outcome: Reproduction.Outcome
  private let faces: FaceSet
  private let folder: URL

  /// Lays out `outcome`, whose runs lie in `folder`.
  init(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ outcome: Reproduction.Outcome,
    faces: FaceSet, folder: URL
  ) {
    (self.system, self.measurement, self.outcome) = (system, measurement, outcome)
    (self.faces, self.folder) = (faces, folder)
  }

  /// Writes the page to `report.html` in the folder.
  ///
  /// - Parameters:
  ///   - protocols: what the system came to under each protocol.
  ///   - command: the command that made it.
  /// - Throws: ``MienError`` where the run's `metrics.csv` cannot be read, or a face or the page cannot be written.
  func write(_ protocols: ReproductionTable, command: String) throws {
    let report = try report(protocols, command: command)
    try ResultFile.write(report.data, to: folder.appendingPathComponent("report.html").path)
  }

  private func report(_ protocols: ReproductionTable, command: String) throws -> Report {
    let summary = outcome.summary
    let evaluation = summary.evaluation
    let measured = try MeasuredFaces(faces, indices: outcome.faces, metrics: outcome.metrics)
    let runs = summary.runs.count == 1 ? "one run" : "\(summary.runs.count) runs"
    var notes = summary.copiesNote.map { [$0] } ?? []
    if measurement.isPooled {
      notes.append(
        "All \(runs) together, each on its own draw: a face may count more than once, so the interval is too narrow. "
          + "Model, curves and data are of \(summary.standing), the run of least validation loss.")
    } else if summary.runs.count > 1 {
      notes.append("The run of least validation loss, \(summary.standing).")
    }
    let balance =
      outcome.run.recipe.balance.when != .none
      ? ["Copies that balancing made are counted, and shown as the faces they were made of."] : []
    return Report(
      title: "\(system.name), \(measurement.name)", subtitle: system.paper,
      sections: [
        .published(
          measurement.figures.map { figure in
            PublishedFigure(
              name: figure.measure.words, published: figure.value, measured: summary.value(of: figure.measure),
              isShare: figure.measure.isShare)
          }, notes: system.remarks),
        ReportSection(
          title: "Protocols",
          blocks: [
            .facts([
              .init("protocol", measurement.summary), .init("training", runs),
              .init("time", NumberText.duration(summary.seconds)), .init("seed", "\(outcome.run.recipe.seed)"),
            ]), .table(protocols.table, caption: "What \(system.name) came to under each protocol so far"),
          ]),
        .result(evaluation, passes: "one", notes: notes),
        summary.runs.count > 1 ? .folds(summary.runs.map(\.fold), unit: measurement.isPooled ? "seed" : "fold") : nil,
        .curves(try RunMetrics(run: outcome.run.url)), .confusion(evaluation), .classes(evaluation),
        .roc(outcome.metrics), .calibration(evaluation.calibration), try .sampleFaces(measured),
        try .surestMistakes(measured),
        .data(faces, .own, parts: outcome.parts, notes: balance),
        .protocolAndRecipe(
          [.init("recipe", "\(measurement.recipe), as resolved")], recipe: try RecipeFile.text(of: outcome.run.recipe)),
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

extension PublishedSystem.Measure {
  /// The figure's name in tables.
  var words: String {
    switch self {
    case .accuracy: "accuracy"
    case .loss: "loss"
    case .trainingAccuracy: "training accuracy"
    case .trainingLoss: "training loss"
    case .recall(let emotion): "recall, \(emotion.rawValue)"
    case .f1(let emotion): "F1, \(emotion.rawValue)"
    }
  }

  /// Whether its values are shares in 0…1.
  var isShare: Bool { self != .loss && self != .trainingLoss }
}
