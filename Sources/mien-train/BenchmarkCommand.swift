import ArgumentParser
import Foundation
import MienTorch
import MienTraining

/// `mien-train benchmark RECIPE`, which `Benchmarks/train-step.sh` runs beside its PyTorch peer.
struct BenchmarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measure the training step of a recipe, its augmentation or whole epochs, in images a second.")

  @Argument(help: "The recipe.")
  var recipe: String

  @Option(help: "What to measure: step, augmentation or epoch; the last two over 981 faces of noise.")
  var part: StepBenchmark.Part = .step

  @Option(help: "Rounds; one figure each.")
  var rounds = 3

  @Option(help: "Steps a round, where one step is measured.")
  var steps = 10

  @Option(help: "Where to compute: cpu or cuda.")
  var device: Torch.Device = .cpu

  @Option(help: "Threads for libtorch.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(name: .customLong("set"), help: "A recipe key and its value. Repeatable.")
  var settings: [String] = []

  func validate() throws {
    guard rounds > 0, steps > 0, threads > 0 else {
      throw ValidationError("--rounds, --steps and --threads must be at least 1.")
    }
  }

  func run() async throws {
    let recipe = try RecipeFile.read(URL(fileURLWithPath: recipe), settings: settings)
    let (part, rounds, steps, threads, device) = (part, rounds, steps, threads, device)
    let figures = try await TorchActor.run {
      try Torch.use(device)
      try Torch.configure(threads: threads)
      return try StepBenchmark.imagesPerSecond(recipe, part, rounds: rounds, steps: steps)
    }
    for figure in figures { print(String(format: "%.1f", figure)) }
  }
}
