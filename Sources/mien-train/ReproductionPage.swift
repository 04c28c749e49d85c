import Foundation
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

  /// The page.
  ///
  /// - Throws: ``MienError`` where the run's `metrics.csv` cannot be read, or a face cannot be written as a picture.
  func report(command: String) throws -> Report {
    let summary = outcome.summary
    let evaluation = summary.evaluation
    let measured = try MeasuredFaces(faces, indices: outcome.faces, metrics: outcome.metrics)
    let runs = summary.runs.count == 1 ? "one run" : "\(summary.runs.count) runs"
    return Report(
      title: "\(system.name), \(measurement.name)", subtitle: system.paper,
      sections: [
        .published(
          measurement.figures.map { figure in
            PublishedFigure(
              name: figure.measure.words, published: figure.value, measured: summary.value(of: figure.measure),
              isShare: figure.measure.isShare)
          }, notes: system.remarks),
        .protocolAndRecipe(
          [
            .init("protocol", measurement.summary), .init("training", runs),
            .init("time", NumberText.duration(summary.seconds)), .init("seed", "\(outcome.run.recipe.seed)"),
          ], recipe: try RecipeFile.text(of: outcome.run.recipe)),
        .result(
          evaluation, passes: "one",
          notes: summary.runs.count > 1 ? ["The run of least validation loss, \(summary.standing)."] : []),
        summary.runs.count > 1 ? .folds(summary.runs.map(\.fold)) : nil,
        .curves(try RunMetrics(run: outcome.run.url)), .confusion(evaluation), .classes(evaluation),
        .roc(outcome.metrics), .calibration(evaluation.calibration), try .sampleFaces(measured),
        try .surestMistakes(measured), .data(faces, .own),
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
