import Foundation
import MienInference
import Synchronization
import Testing

/// A running `mien-server`: the built program, as operators start it.
final class ServerProcess {
  /// The program.
  static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("mien-server").path

  let process = Process()
  private(set) var port = 0
  private let log = Pipe()
  private let lines = LogLines()

  /// Starts it on a free port and waits until it listens.
  ///
  /// - Parameter program: a copy of the program elsewhere.
  init(
    _ arguments: [String], program: String = ServerProcess.program, wrapper: [String] = [],
    environment: [String: String] = [:]
  ) async throws {
    let words = wrapper + [program, "serve", "--port", "0"] + arguments
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardError = log
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let handle = log.fileHandleForReading
    port = try await NativeQueue(width: 1).run { [lines] in
      var text = ""
      defer { lines.add(text) }
      while let data = try handle.read(upToCount: 1), !data.isEmpty {
        text += String(decoding: data, as: UTF8.self)
        if text.hasSuffix("\n"), let url = text.range(of: "\"url\":\"") {
          let address = text[url.upperBound...].prefix { $0 != "\"" }
          return Int(address.split(separator: ":").last ?? "") ?? 0
        }
      }
      return 0
    }
    try #require(port > 0)
    // The pipe must not fill up.
    handle.readabilityHandler = { [lines] in lines.add(String(decoding: $0.availableData, as: UTF8.self)) }
  }

  /// The first line of the log that has all of `words`, once it is there; nil if it does not come.
  func line(_ words: String...) async throws -> String? {
    for _ in 0..<1200 {
      if let line = lines.all.first(where: { line in words.allSatisfy(line.contains) }) { return line }
      try await Task.sleep(for: .milliseconds(25))
    }
    return nil
  }

  /// All of the log so far.
  var allLines: [String] { lines.all }

  /// Text that comes in pieces, by lines.
  private final class LogLines: Sendable {
    private let text = Mutex("")
    func add(_ more: String) { text.withLock { $0 += more } }
    var all: [String] { text.withLock { $0.split(separator: "\n").map(String.init) } }
  }

  /// The answer to a request on a connection of its own.
  func request(
    _ method: String, _ path: String, _ body: Data = Data(), type: String = "video/mp4"
  ) async throws -> String {
    try await Self.request(port, method, path, body, type: type)
  }

  /// The value of `key` in a body of JSON.
  static func value(_ key: String, in answer: String) -> String? {
    guard let start = answer.range(of: "\"\(key)\":\"") else { return nil }
    return String(answer[start.upperBound...].prefix { $0 != "\"" })
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  /// The answer of the server at `port` to a request on a connection of its own.
  static func request(
    _ port: Int, _ method: String, _ path: String, _ body: Data = Data(), type: String = "video/mp4"
  ) async throws -> String {
    let raw = try RawClient(port: port)
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \(type)\r\n"
      + "Content-Length: \(body.count)\r\n\r\n"
    try await raw.send(Data(head.utf8) + body)
    return try await raw.receive()
  }
}
