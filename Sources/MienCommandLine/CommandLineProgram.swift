package import ArgumentParser
import Foundation
import Glibc
package import MienCore

/// A command line to which other sources of options, a file for instance, have added theirs.
package struct ExtendedArguments {
  /// The arguments behind the program's name.
  package let arguments: [String]
  /// Where the options that an error's message mentions stand, one line each.
  package let notes: (String) -> [String]

  /// Makes the command line.
  package init(_ arguments: [String], notes: @escaping (String) -> [String]) {
    (self.arguments, self.notes) = (arguments, notes)
  }
}

extension AsyncParsableCommand {
  /// Runs the program's command line and ends the process if it fails. Exit status: 0 all done, 1 a failure, 64 wrong
  /// usage.
  ///
  /// - Parameters:
  ///   - overview: the help of `mien`, which also holds other programs' commands; `nil` for programs whose own help is
  ///     whole, and which hand nothing over.
  ///   - configure: sets up what holds for the whole process, before anything else.
  ///   - extend: adds the options of other sources to the arguments; `nil` as its answer adds none.
  package static func runProgram(
    overview: (() -> String)? = nil, configure: @Sendable () throws -> Void = {},
    extend: @Sendable ([String]) throws -> ExtendedArguments? = { _ in nil }
  ) async {
    // What is closed would be the number of the next file opened, which results or progress would then be written into.
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
    var (notes, spoken): ((String) -> [String], [String]) = ({ _ in [] }, CommandLine.arguments)
    do {
      try configure()
      let arguments = Array(CommandLine.arguments.dropFirst())
      if let overview {
        try ExternalCommand.handOver(arguments)
        if [[], ["help"], ["--help"], ["-h"]].contains(arguments) { return try Console.print(overview()) }
      }
      try checkDashes(arguments)
      try checkNames(arguments, externals: overview == nil ? [] : ExternalCommand.allCases.map(\.rawValue))
      let extended = try extend(arguments)
      // A command that takes options from elsewhere takes the last of each, so that those typed outweigh the others.
      if extended == nil { try checkRepeats(arguments) }
      if let extended { (notes, spoken) = (extended.notes, extended.arguments) }
      var command = try parseAsRoot(joiningNegativeNumbers(extended?.arguments ?? arguments))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      ResultFile.nameWritten()
      quit(.success)
    } catch {
      ResultFile.nameWritten()
      end(error, spoken, notes)
    }
  }

  /// Says what went wrong, or the help that was asked for, and ends the process.
  private static func end(_ error: any Error, _ arguments: [String], _ notes: (String) -> [String]) -> Never {
    let typed = Array(CommandLine.arguments.dropFirst())
    if let error = error as? MienError, error.kind != .argument || unknownOption(in: typed) == nil {
      let message = "\(spoken(error, arguments))"
      Console.failure(message)
      for note in notes(message) { Console.error(note) }
      quit(error.kind == .argument ? .validationFailure : .failure)
    }
    let code = error is MienError ? .validationFailure : exitCode(for: error)
    guard code != .success else { exit(withError: error) }
    let prefix = "Error: "
    let message = fullMessage(for: error)
    let lines = clearer(message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init), typed)
    if let first = lines.first, !message.isEmpty {
      Console.failure(uncapitalized(first.hasPrefix(prefix) ? String(first.dropFirst(prefix.count)) : first))
      for line in lines.dropFirst() { Console.error(Console.printable(shortened(usage: line))) }
    }
    for note in notes(message) { Console.error(note) }
    quit(code)
  }

  /// `text` with a small first letter, as all errors begin, if that is the only capital of its first word: the parser's
  /// sentences begin with a capital, names such as FER2013 have several.
  private static func uncapitalized(_ text: String) -> String {
    let word = text.prefix(while: \.isLetter)
    guard word.count > 1, word.dropFirst().allSatisfy(\.isLowercase) else { return text }
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  /// Ends the process at once: taking networks and libraries apart would cost a short run a tenth of its time, and crash one
  /// whose other threads still load them.
  private static func quit(_ code: ExitCode) -> Never {
    fflush(nil)
    _exit(code.rawValue)
  }

  /// `error` about the option as it was typed: libraries say `labels moods` of the value of `--labels`.
  package static func spoken(_ error: MienError, _ arguments: [String]) -> MienError {
    // A path that was typed may be called like an option.
    guard let subject = error.subject, let word = subject.split(separator: " ").first, !arguments.contains(subject),
      arguments.contains(where: { $0 == "--\(word)" || $0.hasPrefix("--\(word)=") })
    else { return error }
    return error.about("--" + subject)
  }

  /// Refuses an empty argument, and a file's name that starts with a dash, which would be read as options, `-h` for help among
  /// them.
  ///
  /// - Throws: ``MienError`` of kind `argument` that says how to write the name, or which option is meant: `-json` for
  ///   `--json`.
  private static func checkDashes(_ arguments: [String]) throws {
    if arguments.contains("") {
      throw MienError(.argument, nil, "an argument is empty (''); is a variable of the shell not set?")
    }
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") && argument.count > 2 {
      // No option has a dot in its name, or one dash before several letters; a number may be an option's value.
      let option = argument.prefix { $0 != "=" }
      let isName = (option.contains(".") || (!option.hasPrefix("--") && option.count > 2)) && Double(argument) == nil
      let isFile = !argument.hasPrefix("--") && access(argument, F_OK) == 0
      guard isName || isFile else { continue }
      if !argument.hasPrefix("--"), isOption("-" + option, in: arguments) {
        throw MienError(
          .argument, argument,
          "did you mean -\(argument)? Names of options have two dashes"
            + (isFile ? "; the file of this name is written ./\(argument)" : ""))
      }
      throw MienError(
        .argument, argument,
        "a name that starts with a dash is taken for options; write ./\(argument), or put -- before the paths")
    }
  }
}

/// `--version` of a program.
package struct VersionOption: ParsableArguments {
  /// Whether it was given.
  @Flag(name: .customLong("version"), help: "Show the versions of Mien and its libraries.")
  package var isGiven = false

  /// Makes the option, not given.
  package init() {}

  /// Prints the version of Mien, then a line for each of `libraries`, as `libtorch 2.11.0`; shows the help of `command`
  /// if the option was not given.
  package func answer(for command: any ParsableCommand.Type, _ libraries: () throws -> [String]) throws {
    guard isGiven else { throw CleanExit.helpRequest(command) }
    for line in ["mien \(MienVersion.text)"] + (try libraries()) { try Console.print(line) }
  }
}

extension Split {
  /// `--split`: a part of a set, or all of it.
  package enum Choice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case train, validation, test, all

    /// The part; `nil` for all.
    package var split: Split? { Split(rawValue: rawValue) }
  }
}
