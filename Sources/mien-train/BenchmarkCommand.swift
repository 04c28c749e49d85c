import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienTorch
import MienTraining

/// `mien-train benchmark RECIPE`, which `Benchmarks/train-step.sh` runs beside its PyTorch peer.
struct BenchmarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measures the training step of a recipe, its augmentation or whole epochs, in images per second.",
    shouldDisplay: ExternalCommand.Program.train.spokenName != "mien")

  @Argument(
    help: "The recipe, a YAML file or the name of a built-in one.", completion: .list(RecipeFile.builtInNames))
  var recipe: String

  @Option(help: "What to measure: step, augmentation or epoch; the last two over 981 faces of noise.")
  var part: StepBenchmark.Part = .step

  @Option(help: "Rounds; one figure each.")
  var rounds = 3

  @Option(help: "Steps a round, where one step is measured.")
  var steps = 10

  @OptionGroup var torch: TorchOptions

  @Option(
    name: .customLong("set"), help: ArgumentHelp("A recipe key and its value. Repeatable.", valueName: "key=value"))
  var settings: [String] = []

  func validate() throws {
    try ValidationError.check(rounds, of: "--rounds", atLeast: 1)
    try ValidationError.check(steps, of: "--steps", atLeast: 1)
  }

  func run() async throws {
    let recipe = try RecipeFile.find(recipe, settings: settings)
    try await torch.use()
    let (part, rounds, steps) = (part, rounds, steps)
    let figures = try await TorchActor.run {
      try StepBenchmark.imagesPerSecond(recipe, part, rounds: rounds, steps: steps)
    }
    for figure in figures { try Console.print(String(format: "%.1f", figure)) }
  }
}
