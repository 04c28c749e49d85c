import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienRuns
import MienTorch
import MienTraining

/// `mien evaluate --run RUN --data FACES…`: a run on what its recipe set aside.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a run's best epoch on the faces that its recipe set aside.",
    discussion: """
      The faces are split as the run's recipe says, with its splits, folds and seeds. Without --split they are the \
      test part, which nothing was chosen by, or the validation part if there is no test part.
      """)

  @Option(help: ArgumentHelp("The run folder.", valueName: "run"))
  var run: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The sets of faces that it was trained on.", valueName: "faces.safetensors"))
  var data: [String]

  @Option(
    help: ArgumentHelp(
      "The part to measure on: train, validation or test (default: test, or validation if there are no test faces).",
      valueName: "split"), completion: .list(Split.allCases.map(\.rawValue)),
    transform: { text in
      guard let split = Split(rawValue: text) else {
        let reason = text == "all" ? "; of all parts together, most faces are those that the run was trained on" : ""
        throw ValidationError("expected train, validation or test\(reason)")
      }
      return split
    })
  var split: Split?

  @Option(help: ArgumentHelp("The head to measure; without it, the recipe's first.", valueName: "labels"))
  var labels: String?

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write charts, figures and faces as one HTML file.", valueName: "file.html"))
  var report: String?

  @Option(help: ArgumentHelp("Write what the network says of each face.", valueName: "file.csv"))
  var predictions: String?

  @OptionGroup var torch: TorchThreads

  func run() async throws {
    try ResultFile.check(["--json": json, "--report": report, "--predictions": predictions], inputs: data)
    let folder = try RunFolder(opening: URL(fileURLWithPath: run))
    guard !folder.recipe.isSeries else { throw folder.files.seriesError(run) }
    let sets = try data.map { try FaceSet.given($0) }
    let (labels, split, threads, name) = (labels, split, torch.count(), run)
    let (part, metrics, indices, sha256, set, caution) = try await TorchActor.run {
      try Torch.configure(threads: threads)
      var part = split ?? .test
      var measurement = try RunMeasurement(of: folder, sets: sets, parts: [part])
      if split == nil, measurement.metrics[.test]?.isEmpty ?? true {
        part = .validation
        measurement = try RunMeasurement(of: folder, sets: sets, parts: [part])
      }
      let heads = measurement.metrics[part] ?? []
      guard !heads.isEmpty else {
        throw MienError(.mismatch, name, "has no labelled face in its \(part.rawValue) part")
      }
      guard let place = labels.map({ wanted in heads.firstIndex { $0.labels.name == wanted } }) ?? 0 else {
        let known = heads.map(\.labels.name).joined(separator: ", ")
        throw MienError(.argument, "--labels \(labels ?? "")", "the run's heads are \(known)")
      }
      let weights = try ModelExport.model(of: folder).weightsSHA256
      let indices = measurement.headFaces[part]?[place] ?? []
      let set = try folder.joined(sets, labels: heads[place].labels)
      return (part, heads[place], indices, weights, set, measurement.caution(part, faces: indices, of: set))
    }
    if split == nil {
      Console.error(
        part == .test
          ? "\(run): measuring on its test part; --split chooses another"
          : "\(run): no test face has a label, measuring on validation")
    }
    let figures = EvaluationReport(
      metrics, model: folder.recipe.name, weightsSHA256: sha256, data: set.info.source, split: part,
      clusters: set.clusters(of: indices))
    if let json { try ResultFile.write(try figures.json() + Data("\n".utf8), to: json) }
    if let predictions {
      try ResultFile.write(try Predictions(indices: indices, metrics: metrics).csv(), to: predictions)
    }
    let page = try EvaluationPage(
      figures, metrics: metrics, indices: indices, of: set,
      in: data.map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: ", "),
      labels: metrics.labels == .ferplus && set.hasVotes ? .ferplus : .own, passes: "one", output: metrics.labels,
      remarks: [RunMeasurement.note(part, of: try folder.description())] + (caution.map { [$0] } ?? []))
    if let report {
      let model = ReportSection.protocolAndRecipe(
        [.init("run", folder.url.path)], recipe: try folder.description().recipe)
      try ResultFile.write(try page.page(model: model, command: RunEnvironment.commandLine).data, to: report)
    }
    if ![json, report, predictions].contains("-") { for line in page.lines { try Console.print(line) } }
  }
}
