import ArgumentParser
import Foundation
import MienCore

/// The command that users type.
@main struct Mien: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien",
    abstract: "Recognises emotion in faces, and trains and measures the models that do so.",
    discussion: "Mien reads what a face shows, not what a person feels.",
    subcommands: [
      Detect.self, Video.self, Camera.self, Serve.self, Adapt.self, Corrections.self, Evaluate.self, Explain.self,
      Compare.self, Models.self, Reference.self, Benchmark.self, Dataset.self, Train.self, Tune.self, Reproduce.self,
      Export.self,
    ])

  /// Runs the command line. Exit status: 0 all done, 1 a failure, 64 wrong usage.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as MienError where error.kind == .argument {
      Console.error("Error: \(error)")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
