package import ArgumentParser
package import Foundation
import MienCore

extension CompletionKind {
  /// The profiles that there are.
  package static let profiles = CompletionKind.shellCommand("mien profiles 2>/dev/null | awk 'NR > 1 { print $1 }'")
  /// The models that can be named.
  package static let models = CompletionKind.shellCommand("mien models 2>/dev/null | awk '/^[^ ]/ { print $1 }'")
}

/// A command as ArgumentParser describes it in JSON: what completions and man pages are made from.
package struct CommandInfo: Decodable, Sendable {
  /// An option, a flag or a positional argument.
  package struct Argument: Decodable, Sendable {
    /// A way to write an option.
    package struct Name: Decodable, Sendable, Equatable {
      package enum Kind: String, Decodable, Sendable { case long, short, longWithSingleDash }

      package let kind: Kind
      package let name: String

      /// As it is typed.
      package var text: String { (kind == .long ? "--" : "-") + name }
    }

    package enum Kind: String, Decodable, Sendable { case positional, option, flag }

    package let kind: Kind
    package let shouldDisplay: Bool
    package let isOptional: Bool
    package let isRepeating: Bool
    package let names: [Name]?
    package let preferredName: Name?
    package let valueName: String?
    package let defaultValue: String?
    package let allValues: [String]?
    private let completionKind: Completion?
    package let abstract: String?

    /// The values that are named for completion alone, or the command that prints them.
    private struct Completion: Decodable {
      struct List: Decodable { let values: [String] }
      struct Shell: Decodable { let command: String }
      let list: List?
      let shellCommand: Shell?
    }

    /// What the value is, as far as a shell can complete it.
    package enum Value: Equatable {
      case oneOf([String])
      /// The lines that a shell command prints.
      case command(String)
      case folder, file, other
    }

    /// Whether the value can be a file, beside what ``value`` says.
    package var takesFiles: Bool {
      let name = valueName ?? ""
      return ["file", "run", "path", "video", "source", "faces", "recipe", "model", "."].contains { name.contains($0) }
    }

    /// Read from the name that the help gives the value, as `file|-` or `dir`.
    package var value: Value {
      if let values = allValues ?? completionKind?.list?.values, !values.isEmpty { return .oneOf(values) }
      if let command = completionKind?.shellCommand?.command { return .command(command) }
      return valueName == "dir" ? .folder : takesFiles ? .file : .other
    }
  }

  package let commandName: String
  package let abstract: String?
  package let discussion: String?
  package let shouldDisplay: Bool?
  package let defaultSubcommand: String?
  package private(set) var subcommands: [CommandInfo]?
  package private(set) var arguments: [Argument]?

  /// The subcommands that the help shows.
  package var commands: [CommandInfo] {
    (subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
  }

  /// The options and flags that the help shows.
  package var options: [Argument] { (arguments ?? []).filter { $0.kind != .positional && $0.shouldDisplay } }

  /// The positional arguments that the help shows.
  package var positionals: [Argument] { (arguments ?? []).filter { $0.kind == .positional && $0.shouldDisplay } }

  /// A command of which only its line in the help of `mien` is known.
  private init(_ command: ExternalCommand) {
    (commandName, abstract) = (command.rawValue, command.abstract)
    (discussion, shouldDisplay, defaultSubcommand, subcommands, arguments) = (nil, nil, nil, nil, nil)
  }

  private struct Tool: Decodable { let command: CommandInfo }

  /// The whole of `mien`: the commands of `root`, and those of the programs beside it.
  ///
  /// - Parameter missing: is told of each program that is not there or does not answer; its commands have no options then.
  /// - Throws: ``MienError`` if a description cannot be read.
  package static func mien(
    _ root: any ParsableCommand.Type, missing: (ExternalCommand.Program) -> Void = { _ in }
  ) throws -> CommandInfo {
    var whole = try parse(Data(root._dumpHelp().utf8))
    let programs = Dictionary(grouping: ExternalCommand.allCases, by: \.program)
    for (program, commands) in programs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let found = description(of: program)
      if found == nil { missing(program) }
      let known = found?.subcommands ?? []
      whole.subcommands =
        (whole.subcommands ?? [])
        + commands.map { command in known.first { $0.commandName == command.rawValue } ?? CommandInfo(command) }
      // The options with --run, which the other program takes.
      for command in known where ExternalCommand.runCommands.contains(command.commandName) {
        guard let index = whole.subcommands?.firstIndex(where: { $0.commandName == command.commandName }) else {
          continue
        }
        let own = whole.subcommands?[index].options.compactMap(\.preferredName) ?? []
        whole.subcommands?[index].arguments?.append(
          contentsOf: command.options.filter { option in option.preferredName.map { !own.contains($0) } ?? false })
      }
    }
    return whole
  }

  /// Reads ArgumentParser's JSON.
  package static func parse(_ json: Data) throws -> CommandInfo {
    do { return try JSONDecoder().decode(Tool.self, from: json).command } catch {
      throw MienError(.format, nil, "the description of the commands cannot be read: \(error)")
    }
  }

  private static func description(of program: ExternalCommand.Program) -> CommandInfo? {
    guard program.isInstalled, let output = try? program.output(of: ["--experimental-dump-help"]) else { return nil }
    return try? parse(output)
  }
}

extension ExternalCommand.Program {
  /// What the program writes to standard output when it is run with `arguments`.
  ///
  /// - Throws: ``MienError`` if it cannot be run or fails.
  package func output(of arguments: [String]) throws -> Data {
    let process = Process()
    let (output, errors) = (Pipe(), FileHandle.nullDevice)
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
      let data = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw MienError(.native, path, "ended with status \(process.terminationStatus)")
      }
      return data
    } catch let error as MienError { throw error } catch {
      throw MienError(.file, path, "could not be started: \(error.localizedDescription)")
    }
  }
}
