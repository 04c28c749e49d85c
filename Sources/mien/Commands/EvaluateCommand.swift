import ArgumentParser
import Foundation
import MienCore
import MienInference
import Synchronization

/// `mien evaluate --data FACES`: how well a model does on labelled faces.
struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a model on a labelled set of faces.",
    discussion: "What is measured is the model's file, run as `mien detect` runs it.")

  /// A split, or all faces.
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case train, validation, test, all
  }

  /// What is averaged over.
  enum Averaging: String, ExpressibleByArgument, CaseIterable {
    case none, flip
  }

  @Option(help: ArgumentHelp("A set of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: ArgumentHelp("The labels to measure against; FER+'s where there are votes.", valueName: "labels"))
  var labels: String?

  @Option(help: "The faces to measure on; without it, test, or validation where there is no test face.")
  var split: Part?

  @Option(help: "What to average over for each face: its mirror image too, or nothing.")
  var tta: Averaging = .none

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @OptionGroup var model: ModelOptions

  func run() async throws {
    try ResultFile.check(json)
    let faces = try FaceSet(contentsOf: URL(fileURLWithPath: data))
    do {
      let source = try faces.labelSource(named: labels)
      let part = chosenSplit(faces, source)
      let classifier = try model.classifier()
      let averaging: Evaluation.Averaging = tta == .flip ? .flip : .none
      let progress = Mutex(ProgressLine("faces"))
      let evaluation = try await Evaluation(
        classifier, on: faces, labels: source, split: part, averaging: averaging
      ) { done, total in progress.withLock { $0.update(done, of: total) } }
      progress.withLock { $0.clear() }
      let report = EvaluationReport(
        evaluation.metrics, model: classifier.card.name, weightsSHA256: classifier.card.weightsSHA256,
        data: faces.info.source, split: part, missingClasses: evaluation.missingClasses)
      if let json { try ResultFile.write(try report.json() + Data("\n".utf8), to: json) }
      if json != "-" {
        for line in EvaluationTable(evaluation, report, averaging: averaging).lines { Console.print(line) }
      }
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(data)
    }
  }

  private func chosenSplit(_ faces: FaceSet, _ source: LabelSource) -> Split? {
    if let split { return Split(rawValue: split.rawValue) }
    if !faces.labelled(source, in: .test).isEmpty { return .test }
    Console.error("\(data): no test face has a label, measuring on validation")
    return .validation
  }
}
