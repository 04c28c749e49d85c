import ArgumentParser
import Foundation
import MienCommandLine

/// `mien-server`: the part of Mien that serves and that keeps corrections. `mien` hands its `serve`, `adapt` and
/// `corrections` commands over to it.
@main struct MienServerProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-server", abstract: "Serves recognition over HTTP, and learns from corrections.",
    subcommands: [ServeCommand.self, AdaptCommand.self, CorrectionsCommand.self])

  static func main() async {
    await runProgram { arguments in
      guard arguments.first == "serve", !arguments.contains("--help"), !arguments.contains("-h") else { return nil }
      let settings = try ServeSettings(
        Array(arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
      return ExtendedArguments(["serve"] + settings.arguments, notes: settings.notes(on:))
    }
  }
}
