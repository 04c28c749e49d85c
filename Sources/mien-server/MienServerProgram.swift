import ArgumentParser
import Foundation
import MienCore

/// `mien-server`: the part of Mien that serves and that keeps corrections. `mien` hands its `serve`, `adapt` and
/// `corrections` commands over to it.
@main struct MienServerProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien-server", abstract: "Serves recognition over HTTP, and learns from corrections.",
    subcommands: [ServeCommand.self, AdaptCommand.self, CorrectionsCommand.self])

  /// Runs the command line. Exit status: 0 stopped as told, 1 a failure, 64 wrong usage.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as MienError where error.kind == .argument {
      FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
