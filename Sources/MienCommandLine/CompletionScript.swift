import ArgumentParser

/// Scripts that complete the commands and options of `mien` in a shell.
///
/// ArgumentParser's own generator knows the commands of one program; ours go over three.
package struct CompletionScript: Sendable {
  /// The shells.
  package enum Shell: String, ExpressibleByArgument, CaseIterable, Sendable { case bash, zsh, fish }

  /// A command with the words that lead to it, as `mien dataset import`.
  private struct Place: Sendable {
    let words: String
    let command: CommandInfo
    /// The options, of the default subcommand too.
    let options: [CommandInfo.Argument]
    let takesFiles: Bool
    /// Names that the first argument can be.
    let names: [String]
    /// A shell command that prints others.
    let namesCommand: String?
  }

  private let places: [Place]

  /// Describes the commands of `root`.
  package init(_ root: CommandInfo) { places = Self.places(root, "") }

  private static func places(_ command: CommandInfo, _ start: String) -> [Place] {
    let words = start + command.commandName
    let standard = command.subcommands?.first { $0.commandName == command.defaultSubcommand }
    let options = command.options + (standard?.options ?? [])
    // Two commands may have one option, as --help.
    let unique = options.enumerated().filter { index, option in
      !options[..<index].contains { $0.preferredName == option.preferredName }
    }.map(\.element)
    let positionals = command.positionals + (standard?.positionals ?? [])
    var names: [String] = []
    var namesCommand: String?
    switch positionals.first?.value {
    case .oneOf(let values): names = values
    case .command(let command): namesCommand = command
    default: break
    }
    let place = Place(
      words: words, command: command, options: unique, takesFiles: !positionals.isEmpty, names: names,
      namesCommand: namesCommand)
    return [place] + command.commands.flatMap { places($0, words + " ") }
  }

  /// The script for `shell`.
  package func text(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// The words of all commands but the root, quoted, as alternatives of a shell's `case`.
  private var paths: String { places.dropFirst().map { quoted($0.words) }.joined(separator: "|") }

  private func names(_ option: CommandInfo.Argument) -> [String] { (option.names ?? []).map(\.text) }

  /// `text` in single quotes.
  private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// Cases `COMMAND OPTION) …` for the options that take a value.
  private func valueCases(_ action: (CommandInfo.Argument) -> String) -> String {
    places.flatMap { place in
      place.options.filter { $0.kind == .option }.map { option in
        let pattern = names(option).map { quoted("\(place.words) \($0)") }.joined(separator: "|")
        return "    \(pattern)) \(action(option)) ;;\n"
      }
    }.joined()
  }

  private var bash: String {
    let cases = places.map { place in
      let commands = place.command.commands.map(\.commandName).joined(separator: " ")
      let options = place.options.flatMap(names).joined(separator: " ")
      return "    \(quoted(place.words))) commands=\(quoted(commands)) options=\(quoted(options)) "
        + "names=\(place.namesCommand.map { "\"$(\($0))\"" } ?? quoted(place.names.joined(separator: " "))) ;;\n"
    }.joined()
    let values = valueCases { option in
      switch option.value {
      case .oneOf(let values):
        "mapfile -t COMPREPLY < <(compgen -W \(quoted(values.joined(separator: " "))) -- \"$cur\"); return"
      // The words are not expanded, as compgen does with -W.
      case .command(let command):
        "mapfile -t COMPREPLY < <(\(command) | while read -r i; do [[ $i == \"$cur\"* ]] && echo \"$i\"; done); return"
      case .folder: "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return"
      case .file, .other: "return"
      }
    }
    return """
      # Completion of mien for bash: mien completions bash >~/.local/share/bash-completion/completions/mien
      _mien() {
        local cur="${COMP_WORDS[COMP_CWORD]}" at='mien' commands='' options='' names='' last=0 i
        for ((i = 1; i < COMP_CWORD; i++)); do
          case "$at ${COMP_WORDS[i]}" in
            \(paths)) at="$at ${COMP_WORDS[i]}" last=$i ;;
          esac
        done
        case "$at ${COMP_WORDS[COMP_CWORD-1]}" in
      \(values)  esac
        case "$at" in
      \(cases)  esac
        if [[ $cur == -* ]]; then commands="$options"
        elif (( last == COMP_CWORD - 1 )); then commands="$commands $names"; fi
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
      }
      complete -o default -F _mien mien

      """
  }

  private var zsh: String {
    func words(of command: String?) -> [String] { command.map { ["${(f)\"$(\($0))\"}"] } ?? [] }
    func entry(_ name: String, _ text: String?) -> String {
      let words = name.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\:")
      return quoted("\(words):\(text ?? "")")
    }
    let cases = places.map { place in
      let commands = place.command.commands.map { entry($0.commandName, $0.abstract) }
      let options = place.options.flatMap { option in names(option).map { entry($0, option.abstract) } }
      return "    (\(quoted(place.words))) commands=(\(commands.joined(separator: " ")))\n"
        + "      options=(\(options.joined(separator: " ")))\n"
        + "      names=(\((place.names.map(quoted) + words(of: place.namesCommand)).joined(separator: " "))) ;;\n"
    }.joined()
    let values = valueCases { option in
      switch option.value {
      case .oneOf(let values):
        "compadd -- \(values.map(quoted).joined(separator: " "));\(option.takesFiles ? " _files;" : "") return"
      case .command(let command):
        "compadd -- \(words(of: command).joined());\(option.takesFiles ? " _files;" : "") return"
      case .folder: "_files -/; return"
      case .file: "_files; return"
      case .other: "_message \(quoted(option.valueName ?? "value")); return"
      }
    }
    return """
      #compdef mien
      # Completion of mien for zsh: mien completions zsh >FOLDER/_mien, with FOLDER in $fpath before compinit.
      _mien() {
        local at='mien' last=1 i
        local -a commands options names
        for ((i = 2; i < CURRENT; i++)); do
          case "$at ${words[i]}" in
            (\(paths)) at="$at ${words[i]}" last=$i ;;
          esac
        done
        case "$at ${words[CURRENT-1]}" in
      \(values)  esac
        case "$at" in
      \(cases)  esac
        if [[ "${words[CURRENT]}" == -* ]]; then
          _describe -o option options
        elif (( $#names && last == CURRENT - 1 )); then
          (( $#commands )) && _describe command commands
          compadd -a names
          _files
        elif (( $#commands )); then
          _describe command commands
        else
          _files
        fi
      }
      if [[ "${funcstack[1]}" == _mien ]]; then _mien "$@"; else compdef _mien mien; fi

      """
  }

  private var fish: String {
    var lines: [String] = []
    for place in places {
      let when = "complete -c mien -n \(quoted("__mien_at \"\(place.words)\""))"
      if !place.takesFiles { lines.append("\(when) -f") }
      for command in place.command.commands {
        lines.append("\(when) -a \(command.commandName) -d \(quoted(command.abstract ?? ""))")
      }
      if let names = place.namesCommand.map({ "(\($0))" })
        ?? (place.names.isEmpty ? nil : place.names.joined(separator: " "))
      {
        let first = "complete -c mien -n \(quoted("__mien_at_end \"\(place.words)\""))"
        lines.append("\(first) -a \(quoted(names))")
      }
      for option in place.options {
        let written = (option.names ?? []).map { ($0.kind == .short ? "-s " : "-l ") + $0.name }.joined(separator: " ")
        let value =
          switch (option.kind, option.value) {
          case (.option, .oneOf(let values)):
            " \(option.takesFiles ? "-r -F" : "-x") -a \(quoted(values.joined(separator: " ")))"
          case (.option, .command(let command)): " \(option.takesFiles ? "-r -F" : "-x") -a \(quoted("(\(command))"))"
          case (.option, .folder): " -x -a '(__fish_complete_directories)'"
          case (.option, .file): " -r -F"
          case (.option, .other): " -x"
          default: ""
          }
        lines.append("\(when) \(written)\(value) -d \(quoted(option.abstract ?? ""))")
      }
    }
    return """
      # Completion of mien for fish: mien completions fish >~/.config/fish/completions/mien.fish
      function __mien_at
        set -l at mien
        for word in (commandline -opc)[2..-1]
          switch "$at $word"
            case \(places.dropFirst().map { quoted($0.words) }.joined(separator: " "))
              set at "$at $word"
          end
        end
        test "$at" = "$argv[1]"
      end
      function __mien_at_end
        test "$(commandline -opc | string join ' ')" = "$argv[1]"
      end
      \(lines.joined(separator: "\n"))

      """
  }
}
