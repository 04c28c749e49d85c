public import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienRuns
import MienTorch
public import MienTraining

/// `mien tune RECIPE --data FACES…` and `mien tune show DIR`
struct TuneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.tune.rawValue, abstract: ExternalCommand.tune.abstract,
    subcommands: [TuneRunCommand.self, TuneShowCommand.self], defaultSubcommand: TuneRunCommand.self)
}

/// `mien tune RECIPE --data FACES…`
struct TuneRunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Trains a recipe with different values of its keys, and says which are best.",
    discussion: """
      VALUES are a list (16,32,64) or, for random draws, a range (0.2..0.6, or log:1e-4..1e-1 for a logarithmic scale). \
      `mien tune show DIR` shows a search again, also while it runs. Ctrl-C or a crash leaves a search that the same \
      command with --resume continues. Several processes with the same command, -o and --resume share its trials.
      """)

  @Argument(help: "The recipe: a YAML file, or a built-in name.", completion: .list(RecipeFile.builtInNames))
  var recipe: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Sets of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var data: [String]

  @Option(help: ArgumentHelp("A recipe key and the values to try. Repeatable.", valueName: "key=values"))
  var search: [String] = []

  @Option(help: ArgumentHelp("The same as a YAML file: a mapping of keys to values.", valueName: "file"))
  var space: String?

  @Option(
    help: ArgumentHelp(
      """
      grid: every combination, each to the end. random: --trials draws, each to the end. halving: all for a few epochs, \
      the best for more, and so on (default: grid, or random with --trials).
      """, valueName: "grid|random|halving"))
  var method: TuningPlan.Method?

  @Option(help: ArgumentHelp("Random draws; without it, every combination.", valueName: "n"))
  var trials: Int?

  @Option(help: ArgumentHelp("Halving: one trial in N goes on, for N times the epochs.", valueName: "n"))
  var eta = 3

  @Option(
    help: ArgumentHelp("Halving: epochs before the first trials are stopped (default: from --eta).", valueName: "n"))
  var firstEpochs: Int?

  @Option(help: ArgumentHelp("Cross-validate each trial: its score is the mean over folds.", valueName: "k"))
  var folds: Int?

  @Option(help: "The seed of the random draws.")
  var seed: UInt64 = 1

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A recipe key and its value for all trials. Repeatable.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("How many epochs to train each trial, as --set epochs=N.", valueName: "n"))
  var epochs: Int?

  @OptionGroup var initial: InitialOptions

  @Flag(help: "Continue the search in --output, or join others that do; begin it if there is none.")
  var resume = false

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The folder of the search (default: under MIEN_RUNS or ~/mien-runs).", valueName: "dir"))
  var output: String?

  @Option(help: ArgumentHelp("Write table and charts as one HTML file at the end.", valueName: "file.html"))
  var report: String?

  @OptionGroup var torch: TorchOptions

  func validate() throws {
    if resume && output == nil { throw ValidationError("--resume needs the folder of the search: -o DIR") }
    if search.isEmpty && space == nil { throw ValidationError("Give the keys to search: --search KEY=VALUES") }
    try ValidationError.check(epochs, of: "--epochs", atLeast: 1)
    if method == .grid && trials != nil { throw ValidationError("--trials goes with random and halving") }
    if method == .random && trials == nil { throw ValidationError("--method random needs --trials") }
    if method != .halving && firstEpochs != nil { throw ValidationError("--first-epochs goes with halving") }
  }

  func run() async throws {
    try ResultFile.check(["--report": report], inputs: [recipe, space] + data.map { $0 as String? })
    try await torch.use()
    let sets = try data.map { try FaceSet.given($0) }
    try initial.check()
    let plan = try plan(for: sets)
    // Data that no trial can be trained on leave no folder behind.
    if let first = try plan.trials().first?.recipe {
      let recipe = try first.members(for: sets).first?.recipe ?? first
      do { try await TorchActor.run { _ = try TrainingData(sets, recipe: recipe) } } catch let error as MienError {
        throw sets.named(error, as: data)
      }
    }
    let folder = try folder(for: plan)
    let count = folder.trials.count
    Console.error(
      "\(Spelling.counted(count, "trial")) of \(plan.recipe.name), search folder \(folder.url.relativePath)")
    Interrupt.listen()
    let (isFinished, result) = try await TorchActor.run {
      let tuner = try Tuner(in: folder, sets: sets)
      let isFinished = try tuner.run(
        observers: { run, name in [TerminalProgress(member: name, isBrief: true), MetricsFile(run: run)] },
        report: { record in
          Console.error(Self.line(record, of: folder.results, rungs: folder.rungs.count))
        }, shouldStop: { Interrupt.isRaised })
      return (isFinished, tuner.folder)
    }
    guard isFinished else {
      Console.error("stopped; continue with `\(continuation(in: folder))`")
      throw ExitCode.failure
    }
    try TuneShowCommand.show(result, report: report)
    if result.best == nil { throw ExitCode.failure }
  }

  /// The command that goes on with the search after a stop.
  private func continuation(in folder: TuningFolder) -> String {
    let given = CommandLine.arguments.dropFirst().filter { $0 != "--resume" }
    let place = output == nil ? ["-o", folder.url.relativePath] : []
    return (["mien"] + given + ["--resume"] + place).map(ShellWord.quoted).joined(separator: " ")
  }

  /// A finished trial in a line.
  private static func line(_ record: TrialRecord, of search: SearchResults, rungs: Int) -> String {
    let settings = record.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.plainText)" }
    let rung = rungs > 1 ? ", rung \(record.rung) of \(rungs)" : ""
    let result =
      record.score.map {
        "\(search.title) \(search.figure.text($0)) after \(Spelling.counted(record.epochs, "epoch"))"
      } ?? "\(record.outcome.rawValue): \(record.message ?? "")"
    return "trial \(record.trial) of \(search.trials.count)\(rung): \(settings.joined(separator: " "))  \(result)"
  }

  private func plan(for sets: [FaceSet]) throws -> TuningPlan {
    var settings = settings
    if let folds { settings.append("folds.count=\(folds)") }
    let (base, notes) = try initial.applied(
      to: RecipeFile.find(recipe, settings: settings, epochs: epochs), sets: sets)
    for note in notes { Console.error(note) }
    let axes =
      try (space.map { try SearchAxis.read(URL(fileURLWithPath: $0)) } ?? []) + search.map(SearchAxis.init(option:))
    return try TuningPlan(
      recipe: base, method: method ?? (trials == nil ? .grid : .random), axes: axes, draws: trials, eta: eta,
      firstEpochs: firstEpochs, seed: seed, sets: sets)
  }

  private func folder(for plan: TuningPlan) throws -> TuningFolder {
    guard resume, let output else {
      let url = output.map { URL(fileURLWithPath: $0) } ?? RunFolder.fresh(named: "tune-\(plan.recipe.name)")
      return try TuningFolder(creating: url, plan: plan)
    }
    let url = URL(fileURLWithPath: output)
    let folder: TuningFolder
    do { folder = try TuningFolder(creating: url, plan: plan) } catch {
      // Begun before, or by another process just now.
      guard let search = try TuningFolder.search(url) else { throw error }
      folder = search
    }
    guard folder.plan == plan else {
      throw MienError(
        .mismatch, output,
        "its search had another \(folder.plan.differences(from: plan).joined(separator: ", ")); give the same command")
    }
    return folder
  }
}

extension TuningPlan.Method: ExpressibleByArgument {}

extension TuningPlan {
  /// What differs between two plans, in words.
  fileprivate func differences(from other: TuningPlan) -> [String] {
    [
      ("recipe", recipe == other.recipe), ("--search", axes == other.axes), ("--method", method == other.method),
      ("--trials", draws == other.draws), ("--eta", eta == other.eta),
      ("--first-epochs", firstEpochs == other.firstEpochs), ("--seed", seed == other.seed),
      ("--data", data == other.data),
    ].filter { !$0.1 }.map(\.0)
  }
}
