import Foundation
import HTTPTypes
import MienCore
import MienInference
import MienServer
import MienTestSupport
import Synchronization
import Testing

/// The built `mien-server`, run as operators run it.
@Suite(.serialized) struct ServerProcessTests {
  private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("mien-server").path

  /// A running server.
  private final class Server {
    let process = Process()
    private(set) var port = 0
    private let log = Pipe()
    private let lines = LogLines()

    /// Starts it on a free port and waits until it listens.
    init(_ arguments: [String], wrapper: [String] = [], environment: [String: String] = [:]) async throws {
      let words = wrapper + [ServerProcessTests.program, "serve", "--port", "0"] + arguments
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
      try await ServerProcessTests.request(port, method, path, body, type: type)
    }

    /// The value of `key` in a body of JSON.
    static func value(_ key: String, in answer: String) -> String? {
      guard let start = answer.range(of: "\"\(key)\":\"") else { return nil }
      return String(answer[start.upperBound...].prefix { $0 != "\"" })
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
  }

  private static func request(
    _ port: Int, _ method: String, _ path: String, _ body: Data = Data(), type: String = "video/mp4"
  ) async throws -> String {
    let raw = try RawClient(port: port)
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \(type)\r\n"
      + "Content-Length: \(body.count)\r\n\r\n"
    try await raw.send(Data(head.utf8) + body)
    return try await raw.receive()
  }

  /// A clip whose frames take a while to search.
  private static func longClip(frames: Int) -> Data {
    var random = SeededRandom(seed: 3)
    let frame =
      Data("FRAME\n".utf8) + Data((0..<(640 * 480 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) })
    return (0..<frames).reduce(into: Data("YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C444\n".utf8)) { clip, _ in clip += frame }
  }

  @Test func aJobThatWasCutShortByAKillIsReportedAsFailedAndItsFilesAreGone() async throws {
    let folder = try TemporaryFolder()
    let state = ["--state-dir", folder.url.path]
    let first = try await Server(state)
    let clip = Self.longClip(frames: 60)
    let running = try #require(Server.value("id", in: try await first.request("POST", "/v1/video", clip)))
    let next = Self.longClip(frames: 1)
    let waiting = try #require(Server.value("id", in: try await first.request("POST", "/v1/video", next)))
    #expect(try await first.request("GET", "/v1/video/\(waiting)").contains("\"queued\""))
    kill(first.process.processIdentifier, SIGKILL)
    first.process.waitUntilExit()
    #expect(FileManager.default.fileExists(atPath: folder.file("videos/\(running)/upload").path))

    let second = try await Server(state)
    for id in [running, waiting] {
      let answer = try await second.request("GET", "/v1/video/\(id)")
      #expect(answer.contains("\"failed\"") && answer.contains("The server stopped before the video was read."))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.file("videos/\(id)").path) == ["job.json"])
    }
    second.process.terminate()
    second.process.waitUntilExit()
    #expect(second.process.terminationStatus == 0)
  }

