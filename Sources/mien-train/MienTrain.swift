public import ArgumentParser
public import MienTorch
public import MienTraining

/// `mien-train`: the part of Mien that trains and exports. `mien` hands its `train`, `reproduce` and `export` commands over to it.
@main
struct MienTrain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-train", abstract: "Train networks that recognise emotion in faces, and export them.",
    subcommands: [TrainCommand.self, ReproduceCommand.self, ExportCommand.self, BenchmarkCommand.self])
}

extension Torch.Device: ExpressibleByArgument {}
extension StepBenchmark.Part: ExpressibleByArgument {}
