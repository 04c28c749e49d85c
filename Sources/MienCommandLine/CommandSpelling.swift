package import ArgumentParser
import Foundation
import Glibc
import MienCore

// Names of commands and options that were mistyped, and what they are meant to be.
extension ParsableCommand {
  /// Refuses the name of a command that does not exist, and says which one is spelt like it.
  ///
  /// - Parameter externals: names of commands that other programs hold.
  /// - Throws: ``MienError`` of kind `argument`.
  package static func checkNames(_ arguments: [String], externals: [String] = []) throws {
    var type: any ParsableCommand.Type = self
    var names = [type._commandName]
    for (index, argument) in arguments.enumerated() {
      let commands = type.configuration.subcommands
      guard !commands.isEmpty, !argument.hasPrefix("-") else { return }
      if argument == "help" && names.count == 1 { continue }
      let start = names.joined(separator: " ")
      if let next = commands.first(where: { $0.isNamed(argument) }) {
        if next == type.configuration.defaultSubcommand, index == arguments.count - 1 {
          try next.checkIsNoPath(argument, start)
        }
        type = next
        names.append(argument)
        continue
      }
      let own = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
      let all = own + (names.count == 1 ? externals : [])
      if all.contains(argument) { return }
      // At the root there are also `mien help`, and `--version` for who leaves out the dashes.
      let near = Spelling.nearest(argument, among: all + (names.count == 1 ? ["help", "version"] : []))
      // What is no command may be an argument of the default one.
      if let standard = type.configuration.defaultSubcommand, try standard.takesArguments,
        near == nil || access(argument, F_OK) == 0
      {
        return
      }
      var remedy = "`\(start) --help` lists the commands"
      if let near {
        remedy = "did you mean `\(start) \(near == "version" && names.count == 1 ? "--version" : near)`?"
      } else if names.count == 1, own.contains("detect"), access(argument, F_OK) == 0 {
        remedy = "to read the faces in photos: `\(start) detect \(ShellWord.quoted(argument))`"
      }
      throw MienError(.argument, nil, "unknown command `\(start) \(argument)`; \(remedy)")
    }
  }

  /// The sentence about the first option in `arguments` that the command does not have; `nil` if it has them all.
  ///
  /// The parser reports missing arguments before options that it does not know.
  package static func unknownOption(in arguments: [String]) -> String? {
    guard var command = try? CommandInfo.parse(Data(_dumpHelp().utf8)) else { return nil }
    var options = command.arguments ?? []
    let words = arguments.prefix { $0 != "--" }
    for word in words {
      guard let next = command.subcommands?.first(where: { $0.commandName == word }) else { break }
      command = next
      options += next.arguments ?? []
    }
    if let standard = command.subcommands?.first(where: { $0.commandName == command.defaultSubcommand }) {
      options += standard.arguments ?? []
    }
    let known = Set(options.flatMap { $0.names ?? [] }.map(\.text))
    let given = words.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
    guard let wrong = given.first(where: { !known.contains($0) }) else { return nil }
    let shown = options.filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map(\.text).filter { $0.hasPrefix("--") }
    let others = ExternalCommand.runCommands.contains(command.commandName) ? ["--run"] : []
    let near = Spelling.nearest(String(wrong.dropFirst(2)), among: (shown + others).map { String($0.dropFirst(2)) })
    return "Unknown option '\(wrong)'." + (near.map { " Did you mean '--\($0)'?" } ?? "")
  }

  private static func isNamed(_ name: String) -> Bool {
    _commandName == name || configuration.aliases.contains(name)
  }

  private static var takesArguments: Bool {
    get throws { try !CommandInfo.parse(Data(_dumpHelp().utf8)).positionals.isEmpty }
  }

  /// Says how to name a file or folder that is called like this command, which is the default one and needs an argument.
  private static func checkIsNoPath(_ name: String, _ start: String) throws {
    let needed = try CommandInfo.parse(Data(_dumpHelp().utf8)).positionals.filter { !$0.isOptional }
    guard let first = needed.first, first.value == .file, access(name, F_OK) == 0 else { return }
    throw MienError(
      .argument, nil,
      "`\(start) \(name)` is a command that needs <\(first.valueName ?? "path")>; if you mean the file or folder \(name): "
        + "`\(start) ./\(name)`")
  }
}
