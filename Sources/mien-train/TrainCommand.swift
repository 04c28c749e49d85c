import ArgumentParser
import Foundation
import MienCore
import MienTorch
import MienTraining

/// `mien train RECIPE --data FACES…`
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network as a recipe says.",
    discussion: """
      Writes a run folder: recipe.yaml, metrics.csv and checkpoints/{last,best}.safetensors. Ctrl-C or a crash leaves a \
      run that --resume continues.
      """)

  @Argument(help: "The recipe, a YAML file; not given with --resume.")
  var recipe: String?

  @Option(parsing: .upToNextOption, help: "FaceSets made by `mien dataset import`.")
  var data: [String]

  @Option(name: .customLong("set"), help: "A recipe key and its value, as optimizer.learningRate=0.05. Repeatable.")
  var settings: [String] = []

  @Option(help: "Continue the run in this folder.")
  var resume: String?

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The run folder (default: under MIEN_RUNS or ~/mien-runs).")
  var output: String?

  @Option(help: "Where to compute: cpu or cuda.")
  var device: Torch.Device = .cpu

  @Option(help: "Threads for libtorch.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    if (recipe == nil) == (resume == nil) { throw ValidationError("Give a RECIPE, or --resume RUN.") }
    if resume != nil && (!settings.isEmpty || output != nil) {
      throw ValidationError("--resume continues a run as it is: --set and --output do not go with it.")
    }
    if threads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  func run() async throws {
    let device = device
    try await TorchActor.run { try Torch.use(device) }
    let run: RunFolder
    if let resume {
      run = try RunFolder(opening: URL(fileURLWithPath: resume))
    } else {
      let url = URL(fileURLWithPath: recipe ?? "")
      let parsed = try RecipeFile.read(url, settings: settings)
      run = try RunFolder(
        creating: output.map { URL(fileURLWithPath: $0) } ?? RunFolder.fresh(named: parsed.name), recipe: parsed)
    }
    let sets = try data.map { try FaceSet(contentsOf: URL(fileURLWithPath: $0)) }
    let threads = threads
    Interrupt.listen()
    try await TorchActor.run {
      try Torch.configure(threads: threads)
      let trainer = try Trainer(run: run, sets: sets, observers: [TerminalProgress(), MetricsFile(run: run)])
      try trainer.run(shouldStop: { Interrupt.isRaised })
    }
  }
}
