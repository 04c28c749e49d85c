import ArgumentParser
import MienCommandLine
import MienCore
import MienModelOptions
import MienVision

/// The command that users type.
@main struct Mien: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien",
    abstract: "Recognises emotion in faces, and trains and measures the models that do so.",
    discussion: "Mien reads what a face shows, not what a person feels.",
    subcommands: groups.flatMap(\.commands))

  @OptionGroup var version: VersionOption

  static func main() async {
    await runProgram(
      overview: overview,
      configure: {
        VisionProcess.keepFreedMemory()
        try VisionProcess.configure()
      })
  }

  func run() async throws { try version.answer(for: Self.self, ModelVersions.lines) }

  /// The commands by what they are for: this program's, then those of others.
  private static let groups: [(title: String, commands: [any ParsableCommand.Type], externals: [ExternalCommand])] = [
    ("Read faces", [Detect.self, Video.self, Camera.self, Merge.self], [.serve]),
    ("Know a model", [Models.self, Evaluate.self, Compare.self, Explain.self], []),
    ("Train a model", [Dataset.self], [.recipes, .train, .tune, .export, .reproduce]),
    ("Adapt to a user", [Profiles.self, Reference.self], [.corrections, .adapt]),
    ("Know this program", [Doctor.self, Benchmark.self, Completions.self, Manual.self], []),
  ]

  /// The help of `mien`: every command, also those of the other programs.
  static func overview() -> String {
    let width = 14
    let listed = groups.map { group in
      let lines =
        group.commands.map { (name: $0._commandName, abstract: $0.configuration.abstract) }
        + group.externals.map { (name: $0.rawValue, abstract: $0.abstract) }
      return "\(group.title):\n"
        + lines.map { "  \(Console.padded($0.name, width))\($0.abstract)" }.joined(separator: "\n")
    }
    return """
      \(configuration.abstract)
      \(configuration.discussion)

      Usage: mien COMMAND …          mien detect photo.jpg

      \(listed.joined(separator: "\n\n"))

      `mien COMMAND --help` explains a command, `mien --version` names the version.
      Guides: docs/README.md in Mien's sources.
      """
  }
}
