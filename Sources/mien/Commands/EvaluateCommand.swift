import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienEvaluation
import MienInference
import MienModelOptions
import MienReports

/// `mien evaluate --data FACES`: how well a model does on labelled faces.
struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a model on a labelled set of faces.",
    discussion: """
      What is measured is the model's file, run as `mien detect` runs it. With --run RUN it is a training run's \
      best epoch, on the faces that its own recipe set aside: `mien evaluate --run RUN --help`.
      """)

  @Option(help: ArgumentHelp("A set of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var data: String

  @OptionGroup var measure: MeasureOptions

  @Flag(help: "Measure on blurred, noisy, dark and otherwise corrupted faces too: 41 times the work.")
  var corruptions = false

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write charts, figures and faces as one HTML file.", valueName: "file.html"))
  var report: String?

  @Option(help: ArgumentHelp("Write what the model says of each face.", valueName: "file.csv"))
  var predictions: String?

  @OptionGroup var model: ModelOptions

  func run() async throws {
    try ResultFile.check(
      ["--json": json, "--report": report, "--predictions": predictions], inputs: [data, model.model.name])
    let faces = try FaceSet.given(data)
    do {
      let source = try faces.labelSource(named: measure.labels)
      let part = try measure.part(of: faces, source, data: data)
      let classifier = try model.classifier()
      warnIfUnused(classifier, faces, source)
      let excluded = measure.excluded(of: faces)
      let rounds: [Corruption?] = [nil] + (corruptions ? Corruption.all : [])
      let progress = ProgressLine("faces")
      var evaluations: [Evaluation] = []
      for (round, corruption) in rounds.enumerated() {
        evaluations.append(
          try await Evaluation(
            classifier, on: faces, labels: source, split: part, excluding: excluded, averaging: measure.tta,
            corruption: corruption
          ) { done, total in progress.update(round * total + done, of: rounds.count * total) })
      }
      progress.clear()
      let evaluation = evaluations[0]
      let results = zip(Corruption.all, evaluations.dropFirst()).map { corruption, evaluation in
        CorruptionResult(
          name: corruption.kind.rawValue, severity: corruption.severity, parameter: corruption.kind.parameter,
          value: corruption.value, metrics: evaluation.metrics, clusters: evaluation.clusters)
      }
      let overlap = DataOverlap(
        classifier.card, on: faces, measured: evaluation.indices, hits: evaluation.metrics.hits)
      let figures = EvaluationReport(
        evaluation.metrics, model: classifier.card.name, weightsSHA256: classifier.card.weightsSHA256,
        data: faces.info.source, split: part, clusters: evaluation.clusters, overlap: overlap,
        missingClasses: evaluation.missingClasses,
        profile: classifier.adaptedHead?.info.profile, prior: classifier.prior,
        corruptions: corruptions ? results : nil)
      let page = try EvaluationPage(
        figures, metrics: evaluation.metrics, indices: evaluation.indices, of: faces,
        in: URL(fileURLWithPath: data).lastPathComponent,
        labels: source, passes: measure.passes, output: evaluation.output, unlabelledCount: evaluation.unlabelledCount,
        excludedCount: evaluation.excludedCount,
        profile: classifier.adaptedHead.map {
          .init(
            name: $0.info.profile, correctionCount: $0.info.correctionCount,
            isUsed: $0.head.labels == evaluation.output)
        })
      if let json { try ResultFile.write(try figures.json() + Data("\n".utf8), to: json) }
      if let predictions {
        try ResultFile.write(
          try Predictions(indices: evaluation.indices, metrics: evaluation.metrics).csv(), to: predictions)
      }
      if let report {
        try ResultFile.write(
          try page.page(model: .model(classifier.card), command: RunEnvironment.commandLine).data, to: report)
      }
      if ![json, report, predictions].contains("-") { try Console.printLines(page.lines) }
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(data)
    }
  }

  /// Says before the work that the profile plays no part in it, and what to do.
  private func warnIfUnused(_ classifier: EmotionClassifier, _ faces: FaceSet, _ source: LabelSource) {
    guard let head = classifier.adaptedHead else { return }
    let output = classifier.labels(for: faces.labelSet(source))
    let changed = head.head.labels
    guard changed != output else { return }
    let remedy =
      changed == .ferplus && faces.hasVotes
      ? "give --labels \(changed.name)"
      : "import the pictures with `mien dataset import … --labels \(changed.name)`, and measure that set"
    Console.warning(
      "profile \(head.info.profile): it changes the output \(changed.name) only, and \(data) is measured on the output "
        + "\(output.name): the figures are those of the model without the profile; \(remedy)")
  }
}
