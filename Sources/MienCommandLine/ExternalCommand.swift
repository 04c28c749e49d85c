import Foundation
import Glibc
import MienCore

/// The commands of `mien` that another of Mien's programs holds: `mien-train` what needs libtorch, `mien-server` what
/// needs a web server and a database. `mien` hands over to them before it parses anything, as git does, so that their
/// options, help and errors are their own.
package enum ExternalCommand: String, CaseIterable, Sendable {
  case serve, adapt, corrections
  case train, tune, reproduce, export, recipes

  /// A program beside `mien`.
  package enum Program: String, Sendable {
    case train = "mien-train"
    case server = "mien-server"
  }

  /// Which program holds the command.
  package var program: Program {
    switch self {
    case .serve, .adapt, .corrections: .server
    case .train, .tune, .reproduce, .export, .recipes: .train
    }
  }

  /// One line on the command, for its own help and for that of `mien`.
  package var abstract: String {
    switch self {
    case .serve: "Serves recognition over HTTP, with a web page."
    case .adapt: "Fits the model's last layer to a user's corrections."
    case .corrections: "Lists, exports and deletes corrections."
    case .train: "Trains a network by a recipe."
    case .tune: "Searches for better values of a recipe's keys."
    case .reproduce: "Trains and measures the published systems."
    case .export: "Writes a run's best epoch as an ONNX model."
    case .recipes: "Lists the built-in recipes, or shows one."
    }
  }

  /// Commands of `mien` for models that `mien-train` has for runs, whose networks need libtorch: with `--run`.
  package static let runCommands = ["evaluate", "explain"]

  /// Hands over to the program that holds the command in `arguments` (those of `mien`, without its own name), also for
  /// `help COMMAND`; its exit status becomes ours. Returns if the command is one of `mien`'s own.
  ///
  /// - Throws: ``MienError`` if the program is missing or cannot be started.
  package static func handOver(_ arguments: [String]) throws {
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
    guard let name = words.first else { return }
    if let command = ExternalCommand(rawValue: name) { try command.program.run(name, arguments) }
    let options = words.prefix { $0 != "--" }
    if runCommands.contains(name), options.contains(where: { $0 == "--run" || $0.hasPrefix("--run=") }) {
      try Program.train.run(name, arguments)
    }
  }
}

extension ExternalCommand.Program {
  /// The program's file, beside this one.
  package var path: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent(rawValue).path
  }

  /// Whether it can be run.
  package var isInstalled: Bool { access(path, X_OK) == 0 }

  /// What makes it.
  package static let remedy =
    "run `make build` in Mien's sources, or install a package of Mien that includes it"

  /// Replaces this process by the program.
  ///
  /// - Throws: ``MienError`` if it cannot be started; else does not return.
  fileprivate func run(_ command: String, _ arguments: [String]) throws -> Never {
    guard isInstalled else {
      throw MienError(.file, path, "not found; `mien \(command)` needs \(rawValue) beside mien: \(Self.remedy)")
    }
    // Its first word is what the user typed, which its help and errors repeat.
    var words = ([Self.handedOver] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    execv(path, &words)
    throw MienError(.file, path, "could not be started: \(String(cString: strerror(errno)))")
  }

  private static let handedOver = "mien"

  /// What the program calls itself: `mien` if that handed over to it, else its own name.
  package var spokenName: String { CommandLine.arguments.first == Self.handedOver ? Self.handedOver : rawValue }
}
