package import ArgumentParser
import Foundation
import Glibc
import MienCore

extension AsyncParsableCommand {
  /// Runs the program's command line and ends the process where it fails. Exit status: 0 all done, 1 a failure, 64 wrong
  /// usage.
  package static func runProgram() async {
    // What is closed would be the number of the next file opened, which results or progress would then be written into.
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as MienError where error.kind == .argument {
      Console.error("Error: \(error)")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
