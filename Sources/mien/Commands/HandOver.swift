import ArgumentParser
import Foundation
import Glibc
import MienCore

/// Replaces this process by another of Mien's programs, whose exit status becomes ours: `mien-train` holds all that needs
/// libtorch, `mien-server` all that needs a web server and a database.
enum HandOver {
  /// The programs.
  enum Program: String {
    case train = "mien-train"
    case server = "mien-server"
  }

  /// Runs `PROGRAM COMMAND ARGUMENTS…`, found beside this program.
  ///
  /// - Throws: ``MienError`` where it is not there or cannot be started; else does not return.
  static func run(_ program: Program, _ command: String, _ arguments: [String]) throws -> Never {
    let program = program.rawValue
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = own.deletingLastPathComponent().appendingPathComponent(program).path
    guard access(path, X_OK) == 0 else {
      throw MienError(
        .file, path,
        "not found; `mien \(command)` needs \(program) beside mien: `make build` in Mien's sources makes it")
    }
    var words = ([path, command] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    execv(path, &words)
    throw MienError(.file, path, "could not be started: \(String(cString: strerror(errno)))")
  }
}

/// `mien train`, by `mien-train`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model by a recipe.", discussion: "`mien train --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A recipe, data and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.train, "train", arguments) }
}

/// `mien tune`, by `mien-train`.
struct Tune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Searches for better values of a recipe's keys.", discussion: "`mien tune --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A recipe, data and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.train, "tune", arguments) }
}

/// `mien reproduce`, by `mien-train`.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains and measures the published systems.", discussion: "`mien reproduce --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A system's name or all, data and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.train, "reproduce", arguments) }
}

/// `mien export`, by `mien-train`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a trained run as an ONNX model.", discussion: "`mien export --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A run and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.train, "export", arguments) }
}

/// `mien serve`, by `mien-server`.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves recognition over HTTP.", discussion: "`mien serve --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "Options for mien-server.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.server, "serve", arguments) }
}

/// `mien adapt`, by `mien-server`, which reads the corrections.
struct Adapt: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fits the model to a user's corrections.", discussion: "`mien adapt --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "Options for mien-server.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.server, "adapt", arguments) }
}

/// `mien corrections`, by `mien-server`.
struct Corrections: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists, exports and deletes corrections.", discussion: "`mien corrections --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "Options for mien-server.")
  var arguments: [String] = []

  func run() throws { try HandOver.run(.server, "corrections", arguments) }
}
