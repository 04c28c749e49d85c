public import ArgumentParser
import MienCommandLine
public import MienCore
public import MienONNX
public import MienTorch
public import MienTraining

/// `mien-train`: the part of Mien that trains and exports. `mien` hands its `train`, `tune`, `reproduce` and `export`
/// commands, and `evaluate --run` and `explain --run`, over to it.
@main
struct MienTrain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-train", abstract: "Train networks that recognise emotion in faces, and export them.",
    subcommands: [
      TrainCommand.self, TuneCommand.self, ReproduceCommand.self, ExportCommand.self, EvaluateCommand.self,
      ExplainCommand.self, BenchmarkCommand.self,
    ])

  static func main() async { await runProgram { try Torch.keepFreedMemory() } }
}

extension ModelPrecision: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
extension Torch.Device: ExpressibleByArgument {}
extension StepBenchmark.Part: ExpressibleByArgument {}
