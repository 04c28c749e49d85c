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

/// A folder that lives as long as the test that made it.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("mien-test-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A path inside.
  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// The development data beside the checkout, which is no part of it; `MIEN_SHARED` names another place.
enum Shared {
  static func url(_ path: String) -> URL {
    let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
    let root = ProcessInfo.processInfo.environment["MIEN_SHARED"].map { URL(fileURLWithPath: $0) } ?? beside
    return root.appendingPathComponent(path)
  }

  static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url(path).path) }
}
