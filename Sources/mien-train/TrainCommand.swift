import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienRuns
import MienTorch
import MienTraining

/// `mien train RECIPE --data FACES…`
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.train.rawValue, abstract: ExternalCommand.train.abstract,
    discussion: """
      Writes a run folder: recipe.yaml, metrics.csv, TensorBoard events, checkpoints/{last,best}.safetensors and, at the \
      end, report.html. A recipe with folds or seeds makes a run folder for each of them, and a summary. Ctrl-C or a \
      crash leaves a run that --resume continues; the exit status is then 1. Under torchrun, several processes train one \
      run together.
      """)

  @Argument(
    help: "The recipe, a YAML file or the name of a built-in one (chen, mien-s…); not given with --resume.",
    completion: .list(RecipeFile.builtInNames))
  var recipe: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Sets of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var data: [String]

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A recipe key and its value, as optimizer.learningRate=0.05. Repeatable.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("How many epochs to train, as --set epochs=N.", valueName: "n"))
  var epochs: Int?

  @Option(help: ArgumentHelp("Continue the run in this folder.", valueName: "run"))
  var resume: String?

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The run folder (default: under MIEN_RUNS or ~/mien-runs).", valueName: "run"))
  var output: String?

  @OptionGroup var initial: InitialOptions

  @OptionGroup var torch: TorchOptions

  func validate() throws {
    if (recipe == nil) == (resume == nil) { throw ValidationError("Give a RECIPE or --resume RUN, one of the two") }
    if resume != nil && (!settings.isEmpty || epochs != nil || output != nil || initial.isGiven) {
      throw ValidationError(
        "--resume continues a run as it is: --set, --epochs, --output, --init and --freeze do not go with it")
    }
    try ValidationError.check(epochs, of: "--epochs", atLeast: 1)
  }

  func run() async throws {
    let place = try ProcessGroup.Place()
    if place != nil, output == nil, resume == nil {
      throw ValidationError("Give the run folder with -o, so that all processes, and those after a restart, find it")
    }
    try await torch.use(as: place)
    if let twice = data.indices.first(where: { data[..<$0].contains(data[$0]) }) {
      throw ValidationError("--data: \(data[twice]) is given twice")
    }
    let sets = try data.map { try FaceSet.given($0) }
    Interrupt.listen()
    let group = try await TorchActor.run { try place.map { try ProcessGroup(joining: $0) } }
    try initial.check()
    let (run, isFinished, summary): (RunFolder, Bool, SeriesSummary?)
    do { (run, isFinished, summary) = try await trained(on: sets, group: group) } catch let error as MienError {
      throw sets.named(error, as: data)
    }
    guard isFinished else { throw ExitCode.failure }
    if let group, !group.isFirst { return }
    if let summary {
      try Console.print(Self.table(of: summary).text)
      for file in [run.files.summaryTable, run.files.summary] { ResultFile.wrote(file.relativePath) }
    }
    var isWhole = true
    for folder in summary?.runs.map({ run.url.appendingPathComponent($0.name) }) ?? [run.url]
    where !Interrupt.isRaised {
      do {
        let run = try RunFolder(opening: folder)
        try await TorchActor.run { try Self.addPage(to: run, sets: sets) }
      } catch let error as MienError {
        // The run is finished all the same.
        Console.failure("\(error)")
        isWhole = false
      }
    }
    if !isWhole { throw ExitCode.failure }
  }

  /// Trains, in the run's folder.
  ///
  /// - Returns: the run, whether it came to its end, and of a series what its runs reached.
  private func trained(on sets: [FaceSet], group: ProcessGroup?) async throws -> (RunFolder, Bool, SeriesSummary?) {
    let (run, isNew) = try await folder(for: sets, group: group)
    let continuation = "continue with `\(continuation(of: run))`"
    return try await TorchActor.run {
      func observers(_ run: RunFolder, _ name: String) -> [any TrainingObserver] {
        [
          TerminalProgress(
            member: name, continuation: continuation,
            ending: "export it with `mien export \(ShellWord.quoted(run.url.relativePath)) -o MODEL.onnx`"),
          MetricsFile(run: run),
          TensorBoardEvents(run: run),
        ]
      }
      guard run.recipe.isSeries else {
        let trainer: Trainer
        do { trainer = try Trainer(run: run, sets: sets, observers: observers(run, ""), group: group) } catch {
          // The same folder can be asked for again, with what was wrong put right.
          if isNew { run.abandon() }
          throw error
        }
        return (run, try trainer.run(shouldStop: { Interrupt.isRaised }) != nil, nil)
      }
      do {
        let summary = try RunSeries(in: run, sets: sets).run(observers: observers, shouldStop: { Interrupt.isRaised })
        return (run, summary != nil, summary)
      } catch {
        // Gone only if no run of it was begun.
        if isNew { run.abandon() }
        throw error
      }
    }
  }

  /// The folder to train in, and whether this process made it. With a group, the first process chooses for all.
  private func folder(for sets: [FaceSet], group: ProcessGroup?) async throws -> (run: RunFolder, isNew: Bool) {
    if let group, !group.isFirst {
      let path = try await TorchActor.run { String(decoding: try group.fromFirst { [] }, as: UTF8.self) }
      return (try RunFolder(opening: URL(fileURLWithPath: path)), false)
    }
    let (run, isNew) = try await folder(for: sets, restarts: group?.place.restarts ?? 0)
    if group != nil, run.recipe.isSeries {
      if isNew { run.abandon() }
      throw MienError(
        .argument, run.recipe.name,
        "several processes train one run together, and the recipe stands for several: add --set folds.fold=1 or "
          + "--set 'seeds=[]', or train them without torchrun")
    }
    let path = run.url.path
    try await TorchActor.run { _ = try group?.fromFirst { Array(path.utf8) } }
    return (run, isNew)
  }

  private func folder(for sets: [FaceSet], restarts: Int) async throws -> (run: RunFolder, isNew: Bool) {
    if let resume { return (try RunFolder(opening: URL(fileURLWithPath: resume)), false) }
    let (recipe, notes) = try initial.applied(
      to: RecipeFile.find(self.recipe ?? "", settings: settings, epochs: epochs), sets: sets)
    let place = output.map { URL(fileURLWithPath: $0) }
    // torchrun starts all processes again, with the same command, when one of them has ended early.
    if restarts > 0, let place, let run = try? RunFolder(opening: place) {
      guard run.recipe == recipe else {
        throw MienError(.mismatch, place.relativePath, "holds a run of another recipe; choose another folder with -o")
      }
      return (run, false)
    }
    for note in notes { Console.error(note) }
    // What cannot be split or built leaves no folder behind.
    let members = try recipe.members(for: sets)
    try await TorchActor.run {
      _ = try recipe.network()
      if let first = members.first { _ = try TrainingData(sets, recipe: first.recipe) }
    }
    return (try RunFolder(creating: place ?? RunFolder.fresh(named: recipe.name), recipe: recipe), true)
  }

  /// The command that goes on with `run` after a stop.
  private func continuation(of run: RunFolder) -> String {
    (["mien", "train", "--resume", run.url.relativePath, "--data"] + data + torch.words).map(ShellWord.quoted)
      .joined(separator: " ")
  }

  /// Writes the page of a finished run; leaves one that is there.
  @TorchActor private static func addPage(to run: RunFolder, sets: [FaceSet]) throws {
    guard !FileManager.default.fileExists(atPath: run.files.report.path), let result = try RunResult(of: run) else {
      return
    }
    // What the recipe itself sets aside was measured once already, at the end of training.
    let parts: Set<Split> = result.test.isEmpty ? [.validation] : [.validation, .test]
    let page = TrainingPage(
      try run.description(), metrics: try RunMetrics(run: run.url), result: result,
      measurement: try RunMeasurement(of: run, sets: sets, parts: parts),
      set: try run.joined(sets),
      weightsSHA256: try ModelExport.model(of: run).weightsSHA256)
    try ResultFile.write(page.page(command: RunEnvironment.commandLine).data, to: run.files.report.relativePath)
  }

  /// Mean and standard deviation of each figure.
  private static func table(of summary: SeriesSummary) -> TextTable {
    var table = TextTable(header: [Spelling.counted(summary.runs.count, "run"), "mean", "sd", "minimum", "maximum"])
    for figure in summary.figures {
      let column = RunColumn(name: figure.name)
      let isShare = column?.isShare ?? false
      func number(_ value: Double?) -> String {
        value.map { isShare ? NumberText.percent($0) : NumberText.fixed($0, 4) } ?? "-"
      }
      table.add([
        column?.title ?? figure.name, number(figure.mean), number(figure.standardDeviation), number(figure.minimum),
        number(figure.maximum),
      ])
    }
    return table
  }
}

