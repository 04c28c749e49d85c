import Foundation
import Testing

/// The built `mien`, run as users run it.
enum Command {
  /// What a run left behind.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The folder that holds this test's executable, and `mien`.
  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
  static let mien = folder.appendingPathComponent("mien")

  /// Runs `mien` with `arguments`.
  static func mien(_ arguments: String..., input: Data? = nil) throws -> Outcome {
    try run(mien.path, arguments, input: input)
  }

  /// Runs any program.
  static func run(_ program: String, _ arguments: [String], input: Data? = nil) throws -> Outcome {
    let process = Process()
    let (output, errors, feed) = (Pipe(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = input == nil ? FileHandle.nullDevice : feed
    try process.run()
    if let input {
      try feed.fileHandleForWriting.write(contentsOf: input)
      try feed.fileHandleForWriting.close()
    }
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    let words = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: text, errors: words)
  }
}

extension Process {
  /// Waits until something holds, or the process has ended; ten minutes at most.
  func wait(until holds: () throws -> Bool) rethrows {
    let deadline = Date().addingTimeInterval(600)
    while try !holds(), isRunning, Date() < deadline { usleep(2000) }
  }
}
