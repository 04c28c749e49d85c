import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienRuns
import MienTorch
import MienTraining

/// `mien reproduce NAME|all --data FACES…`
struct ReproduceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.reproduce.rawValue, abstract: ExternalCommand.reproduce.abstract,
    discussion: """
      Under the papers' protocols and clean ones. The systems are \(PublishedSystem.builtInNames.joined(separator: ", ")); a YAML file like those in recipes/published \
      describes another. Each measurement writes a run folder, a report.html, a model.onnx and its figures; what is \
      finished is not trained again, and the same command resumes an interrupted run. With --epochs or --folds it is a quick look, which is \
      marked as one and has a folder of its own. FaceSets are told apart by their source: fer2013, ckplus48, and any other \
      for your own faces (yousaf).
      """)

  @Argument(
    help: ArgumentHelp("A system's name, its YAML file, or all.", valueName: "name|file.yaml|all"),
    completion: .list(PublishedSystem.builtInNames + ["all"]))
  var name: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Sets of faces that `mien dataset import` made; not needed with --show.", valueName: "faces.safetensors"))
  var data: [String] = []

  @Option(help: ArgumentHelp("At most this many epochs per run, for a quick look.", valueName: "n"))
  var epochs: Int?

  @Option(help: ArgumentHelp("This many folds or seeds, if a protocol repeats its training.", valueName: "k"))
  var folds: Int?

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The folder of all runs (default: reproduce under MIEN_RUNS or ~/mien-runs).", valueName: "dir"))
  var output: String?

  @Option(help: ArgumentHelp("Only the measurements of these names, as fer2013-clean. Repeatable.", valueName: "name"))
  var only: [String] = []

  @Flag(help: "Train nothing; report what is finished.")
  var show = false

  @Option(help: ArgumentHelp("Also write all figures as a Markdown page.", valueName: "file.md"))
  var markdown: String?

  @OptionGroup var torch: TorchOptions

  func validate() throws {
    try ValidationError.check(epochs, of: "--epochs", atLeast: 1)
    if let folds, !(2...1000).contains(folds) { throw ValidationError("--folds \(folds): expected 2 to 1,000") }
  }

  func run() async throws {
    let (systems, recipes) = try systems()
    guard show || !data.isEmpty else {
      throw MienError(.argument, nil, "--data is missing: the files that `mien dataset import` made")
    }
    let known = systems.flatMap(\.measurements).map(\.name)
    for name in only where !known.contains(name) {
      throw MienError(.argument, "--only \(name)", "no such measurement; these are \(known.joined(separator: ", "))")
    }
    try ResultFile.check(["--markdown": markdown], inputs: data)
    let sets = try data.map { try FaceSet.given($0) }
    let folder = output.map { URL(fileURLWithPath: $0) } ?? RunFolder.root.appendingPathComponent("reproduce")
    Interrupt.listen()
    try await torch.use()
    var table = ReproductionTable()
    var (hasFaces, hasFailed) = (show, false)
    var missing: [(system: String, faces: MissingFaces)] = []
    func failed(_ error: MienError) {
      Console.failure("\(error)")
      hasFailed = true
    }
    for system in systems {
      let place = folder.appendingPathComponent(system.name)
      var pages: [(page: ReproductionPage, file: URL)] = []
      for measurement in system.measurements where only.isEmpty || only.contains(measurement.name) {
        if Interrupt.isRaised { break }
        do {
          if show {
            try table.add(system, measurement, in: place)
          } else {
            let (summary, page, quickLook) = try await reproduced(system, measurement, sets, place, recipes: recipes)
            table.add(system, measurement, summary, note: "not finished", quickLook: quickLook)
            if let page { pages.append(page) }
          }
        } catch let error as MissingFaces {
          table.add(system, measurement, nil, note: error.description)
          if !missing.contains(where: { $0.system == system.name && $0.faces.source == error.source }) {
            missing.append((system.name, error))
          }
          continue
        } catch let error as MienError {
          failed(sets.named(error, as: data))
          table.add(system, measurement, nil, note: "failed")
        }
        hasFaces = true
      }
      // Each page shows the system's other protocols too.
      let protocols = ReproductionTable(system, in: place)
      for (page, file) in pages {
        do {
          try ResultFile.write(page.page(protocols, command: RunEnvironment.commandLine).data, to: file.relativePath)
        } catch let error as MienError { failed(error) }
      }
    }
    for line in table.lines { try Console.print(line) }
    if Interrupt.isRaised { throw ExitCode.failure }
    if let markdown {
      let options =
        only.map { "--only \($0)" }
        + [epochs.map { "--epochs \($0)" }, folds.map { "--folds \($0)" }, show ? "--show" : nil].compactMap(\.self)
      try ResultFile.write(Data(table.markdown(of: name, options: options).utf8), to: markdown)
    }
    if !hasFaces {
      for (system, faces) in missing { Console.failure("\(system) needs \(faces.remedy)") }
    }
    if hasFailed || !hasFaces { throw ExitCode(1) }
  }

  /// The systems asked for, and where the recipes of one's own lie.
  private func systems() throws -> ([PublishedSystem], recipes: URL?) {
    let builtIn = try PublishedSystem.builtIn()
    let found = builtIn.filter { name == "all" || $0.name == name }
    if !found.isEmpty { return (found, nil) }
    guard ["yaml", "yml"].contains(URL(fileURLWithPath: name).pathExtension) else {
      let near = Spelling.nearest(name, among: builtIn.map(\.name)).map { "; did you mean \($0)?" }
      throw MienError(
        .argument, name,
        "no such system; these are \(builtIn.map(\.name).joined(separator: ", ")), or all; a file ends in .yaml"
          + (near ?? ""))
    }
    let file = URL(fileURLWithPath: name)
    return ([try PublishedSystem(contentsOf: file)], file.deletingLastPathComponent())
  }

  /// No FaceSet was given that a measurement is of.
  private struct MissingFaces: Error, CustomStringConvertible {
    /// That of the measurement; nil for one's own faces.
    let source: String?

    var description: String { "needs a FaceSet of \(source ?? "your own faces")" }

    /// The data set, and the command that makes the file.
    var remedy: String {
      switch source {
      case "ckplus48": "CK+48: `mien dataset import ckplus48 CK+48/ -o ck48.safetensors`"
      case "fer2013": "FER2013: `mien dataset import fer2013 fer2013.csv -o fer2013.safetensors`"
      case let source?: "the set `\(source)`"
      case nil: "your own faces: `mien dataset import folders DIR -o faces.safetensors`"
      }
    }
  }

  /// The first set of the measurement's source, or of no known one where it is for your own faces.
  private static func faces(for measurement: PublishedSystem.Measurement, in sets: [FaceSet]) throws -> FaceSet {
    let known = Set(try PublishedSystem.builtIn().flatMap(\.measurements).compactMap(\.source))
    let faces = sets.first { set in
      measurement.source.map { $0 == set.info.source } ?? !known.contains(set.info.source)
    }
    guard let faces else {
      throw MissingFaces(source: measurement.source)
    }
    return faces
  }

  /// Trains and measures.
  ///
  /// - Returns: no summary if it is not finished, and then no page.
  private func reproduced(
    _ system: PublishedSystem, _ measurement: PublishedSystem.Measurement, _ sets: [FaceSet], _ place: URL,
    recipes: URL?
  ) async throws -> (
    ReproductionSummary?, (page: ReproductionPage, file: URL)?, quickLook: ReproductionSummary.QuickLook?
  ) {
    let faces = try Self.faces(for: measurement, in: sets)
    let (epochs, folds) = (epochs, folds)
    return try await TorchActor.run {
      let reproduction = try Reproduction(
        of: system, measurement, faces: faces, in: place, recipes: recipes, epochs: epochs, folds: folds)
      func observers(_ run: RunFolder, _ name: String) -> [any TrainingObserver] {
        let member = ["\(system.name) \(measurement.name)", name].filter { !$0.isEmpty }.joined(separator: " ")
        let progress = TerminalProgress(member: member, continuation: "the same command resumes it")
        return [progress, MetricsFile(run: run), TensorBoardEvents(run: run)]
      }
      guard let outcome = try reproduction.run(observers: observers, shouldStop: { Interrupt.isRaised }) else {
        return (nil, nil, reproduction.quickLook)
      }
      let page = try ReproductionPage(
        system, measurement, outcome.summary, metrics: outcome.metrics, indices: outcome.faces, of: faces,
        parts: outcome.parts, run: outcome.run.description(), curves: RunMetrics(run: outcome.run.url))
      return (outcome.summary, (page, RunFiles(reproduction.folder).report), reproduction.quickLook)
    }
  }
}
