import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienReports
import MienServer

/// `mien corrections`: what is stored, for reading and deleting.
struct CorrectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.corrections.rawValue, abstract: ExternalCommand.corrections.abstract,
    subcommands: [List.self, Export.self, Delete.self], defaultSubcommand: List.self)

  /// `mien corrections list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      // Named for the description in JSON, which leaves out defaults whose names are made of their types.
      commandName: "list", abstract: "Lists the profiles, or a profile's corrections.")

    @Option(help: ArgumentHelp("Whose corrections.", valueName: "name"))
    var profile: String?

    @OptionGroup var source: CorrectionOptions

    func run() async throws {
      let store = try source.store()
      guard let profile else {
        let found = try await store.listing(withCrops: false)
        if found.isEmpty { source.sayNone() } else { try Self.printTable(found) }
        return source.name(unreadable: found.unreadable)
      }
      let name = try ProfileName(profile)
      let found = try await store.listing(of: name)
      guard !found.isEmpty else { throw try await source.none(of: name, in: store) }
      try Console.write(CorrectionExport.csv(found.corrections))
      source.name(unreadable: found.unreadable)
    }

    /// One row per profile.
    private static func printTable(_ found: CorrectionStore.Listing) throws {
      var table = TextTable(header: ["profile", "corrections", ""])
      for (name, count) in found.counts.sorted(by: { $0.key < $1.key }) {
        let clients = found.clients[name] ?? 1
        table.add(["\(name)", count.grouped, clients > 1 ? "(of \(clients.grouped) clients)" : ""])
      }
      try Console.print(table.text)
    }
  }

  /// `mien corrections export`.
  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes corrections as JSON with all that is stored but the client's name, or as CSV.")

    @Option(help: ArgumentHelp("Whose corrections; without it, everybody's.", valueName: "name"))
    var profile: String?

    @Option(help: ArgumentHelp("Write JSON to a file or to standard output.", valueName: "file|-"))
    var json: String?

    @Option(help: ArgumentHelp("Write CSV, without embeddings and crops.", valueName: "file|-"))
    var csv: String?

    @OptionGroup var source: CorrectionOptions

    func validate() throws {
      guard json != nil || csv != nil else { throw ValidationError("--json or --csv is needed") }
    }

    func run() async throws {
      try ResultFile.check(["--json": json, "--csv": csv], inputs: [source.url.path])
      let (store, name) = (try source.store(), try profile.map { try ProfileName($0) })
      let found = try await store.listing(of: name)
      if found.isEmpty {
        if let name { throw try await source.none(of: name, in: store) }
        source.sayNone()
      }
      if let json { try ResultFile.write(CorrectionExport.json(found.corrections), to: json) }
      if let csv { try ResultFile.write(CorrectionExport.csv(found.corrections), to: csv) }
      source.name(unreadable: found.unreadable)
    }
  }

  /// `mien corrections delete`.
  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deletes one correction, or all of a profile.",
      discussion: "What `mien adapt` made of them stays; `mien profiles delete` removes it.")

    @Option(help: ArgumentHelp("The correction, as `mien corrections list --profile` numbers them.", valueName: "n"))
    var id: Int64?

    @Option(
      help: ArgumentHelp("Delete all corrections of this profile, whichever client sent them.", valueName: "name"))
    var profile: String?

    @OptionGroup var source: CorrectionOptions

    func validate() throws {
      guard (id == nil) != (profile == nil) else { throw ValidationError("Either --id or --profile is needed") }
    }

    func run() async throws {
      let store = try source.store(isReadOnly: false)
      if let id {
        guard try await store.delete(id: id) else { throw MienError(.argument, "--id \(id)", "no such correction") }
        try Console.print("deleted correction \(id)")
      }
      if let profile {
        let name = try ProfileName(profile)
        let count = try await store.delete(profile: name)
        guard count > 0 else { throw try await source.none(of: name, in: store) }
        try Console.print("deleted \(Spelling.counted(count, "correction")) of \(name)")
        let made = ProfileStore().url(of: name)
        if FileManager.default.fileExists(atPath: made.path) {
          try Console.print("\(made.path) stays; `mien profiles delete \(name)` removes it")
        }
      }
    }
  }
}
