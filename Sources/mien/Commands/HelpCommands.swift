import ArgumentParser
import Foundation
import MienCommandLine
import MienCore

/// `mien completions SHELL`.
struct Completions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a script that completes commands in a shell.",
    discussion: """
      bash: mien completions bash >~/.local/share/bash-completion/completions/mien
      zsh: mien completions zsh >FOLDER/_mien, with FOLDER in $fpath before compinit
      fish: mien completions fish >~/.config/fish/completions/mien.fish
      """)

  @Argument(help: "bash, zsh or fish.")
  var shell: CompletionScript.Shell

  func run() async throws {
    try Console.write(Data(CompletionScript(try Mien.commands()).text(for: shell).utf8))
  }
}

/// `mien manual DIR`, for `make install`.
struct Manual: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes man pages made from the help.",
    discussion: "`man -l DIR/mien-detect.1` shows one; installed, they lie in share/man/man1.")

  @Argument(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var folder: String

  func run() async throws {
    let url = URL(fileURLWithPath: folder, isDirectory: true)
    try Folders.make(url)
    for page in ManualPages(try Mien.commands()).pages {
      let file = url.appendingPathComponent(page.file)
      try AtomicFile.write(Data(page.text.utf8), to: file)
      ResultFile.wrote(file.path, in: folder)
    }
  }
}

extension Mien {
  /// All commands; warns of programs that are not there, of whose commands only the names are known.
  static func commands() throws -> CommandInfo {
    try .mien(Mien.self) { program in
      Console.warning(
        "\(program.rawValue) is not beside mien, so the options of its commands are left out: "
          + ExternalCommand.Program.remedy)
    }
  }
}
