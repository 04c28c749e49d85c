import MienCore

/// Man pages in troff's `man` macros, made from what the help says: one for `mien` and one for each command, its
/// subcommands included.
package struct ManualPages: Sendable {
  private let root: CommandInfo

  /// Pages for the commands of `root`.
  package init(_ root: CommandInfo) { self.root = root }

  /// The pages by their files' names, as `mien-detect.1`.
  package var pages: [(file: String, text: String)] {
    [("\(root.commandName).1", overview)]
      + root.commands.map { ("\(root.commandName)-\($0.commandName).1", page($0)) }
  }

  private var overview: String {
    let commands = root.commands.map { command in
      ".TP\n.BR \(root.commandName)-\(Self.name(command.commandName)) (1)\n\(Self.text(command.abstract))\n"
    }
    return header(root.commandName, root.abstract)
      + ".SH SYNOPSIS\n.B \(root.commandName)\n.I command\n\\&...\n.SH DESCRIPTION\n\(Self.text(root.discussion))\n"
      + ".SH COMMANDS\n" + commands.joined() + section("OPTIONS", root.options)
      + ".SH \"EXIT STATUS\"\n0 if all was done, 1 if something failed, 64 for wrong usage.\n"
  }

  private func page(_ command: CommandInfo) -> String {
    let start = "\(root.commandName) \(command.commandName)"
    return header("\(root.commandName)-\(command.commandName)", command.abstract) + ".SH SYNOPSIS\n"
      + synopsis(command, start) + (command.discussion.map { ".SH DESCRIPTION\n\(Self.text($0))\n" } ?? "")
      + section("ARGUMENTS", command.positionals) + section("OPTIONS", command.options)
      + parts(of: command, start)
      + ".SH \"SEE ALSO\"\n.BR \(root.commandName) (1)\n"
  }

  /// The subcommands, and theirs.
  private func parts(of command: CommandInfo, _ start: String) -> String {
    command.commands.map { part in
      let words = "\(start) \(part.commandName)"
      let text = [part.abstract, part.discussion].compactMap(\.self).map { Self.text($0) }.joined(separator: "\n.PP\n")
      return ".SH \"\(Self.name(words.uppercased()))\"\n" + synopsis(part, words) + ".PP\n\(text)\n"
        + entries(part.positionals + part.options) + parts(of: part, words)
    }.joined()
  }

  private func header(_ name: String, _ abstract: String?) -> String {
    ".TH \(Self.name(name.uppercased())) 1 \"\" \"Mien \(MienVersion.number)\" \"Mien\"\n"
      + ".SH NAME\n\(Self.name(name)) \\- \(Self.text(abstract))\n"
  }

  /// How the command is called; where one of its subcommands need not be named, that one's arguments first.
  private func synopsis(_ command: CommandInfo, _ words: String) -> String {
    let start = "\\fB\(Self.name(words))\\fR"
    let standard = command.commands.first { $0.commandName == command.defaultSubcommand }
    return (standard.map { call($0, "\(start) [\\fB\(Self.name($0.commandName))\\fR]") } ?? "") + call(command, start)
  }

  private func call(_ command: CommandInfo, _ start: String) -> String {
    let options = command.options.filter { !$0.isOptional }.map { "\(Self.written($0))" }
    let arguments = command.positionals.map { argument in
      let name = "\\fI\(Self.name(argument.valueName ?? ""))\\fR" + (argument.isRepeating ? " ..." : "")
      return argument.isOptional ? "[\(name)]" : name
    }
    let rest = command.commands.isEmpty ? [] : ["\\fIcommand\\fR"]
    return ".PP\n\(start) " + (rest + arguments + options + ["[\\fIoptions\\fR]"]).joined(separator: " ") + "\n"
  }

  private func section(_ title: String, _ arguments: [CommandInfo.Argument]) -> String {
    arguments.isEmpty ? "" : ".SH \(title)\n" + entries(arguments)
  }

  private func entries(_ arguments: [CommandInfo.Argument]) -> String {
    arguments.map { argument in
      let values = argument.allValues.map { " (\($0.joined(separator: ", ")))" } ?? ""
      let standard = argument.defaultValue.map { " (default: \($0))" } ?? ""
      return ".TP\n\(Self.written(argument))\n\(Self.text((argument.abstract ?? "") + values + standard))\n"
    }.joined()
  }

  /// An option with its value, or an argument.
  private static func written(_ argument: CommandInfo.Argument) -> String {
    let value = "\\fI\(name(argument.valueName ?? "value"))\\fR"
    guard argument.kind != .positional else { return value }
    let names = (argument.names ?? []).map { "\\fB\(name($0.text))\\fR" }.joined(separator: ", ")
    return argument.kind == .option ? "\(names) \(value)" : names
  }

  /// `text` with what troff reads as commands taken from it; words in backquotes become bold.
  private static func text(_ text: String?) -> String {
    let escaped = name(text ?? "")
    let parts = escaped.split(separator: "`", omittingEmptySubsequences: false)
    let bold = parts.enumerated().map { $0 % 2 == 1 ? "\\fB\($1)\\fR" : String($1) }.joined()
    return bold.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.isEmpty ? ".PP" : line.first == "." || line.first == "'" ? "\\&" + line : String(line)
    }.joined(separator: "\n")
  }

  /// `text` with its backslashes, dashes and what is not ASCII as troff prints them.
  private static func name(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\e"
      case "-": "\\-"
      case _ where scalar.isASCII: String(scalar)
      default: "\\[u\(String(repeating: "0", count: max(0, 4 - hex(scalar).count)))\(hex(scalar))]"
      }
    }.joined()
  }

  private static func hex(_ scalar: Unicode.Scalar) -> String { String(scalar.value, radix: 16, uppercase: true) }
}
