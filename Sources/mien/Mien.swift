import ArgumentParser

/// The command that users type.
@main struct Mien: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mien",
    abstract: "Recognises emotion in faces, and trains and measures the models that do so.",
    discussion: "Mien reads what a face shows, not what a person feels.",
    subcommands: [Dataset.self])
}
