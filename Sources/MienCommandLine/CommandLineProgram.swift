package import ArgumentParser
import Foundation
import Glibc
import MienCore

extension AsyncParsableCommand {
  /// Runs the program's command line and ends the process where it fails. Exit status: 0 all done, 1 a failure, 64 wrong
  /// usage.
  ///
  /// - Parameter configure: sets up what holds for the whole process, before anything else.
  package static func runProgram(configure: @Sendable () throws -> Void = {}) async {
    // What is closed would be the number of the next file opened, which results or progress would then be written into.
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
    do {
      try configure()
      try checkDashes(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot()
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
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      exit(withError: error)
    }
  }

  /// Refuses a file's name that starts with a dash, which would be read as options, `-h` for help among them.
  ///
  /// - Throws: ``MienError`` of kind `argument` that says how to write the name.
  private static func checkDashes(_ arguments: some Sequence<String>) throws {
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") && argument.count > 2 {
      // No option has a dot in its name, or one dash before several letters; a number may be an option's value.
      let option = argument.prefix { $0 != "=" }
      let isName = (option.contains(".") || (!option.hasPrefix("--") && option.count > 2)) && Double(argument) == nil
      let isFile = !argument.hasPrefix("--") && access(argument, F_OK) == 0
      guard isName || isFile else { continue }
      throw MienError(
        .argument, argument,
        "a name that starts with a dash is taken for options; write ./\(argument), or put -- before the paths")
    }
  }
}
