package import ArgumentParser
import Foundation
import Glibc
import MienCore

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
  /// Runs the program's command line and ends the process where it fails. Exit status: 0 all done, 1 a failure, 64 wrong
  /// usage.
  ///
  /// - Parameter extend: adds the options of other sources to the arguments; `nil` as its answer adds none.
  package static func runProgram(extend: ([String]) throws -> ExtendedArguments? = { _ in nil }) async {
    // What is closed would be the number of the next file opened, which results or progress would then be written into.
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
    var notes: (String) -> [String] = { _ in [] }
    do {
      try checkDashes(CommandLine.arguments.dropFirst())
      let extended = try extend(Array(CommandLine.arguments.dropFirst()))
      if let extended { notes = extended.notes }
      var command = try parseAsRoot(extended?.arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      // Taking networks and libraries apart at the end would cost a short run a tenth of its time.
      fflush(nil)
      _exit(ExitCode.success.rawValue)
    } catch let error as MienError where error.kind == .argument {
      Console.error("Error: \(error)")
      for note in notes("\(error)") { Console.error(note) }
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      if exitCode(for: error) != .success {
        for note in notes(fullMessage(for: error)) { Console.error(note) }
      }
      exit(withError: error)
    }
  }

  /// Refuses a file's name that starts with a dash, which would be read as options, `-h` for help among them.
  ///
  /// - Throws: ``MienError`` of kind `argument` that says how to write the name.
  private static func checkDashes(_ arguments: some Sequence<String>) throws {
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") && argument.count > 2 {
      // No option has a dot in its name; a number may be an option's value.
      let isName = argument.prefix { $0 != "=" }.contains(".") && Double(argument) == nil
      let isFile = !argument.hasPrefix("--") && access(argument, F_OK) == 0
      guard isName || isFile else { continue }
      throw MienError(
        .argument, argument,
        "a name that starts with a dash is taken for options; write ./\(argument), or put -- before the paths")
    }
  }
}
