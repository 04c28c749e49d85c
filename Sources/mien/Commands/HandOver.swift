import ArgumentParser
import Foundation
import Glibc
import MienCore

/// Replaces this process by `mien-train`, which holds all that needs libtorch; its exit status becomes ours.
enum HandOver {
  private static let program = "mien-train"

  /// Runs `mien-train COMMAND ARGUMENTS…`, found beside this program.
  ///
  /// - Throws: ``MienError`` where it is not there or cannot be started; else does not return.
  static func run(_ command: String, _ arguments: [String]) throws -> Never {
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = own.deletingLastPathComponent().appendingPathComponent(program).path
    guard access(path, X_OK) == 0 else {
      throw MienError(
        .file, path, "not found; `mien \(command)` needs \(program) beside mien: build it with `make build`")
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

  func run() throws { try HandOver.run("train", arguments) }
}

/// `mien reproduce`, by `mien-train`.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains and measures the published systems.", discussion: "`mien reproduce --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A system's name or all, data and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run("reproduce", arguments) }
}

/// `mien export`, by `mien-train`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a trained run as an ONNX model.", discussion: "`mien export --help` lists the options.")

  @Argument(parsing: .captureForPassthrough, help: "A run and options for mien-train.")
  var arguments: [String] = []

  func run() throws { try HandOver.run("export", arguments) }
}
