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
    guard let (command, options) = command(in: arguments) else { return nil }
    let words = arguments.prefix { $0 != "--" }
    let known = Set(options.flatMap { $0.names ?? [] }.map(\.text))
    // What has a dot is no option, but a file.
    let given = words.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }.filter { !$0.contains(".") }
    guard let wrong = given.first(where: { !known.contains($0) }) else { return nil }
    if wrong == "--model", ExternalCommand.runCommands.contains(command.commandName) {
      return "--run and --model exclude each other: one names a run's folder, the other a model."
    }
    let shown = options.filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map(\.text).filter { $0.hasPrefix("--") }
    let others = ExternalCommand.runCommands.contains(command.commandName) ? ["--run"] : []
    let names = (shown + others).map { String($0.dropFirst(2)) }
    let word = String(wrong.dropFirst(2))
    // `--cors` for `--cors-origin`, and `--confidence` for `--min-confidence`.
    let beginning = names.filter { $0.hasPrefix("\(word)-") }
    let holding = names.filter { $0.split(separator: "-").contains(word[...]) }
    let near = [beginning, holding].first { $0.count == 1 }?.first ?? Spelling.nearest(word, among: names)
    return "Unknown option '\(wrong)'." + (near.map { " Did you mean '--\($0)'?" } ?? "")
  }

  /// Whether the command that `arguments` name has the option `name`, written with its dashes.
  package static func isOption(_ name: String, in arguments: [String]) -> Bool {
    guard let (command, options) = command(in: arguments) else { return false }
    return options.flatMap { $0.names ?? [] }.contains { $0.text == name }
      || (name == "--run" && ExternalCommand.runCommands.contains(command.commandName))
  }

  /// Refuses an option that is given twice but takes one value: the parser would keep the last without a word.
  ///
  /// - Throws: ``MienError`` of kind `argument` that names the option.
  package static func checkRepeats(_ arguments: [String]) throws {
    let words = arguments.prefix { $0 != "--" }
    guard words.count(where: { $0.hasPrefix("-") }) > 1, let options = command(in: arguments)?.options else { return }
    var given: Set<Int> = []
    var isValue = false
    for word in words {
      guard !isValue else {
        isValue = false
        continue
      }
      let name = word.prefix { $0 != "=" }
      guard
        let place = options.firstIndex(where: { option in
          option.kind == .option && option.names?.contains { $0.text == name } == true
        })
      else { continue }
      isValue = name == word
      guard given.insert(place).inserted || options[place].isRepeating else {
        throw MienError(.argument, String(name), "is given twice, and takes one value")
      }
    }
  }

  /// `arguments` with each negative number joined by an equals sign to the option before it, as `--min-face=-3`: alone it
  /// would be taken for an option, and the option would lack its value.
  package static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
    func isNegative(_ word: String) -> Bool { word.hasPrefix("-") && Double(word) != nil }
    let words = arguments.prefix { $0 != "--" }
    guard words.contains(where: isNegative), let options = command(in: arguments)?.options else { return arguments }
    let names = options.filter { $0.kind == .option }.flatMap { $0.names ?? [] }.filter { $0.kind == .long }.map(\.text)
    var joined: [String] = []
    for word in words {
      if isNegative(word), let last = joined.last, names.contains(last) {
        joined[joined.count - 1] = "\(last)=\(word)"
      } else {
        joined.append(word)
      }
    }
    return joined + arguments.dropFirst(words.count)
  }

  /// A usage line with `[<options>]` in place of the optional ones, if it is long: the parser writes so only of commands with
  /// more than a dozen.
  package static func shortened(usage line: String) -> String {
    guard line.hasPrefix("Usage: "), line.count > 100 else { return line }
    let words = line.replacing(/\s\[--[^\]]*\]/, with: "").split(separator: " ")
    let command = words.prefix { !["[", "<", "-"].contains($0.prefix(1)) }
    return (command + ["[<options>]"] + words.dropFirst(command.count)).joined(separator: " ")
  }

  /// The lines of an error of the parser's in a user's words, where its own say less than they could.
  package static func clearer(_ lines: [String], _ arguments: [String]) -> [String] {
    guard let first = lines.first else { return lines }
    func saying(_ text: String) -> [String] { ["Error: " + text] + lines.dropFirst().drop { !$0.hasPrefix("Usage:") } }
    // Whatever else is wrong may follow from an option that does not exist, whose value is taken for a path.
    if let unknown = unknownOption(in: arguments) { return saying(unknown) }
    if let found = first.wholeMatch(of: /Error: Unexpected argument '(.+)'\.?/),
      let option = option(for: String(found.1), in: arguments)
    {
      return saying("Unexpected argument '\(found.1)'. Did you mean '\(option)'?")
    }
    if let found = first.wholeMatch(
      of: /Error: Value to be set with flag '(.+)' had already been set with flag '(.+)'\.?/)
    {
      return saying(
        found.1 == found.2 ? "\(found.1) is given twice" : "give one of \(found.2) and \(found.1), not both")
    }
    if let found = first.wholeMatch(
      of: /Error: The value '(.*)' is invalid for '([^' ]+)[^']*'\. Please provide one of (.+)/)
    {
      let choices = found.3.matches(of: /'([^']+)'/).map { String($0.1) }
      return ["Error: \(found.2) \(found.1): expected \(Spelling.alternatives(choices))"] + lines.dropFirst()
    }
    if let found = first.wholeMatch(of: /Error: The value '(.*)' is invalid for '([^' ]+)[^']*'(?:: (.+))?/) {
      let (value, option) = (String(found.1), found.2)
      if let reason = found.3 { return saying("\(option) \(value): \(reason)") }
      let point = value.replacingOccurrences(of: ",", with: ".")
      if point != value, Double(point) != nil {
        return ["Error: \(option) \(value): expected a number with a decimal point, such as \(point)"]
          + lines.dropFirst()
      }
      // Values of other types than numbers come with a reason, or with all there are.
      let kind = Double(value) == nil ? "a number" : Int(value) ?? 0 < 0 ? "a whole number from 0 on" : "a whole number"
      return ["Error: \(option) \(value): expected \(kind)"] + lines.dropFirst()
    }
    return lines
  }

  /// The option with which `argument`, which the command takes no other way, is given; `nil` if none is known.
  private static func option(for argument: String, in arguments: [String]) -> String? {
    if let place = arguments.firstIndex(of: argument), place >= 2, arguments[place - 2] == "--set" {
      return "--set \(arguments[place - 1])=\(argument)"
    }
    return argument.hasSuffix(".onnx") && isOption("--model", in: arguments) ? "--model \(argument)" : nil
  }

  /// The command that `arguments` name, and its options with those of the commands above it.
  private static func command(in arguments: [String]) -> (command: CommandInfo, options: [CommandInfo.Argument])? {
    guard var command = try? CommandInfo.parse(Data(_dumpHelp().utf8)) else { return nil }
    var options = command.arguments ?? []
    for word in arguments.prefix(while: { $0 != "--" }) {
      guard let next = command.subcommands?.first(where: { $0.commandName == word }) else { break }
      command = next
      options += next.arguments ?? []
    }
    if let standard = command.subcommands?.first(where: { $0.commandName == command.defaultSubcommand }) {
      options += standard.arguments ?? []
    }
    return (command, options)
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