  @Test func acceptedWorkIsFinishedBeforeTheServerStops() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path])
    let clip = Self.longClip(frames: 30)
    let id = try #require(Server.value("id", in: try await server.request("POST", "/v1/video", clip)))
    let picture = Data(try TestServer.noise(side: 4000).readableBytesView)
    let port = server.port
    async let answer = Self.request(port, "POST", "/v1/detect", picture, type: "image/png")
    var hasCome = false
    for _ in 0..<6000 where !hasCome {
      hasCome = try await Self.request(port, "GET", "/metrics").contains("mien_pictures_active 1.0")
      try await Task.sleep(for: .milliseconds(5))
    }
    try #require(hasCome, "the picture is not worked on")
    server.process.terminate()
    #expect(try await answer.hasPrefix("HTTP/1.1 200 "))
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    let record = try String(contentsOf: folder.file("videos/\(id)/job.json"), encoding: .utf8)
    #expect(record.contains("\"state\":\"done\""))
    #expect(FileManager.default.fileExists(atPath: folder.file("videos/\(id)/result.jsonl").path))
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aFullDiskIsSaidAndTheServerGoesOn() async throws {
    let folder = try TemporaryFolder()
    let disk = folder.file("disk").path
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let script = "mount -t tmpfs -o size=1m tmpfs \(disk) && exec \"$@\""
    let server = try await Server(
      ["--state-dir", disk], wrapper: ["/usr/bin/unshare", "-m", "bash", "-c", script, "bash"])
    let answer = try await server.request("POST", "/v1/video", Data(count: 3 << 20))
    #expect(answer.hasPrefix("HTTP/1.1 507 ") && answer.contains("disk_full"))
    // What was written of it is gone again, so that there is room for a smaller one.
    #expect(try await server.request("POST", "/v1/video", Data(count: 1000)).hasPrefix("HTTP/1.1 202 "))
    #expect(try await server.request("GET", "/healthz").hasPrefix("HTTP/1.1 200 "))
  }

  @Test func aServerThatStopsSaysSoBefore() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path, "--drain-delay", "300"])
    #expect(try await server.request("GET", "/readyz").hasPrefix("HTTP/1.1 200 "))
    server.process.terminate()
    let stopping = try #require(try await server.line("\"stopping\""))
    #expect(stopping.contains("SIGTERM"))
    // It still works, and says that no more should be sent.
    let ready = try await server.request("GET", "/readyz")
    #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("\"stopping\""))
    #expect(try await server.request("GET", "/v1/models").hasPrefix("HTTP/1.1 200 "))
    // A second order ends the delay.
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    #expect(try await server.line("\"stopped\"") != nil)
  }

  @Test func aSecondOrderToStopIsObeyedAtOnce() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path, "--shutdown-timeout", "600"])
    let clip = Self.longClip(frames: 200)
    let id = try #require(Server.value("id", in: try await server.request("POST", "/v1/video", clip)))
    server.process.terminate()
    #expect(try await server.line("\"stopping\"") != nil)
    let start = ContinuousClock.now
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(ContinuousClock.now - start < .seconds(60) && server.process.terminationStatus == 0)
    let record = try String(contentsOf: folder.file("videos/\(id)/job.json"), encoding: .utf8)
    #expect(record.contains("\"failed\""))
  }

  @Test func theLogHoldsWhatBecameOfVideosAndLinesOfJSONAlone() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path])
    let answer = try await server.request("POST", "/v1/video", Data("this is no video".utf8))
    let id = try #require(Server.value("id", in: answer))
    let line = try #require(try await server.line("\"message\":\"video\"", id))
    #expect(line.contains("\"state\":\"failed\"") && line.contains("no video"))
    // A chunk that libpng would print a line about: it must not come between the lines of JSON.
    let png = Data(try TestServer.face(1).readableBytesView)
    let bad: [UInt8] = [0, 0, 0, 4] + Array("gAMA".utf8) + [1, 2, 3, 4] + [0, 0, 0, 0]
    let head = 8 + 25
    let photo = png[..<head] + Data(bad) + png[head...]
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let request =
      "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: mine\r\n"
      + "traceparent: \(trace)\r\nContent-Length: \(photo.count)\r\n\r\n"
    let raw = try RawClient(port: server.port)
    try await raw.send(Data(request.utf8) + photo)
    #expect(try await raw.receive().contains("X-Request-Id: mine"))
    let logged = try #require(try await server.line("\"request\":\"mine\""))
    #expect(logged.contains(trace))
    for line in server.allLines {
      #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) is [String: Any], "\(line)")
    }
  }

  @Test func withoutAHomePhotosAreServed() async throws {
    let server = try await Server([], environment: ["HOME": "/dev/null", "MIEN_CACHE": "/dev/null/x"])
    #expect(try await server.line("no videos are taken", "--state-dir") != nil)
    let photo = Data(try TestServer.face(1).readableBytesView)
    let answer = try await server.request("POST", "/v1/detect?detector=none", photo, type: "image/png")
    #expect(answer.hasPrefix("HTTP/1.1 200 "))
    #expect(try await server.request("POST", "/v1/video", photo).hasPrefix("HTTP/1.1 404 "))
  }

  @Test func correctionsGoToTheFileThatIsThere() async throws {
    let folder = try TemporaryFolder()
    let file = folder.file("corrections.sqlite")
    let server = try await Server(["--state-dir", folder.file("state").path, "--corrections", file.path])
    let photo = Data(try TestServer.face(1).readableBytesView)
    func correct() async throws -> String {
      try await server.request("POST", "/v1/corrections?profile=me&emotion=fear", photo, type: "image/png")
    }
    #expect(try await correct().hasPrefix("HTTP/1.1 201 "))
    for suffix in ["", "-wal", "-shm"] { try FileManager.default.removeItem(atPath: file.path + suffix) }
    #expect(try await correct().hasPrefix("HTTP/1.1 201 "))
    #expect(try await server.line("removed or replaced") != nil)
    #expect(try await CorrectionStore(url: file).listing().corrections.count == 1)
  }

  @Test func aPortInUseIsSaid() async throws {
    let (one, two) = (try TemporaryFolder(), try TemporaryFolder())
    let server = try await Server(["--state-dir", one.url.path])
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = ["serve", "--port", "\(server.port)", "--state-dir", two.url.path]
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
    #expect(text.hasSuffix("mien: error: port \(server.port) is in use; choose another with --port\n"), "\(text)")
  }

  static let script = "/usr/bin/script"

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: ServerProcessTests.script), "needs script, of util-linux"))
  func onATerminalTheAddressToOpenIsSaid() async throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.script)
    process.arguments = [
      "-qfec", "\(Self.program) serve --port 0 --state-dir \(folder.file("state").path)",
      folder.file("typescript").path,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.terminate() }
    var text = ""
    for _ in 0..<1200 where !text.contains("open http://127.0.0.1:") && process.isRunning {
      text = (try? String(contentsOf: folder.file("typescript"), encoding: .utf8)) ?? ""
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(text.contains("open http://127.0.0.1:"), "\(text)")
  }

  @Test func wrongUsageExitsWith64AndSaysWhatIsWrong() throws {
    let folder = try TemporaryFolder()
    try Data("short".utf8).write(to: folder.file("token"))
    try Data("0123456789abcdef\n".utf8).write(to: folder.file("tokens"))
    for (arguments, status, words) in [
      (["--host", "0.0.0.0"], Int32(64), "--token-file"), (["--port", "70000"], 64, "--port"),
      (["--tls-cert", "a.pem"], 64, "--tls-key"), (["--max-body", "0"], 64, "--max-body"),
      (["--cors-origin", "*"], 64, "--cors-origin"), (["--allowed-host", "a/b"], 64, "--allowed-host"),
      (["--trusted-proxy", "proxy"], 64, "--trusted-proxy"), (["--drain-delay", "-1"], 64, "--drain-delay"),
      (["--state-dir", "/dev/null/state"], 1, "--state-dir"),
      (["--host", "no-such-name.invalid", "--token-file", folder.file("tokens").path], 64, "--host"),
      (["--model", "no-such"], 64, "no-such"),
      (["--token-file", folder.file("token").path], 1, "token 1"),
      (["--token-file", folder.file("none").path], 1, "no such file"),
      (["--tls-cert", "/nowhere/a.pem", "--tls-key", "/nowhere/b.pem"], 1, "/nowhere/a.pem"),
    ] {
      let process = Process()
      let errors = Pipe()
      process.executableURL = URL(fileURLWithPath: Self.program)
      process.arguments = ["serve", "--state-dir", folder.file("state").path, "--port", "0"] + arguments
      process.standardError = errors
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == status && text.contains(words), "\(arguments): \(text)")
    }
  }
}
