import ArgumentParser
import MienCommandLine
import MienVision

/// `mien-server`: the part of Mien that serves and that keeps corrections. `mien` hands its `serve`, `adapt` and
/// `corrections` commands over to it.
@main struct MienServerProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-server", abstract: "Serves recognition over HTTP, and learns from corrections.",
    subcommands: [ServeCommand.self, AdaptCommand.self, CorrectionsCommand.self])

  static func main() async { await runProgram { try VisionProcess.configure() } }
}
