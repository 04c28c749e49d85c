import ArgumentParser
import MienCommandLine
import MienVision

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

  static func main() async { await runProgram { try VisionProcess.configure() } }
}
