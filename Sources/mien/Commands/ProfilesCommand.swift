import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienReports

/// `mien profiles`: what `mien adapt` made.
struct Profiles: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists and deletes the profiles that `mien adapt` made.", subcommands: [List.self, Delete.self],
    defaultSubcommand: List.self)

  /// `mien profiles list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      // Named for the description in JSON, which leaves out defaults whose names are made of their types.
      commandName: "list", abstract: "Lists the profiles.",
      discussion: "They lie in MIEN_PROFILES, else in mien/profiles in XDG_CONFIG_HOME or ~/.config.")

    func run() async throws {
      let store = ProfileStore()
      let entries = store.entries()
      guard !entries.isEmpty else {
        return Console.error(
          "no profile in \(store.folder.path); `mien adapt --profile NAME` makes one from corrections")
      }
      var table = TextTable(header: ["profile", "model", "corrections", "right before", "right after", "made"])
      var failures: [MienError] = []
      for entry in entries {
        switch entry.info {
        case .success(let info):
          let (before, after) = (info.check.before.correct, info.check.after.correct)
          table.add([
            Console.printable(entry.name), Console.printable(info.model), info.correctionCount.grouped,
            "\(before.grouped) of \(info.check.count.grouped)", "\(after.grouped) of \(info.check.count.grouped)",
            info.created.formatted(.iso8601.year().month().day()),
          ])
        case .failure(let error): failures.append(error.about(entry.url.path))
        }
      }
      if !table.rows.isEmpty { try Console.print(table.text) }
      for error in failures { Console.failure("\(error)") }
      if !failures.isEmpty { throw ExitCode.failure }
    }
  }

  /// `mien profiles delete`.
  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deletes profiles. The corrections that they were made from stay.")

    @Argument(help: ArgumentHelp("The profiles.", valueName: "name"), completion: .profiles)
    var names: [String]

    func run() async throws {
      let store = ProfileStore()
      for name in try names.map({ try ProfileName($0) }) {
        try store.delete(name)
        try Console.print("deleted profile \(name)")
      }
    }
  }
}