/// `--init` and `--freeze`: the weights that training begins with.
struct InitialOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp(
      "Begin with the best weights of a run (its folder), a model (its file), or a built-in model (its name, as mien-s).",
      valueName: "run|model"))
  var weights: String?

  @Option(help: ArgumentHelp("With --init: how many of the trunk's first layers do not train.", valueName: "n"))
  var freeze: Int?

  /// Whether one of the options was given.
  var isGiven: Bool { weights != nil || freeze != nil }

  func validate() throws {
    if let freeze, weights == nil || freeze < 0 {
      throw ValidationError("--freeze needs --init, and a number of layers from 0")
    }
  }

  /// Checks before the work that the weights are there.
  ///
  /// - Throws: ``MienError`` that names them.
  func check() throws {
    if let weights { try InitialWeights.check(weights) }
  }

  /// `recipe` with the options, whole paths and a validation part, and without heads that no face of `sets` has labels for if
  /// it begins with other weights.
  ///
  /// - Returns: the recipe, and what to tell about it.
  /// - Throws: ``MienError`` that names the key `split`, if no validation part can be cut.
  func applied(to recipe: Recipe, sets: [FaceSet]) throws -> (recipe: Recipe, notes: [String]) {
    var (recipe, notes) = (recipe, [String?]())
    if let weights {
      recipe.initialWeights = weights
      let start = URL(fileURLWithPath: weights).deletingPathExtension().lastPathComponent
      // A model that goes on from its last version has its name.
      let name = start == recipe.name ? "an earlier \(start)" : start
      recipe.summary = (recipe.summary + " Initialised from \(name).").trimmingCharacters(in: .whitespaces)
    }
    if let freeze { recipe.freeze = freeze }
    recipe = recipe.withAbsolutePaths
    if weights != nil {
      let (fitting, note) = recipe.fittingHeads(to: sets)
      (recipe, notes) = (fitting, [note])
    }
    let (cut, note) = try recipe.cuttingValidation(from: sets)
    return (cut, (notes + [note]).compactMap(\.self))
  }
}

extension RecipeFile {
  /// The recipe of that name with `--set` and `--epochs` applied.
  ///
  /// - Throws: ``MienError`` as ``find(_:settings:)``, about `--epochs` if that is at fault.
  static func find(_ name: String, settings: [String], epochs: Int?) throws -> Recipe {
    do { return try find(name, settings: settings + (epochs.map { ["epochs=\($0)"] } ?? [])) } catch let error
      as MienError
    {
      guard let epochs, error.subject == "--set epochs=\(epochs)" else { throw error }
      throw error.about("--epochs \(epochs)")
    }
  }
}
