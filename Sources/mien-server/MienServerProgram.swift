import ArgumentParser
import Foundation
import MienCommandLine
import MienModelOptions
import MienServer
import MienVision

/// `mien-server`: the part of Mien that serves and that keeps corrections. `mien` hands its `serve`, `adapt` and
/// `corrections` commands over to it.
@main struct MienServerProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.Program.server.spokenName,
    abstract: "Serves recognition over HTTP, and learns from corrections.",
    subcommands: [ServeCommand.self, AdaptCommand.self, CorrectionsCommand.self, DecodeCommand.self])

  @OptionGroup var version: VersionOption

  static func main() async {
    await runProgram(
      configure: { try VisionProcess.configure() },
      extend: { arguments in
        guard arguments.first == "serve", !arguments.contains("--help"), !arguments.contains("-h") else { return nil }
        let settings = try ServeSettings(
          Array(arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
        return ExtendedArguments(["serve"] + settings.arguments, notes: settings.notes(on:))
      })
  }

  /// What the server runs for files of clients.
  struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: DecoderProgram.command, abstract: "Decodes what the server asks for.", shouldDisplay: false)

    func run() throws { try DecoderProgram.run() }
  }

  func run() async throws { try version.answer(for: Self.self, ModelVersions.lines) }
}
