public import ArgumentParser
import MienCommandLine
public import MienCore
public import MienONNX
public import MienTorch
public import MienTraining

/// `mien-train`: the part of Mien that trains and exports. `mien` hands its `train`, `tune`, `reproduce`, `export` and
/// `recipes` commands, and `evaluate --run` and `explain --run`, over to it.
@main
struct MienTrain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.Program.train.spokenName,
    abstract: "Trains networks that recognise emotion in faces, and exports them.",
    subcommands: [
      TrainCommand.self, TuneCommand.self, ReproduceCommand.self, ExportCommand.self, RecipesCommand.self,
      EvaluateCommand.self, ExplainCommand.self, BenchmarkCommand.self,
    ])

  @OptionGroup var version: VersionOption

  static func main() async { await runProgram(configure: { try Torch.keepFreedMemory() }) }

  func run() async throws {
    let library = version.isGiven ? try await TorchActor.run { try Torch.version() } : ""
    try version.answer(for: Self.self) { ["libtorch \(library)"] }
  }
}

extension ModelPrecision: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
extension Torch.Device: ExpressibleByArgument {}
extension Torch.Precision: ExpressibleByArgument {}
extension StepBenchmark.Part: ExpressibleByArgument {}
