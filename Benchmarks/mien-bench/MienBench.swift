import ArgumentParser
import MienCommandLine

/// Measurements behind figures of the documentation, for those who work on Mien: not part of what is installed.
@main struct MienBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-bench", abstract: "Makes figures of Mien's documentation.",
    subcommands: [FramingBenchmark.self, PoseBenchmark.self, LimitsBenchmark.self, AdaptationBenchmark.self])

  static func main() async { await runProgram() }
}
