import Foundation
import HTTPTypes
import MienCore
import MienInference
import MienServer
import MienTestSupport
import Testing

/// The built `mien-server`, run as operators run it.
@Suite(.serialized) struct ServerProcessTests {
  /// A running server.
  private typealias Server = ServerProcess

  /// A clip whose frames take a while to search.
  private static func longClip(frames: Int) -> Data {
    var random = SeededRandom(seed: 3)
    let frame =
      Data("FRAME\n".utf8) + Data((0..<(640 * 480 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) })
    return (0..<frames).reduce(into: Data("YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C444\n".utf8)) { clip, _ in clip += frame }
  }

  /// Waits for the state of a video.
  private static func wait(for state: String, of id: String, _ server: Server) async throws -> String {
    var answer = ""
    _ = try await eventually {
      answer = try await server.request("GET", "/v1/video/\(id)")
      return answer.contains("\"\(state)\"")
    }
    return answer
  }

  @Test func jobsThatWereCutShortByAKillAreReadByTheNextServer() async throws {
    let folder = try TemporaryFolder()
    let state = ["--state-dir", folder.url.path]
    let first = try await Server(state)
    let clip = Self.longClip(frames: 60)
    let running = try #require(Server.value("id", in: try await first.request("POST", "/v1/video?every=30", clip)))
    let next = Self.longClip(frames: 1)
    let waiting = try #require(Server.value("id", in: try await first.request("POST", "/v1/video", next)))
    #expect(try await Self.wait(for: "running", of: running, first).contains("\"running\""))
    kill(first.process.processIdentifier, SIGKILL)
    first.process.waitUntilExit()
    #expect(FileManager.default.fileExists(atPath: folder.file("videos/\(running)/upload").path))

    let second = try await Server(state)
    for (id, frames) in [(running, 2), (waiting, 1)] {
      let answer = try await Self.wait(for: "done", of: id, second)
      #expect(answer.contains("\"done\"") && answer.contains("\"frames\":\(frames),"), "\(answer)")
      let rows = try await second.request("GET", "/v1/video/\(id)/result")
      #expect(rows.components(separatedBy: "\"frame\":").count == frames + 1)
    }
    second.process.terminate()
    second.process.waitUntilExit()
    #expect(second.process.terminationStatus == 0)
  }

  @Test func aVideoThatEndsServersIsGivenUp() async throws {
    let folder = try TemporaryFolder()
    let state = ["--state-dir", folder.url.path]
    var id = ""
    for _ in 0..<2 {
      let server = try await Server(state)
      if id.isEmpty {
        id = try #require(
          Server.value("id", in: try await server.request("POST", "/v1/video", Self.longClip(frames: 200))))
      }
      _ = try await Self.wait(for: "running", of: id, server)
      // It is noted before the first frame is read.
      for _ in 0..<2000 {
        if FileManager.default.fileExists(atPath: folder.file("videos/\(id)/result.jsonl").path) { break }
        try await Task.sleep(for: .milliseconds(5))
      }
      kill(server.process.processIdentifier, SIGKILL)
      server.process.waitUntilExit()
    }
    let last = try await Server(state)
    let answer = try await last.request("GET", "/v1/video/\(id)")
    #expect(answer.contains("\"failed\"") && answer.contains("stopped 2 times"), "\(answer)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("videos/\(id)/upload").path))
    #expect(try await last.request("GET", "/v1/video/\(id)/result?partial=true").hasPrefix("HTTP/1.1 200 "))
  }

  /// As a server leaves it that is killed between noting the end and removing what was sent.
  @Test func aVideoThatIsDoneStaysDone() async throws {
    let folder = try TemporaryFolder()
    let first = try await Server(["--state-dir", folder.url.path])
    let id = try #require(
      Server.value("id", in: try await first.request("POST", "/v1/video", Self.longClip(frames: 1))))
    #expect(try await Self.wait(for: "done", of: id, first).contains("\"done\""))
    kill(first.process.processIdentifier, SIGKILL)
    first.process.waitUntilExit()
    let upload = folder.file("videos/\(id)/upload")
    #expect(!FileManager.default.fileExists(atPath: upload.path))
    try Data("rest".utf8).write(to: upload)
    let second = try await Server(["--state-dir", folder.url.path])
    #expect(try await second.request("GET", "/v1/video/\(id)").contains("\"done\""))
    #expect(try await second.request("GET", "/v1/video/\(id)/result").contains("\"frame\":0"))
    #expect(!FileManager.default.fileExists(atPath: upload.path))
  }

  @Test func listenersThatHaveGoneGiveTheirPlacesBack() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path])
    let id = try #require(
      Server.value("id", in: try await server.request("POST", "/v1/sessions", type: "application/json")))
    func listen() async throws -> String {
      let listener = try RawClient(port: server.port)
      try await listener.send(
        Data("GET /v1/sessions/\(id)/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
      return try await listener.receive(upTo: ": still here\n\n\r\n")
    }
    // More than listen at a time: each goes at once, as the page does that is loaded again.
    for number in 0..<24 {
      var status = ""
      for _ in 0..<200 {
        status = try await listen()
        if status.hasPrefix("HTTP/1.1 200") { break }
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(status.hasPrefix("HTTP/1.1 200"), "listener \(number): \(status)")
    }
  }

  /// Both are named by the file: a log that cannot be opened keeps no token.
  @Test func aTokenThatWasTakenBackIsRefusedWhateverBecomesOfTheLog() async throws {
    let folder = try TemporaryFolder()
    let (tokens, logs) = (folder.file("tokens"), folder.file("logs"))
    try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
    try Data("the-first-token-0001\nthe-other-token-0002\n".utf8).write(to: tokens)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ServerProcess.program)
    let log = logs.appendingPathComponent("log")
    process.arguments = [
      "serve", "--port", "0", "--state-dir", folder.file("state").path, "--token-file", tokens.path, "--log-file",
      log.path,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { kill(process.processIdentifier, SIGKILL) }
    // While it starts, too: as soon as there is a log.
    try #require(await eventually { FileManager.default.fileExists(atPath: log.path) || !process.isRunning })
    kill(process.processIdentifier, SIGHUP)
    var text = ""
    try #require(
      await eventually {
        text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.contains("\"url\":\"") || !process.isRunning
      })
    let url = try #require(Server.value("url", in: text))
    let port = try #require(Int(url.split(separator: ":").last ?? ""))
    func status() async throws -> String {
      let raw = try RawClient(port: port)
      try await raw.send(
        Data(
          "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-first-token-0001\r\nConnection: close\r\n\r\n"
            .utf8))
      return try await raw.receive()
    }
    #expect(try await status().hasPrefix("HTTP/1.1 200 "))
    try FileManager.default.moveItem(at: logs, to: folder.file("elsewhere"))
    try Data("the-other-token-0002\n".utf8).write(to: tokens)
    kill(process.processIdentifier, SIGHUP)
    var answer = ""
    for _ in 0..<400 {
      answer = try await status()
      if answer.hasPrefix("HTTP/1.1 401 ") { break }
      try await Task.sleep(for: .milliseconds(25))
    }
    #expect(answer.hasPrefix("HTTP/1.1 401 "))
  }

  @Test func whatKeepsAServerFromStartingIsSaidWhereItWasStarted() async throws {
    let folder = try TemporaryFolder()
    let other = try await Server(["--state-dir", folder.file("other").path])
    try Data("model: [none.onnx]\n".utf8).write(to: folder.file("serve.yaml"))
    for (arguments, words) in [
      (["--state-dir", folder.file("other").path], ["another server uses this folder"]),
      (["--log-file", folder.file("log").path, "--model", "none.onnx"], ["none.onnx"]),
      (
        ["--log-file", folder.file("log").path, "--metrics-port", "\(other.port)"],
        ["port \(other.port) is in use; choose another with --metrics-port"]
      ),
      (
        ["--config", folder.file("serve.yaml").path],
        ["none.onnx", "--model is set by \(folder.file("serve.yaml").path), line 1"]
      ),
    ] {
      let (process, errors) = (Process(), Pipe())
      process.executableURL = URL(fileURLWithPath: ServerProcess.program)
      let state = arguments.contains("--state-dir") ? [] : ["--state-dir", folder.file("state").path]
      process.arguments = ["serve", "--port", "0"] + state + arguments
      process.standardError = errors
      try process.run()
      let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus != 0)
      for word in words { #expect(text.contains(word), "\(arguments): \(text)") }
    }
    #expect(try String(contentsOf: folder.file("log"), encoding: .utf8).contains("\"message\":\"ended\""))
  }

  @Test func probesAndMetricsHaveAPortOfTheirOwn() async throws {
    let folder = try TemporaryFolder()
    try Data("0123456789abcdef\n".utf8).write(to: folder.file("tokens"))
    let server = try await Server([
      "--state-dir", folder.file("state").path, "--metrics-port", "0", "--token-file", folder.file("tokens").path,
    ])
    let line = try #require(try await server.line("\"message\":\"metrics\""))
    let port = try #require(line.firstMatch(of: /"port":(\d+)/).flatMap { Int($0.output.1) })
    #expect(try await ServerProcess.request(port, "GET", "/metrics").contains("mien_requests_total"))
    for path in ["/healthz", "/readyz"] {
      #expect(try await ServerProcess.request(port, "GET", path).hasPrefix("HTTP/1.1 200 "))
    }
    #expect(try await ServerProcess.request(port, "GET", "/v1/models").hasPrefix("HTTP/1.1 404 "))
    #expect(try await ServerProcess.request(port, "POST", "/metrics").hasPrefix("HTTP/1.1 405 "))
    // The other one still asks for a token.
    #expect(try await server.request("GET", "/metrics").hasPrefix("HTTP/1.1 401 "))
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
  }

  @Test func whoListensToASessionDoesNotKeepAServerFromStopping() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path, "--shutdown-timeout", "600"])
    let id = try #require(
      Server.value("id", in: try await server.request("POST", "/v1/sessions", type: "application/json")))
    let listener = try RawClient(port: server.port)
    try await listener.send(Data("GET /v1/sessions/\(id)/events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    _ = try await listener.receive(upTo: ": still here\n\n\r\n")
    server.process.terminate()
    #expect(try await listener.receive().contains("event: end"))
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aDetectorThatNobodyAsksForNeedsNoFile() async throws {
    let folder = try TemporaryFolder()
    let script = "for d in /usr/share/opencv*; do mount -t tmpfs tmpfs $d; done; exec \"$@\""
    let server = try await Server(
      ["--state-dir", folder.url.path], wrapper: ["/usr/bin/unshare", "-m", "bash", "-c", script, "bash"],
      environment: ["MIEN_HAARCASCADES": folder.url.path])
    let photo = Data(try TestServer.face(1).readableBytesView)
    let found = try await server.request("POST", "/v1/detect", photo, type: "image/png")
    #expect(found.hasPrefix("HTTP/1.1 200 "))
    let answer = try await server.request("POST", "/v1/detect?detector=haar", photo, type: "image/png")
    #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("not installed"), "\(answer)")
    #expect(try await server.line("haarcascade") != nil)
  }

  @Test func acceptedWorkIsFinishedBeforeTheServerStops() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path])
    let clip = Self.longClip(frames: 30)
    let id = try #require(Server.value("id", in: try await server.request("POST", "/v1/video", clip)))
    let picture = Data(try TestServer.noise(side: 4000).readableBytesView)
    let port = server.port
    async let answer = ServerProcess.request(port, "POST", "/v1/detect", picture, type: "image/png")
    try #require(
      await eventually {
        try await ServerProcess.request(port, "GET", "/metrics").contains("mien_pictures_active 1.0")
      }, "the picture is not worked on")
    // One order, as `timeout` gives it: to the process and to its group. Equal signals might arrive as one.
    server.process.terminate()
    server.process.interrupt()
    #expect(try await answer.hasPrefix("HTTP/1.1 200 "))
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    let record = try String(contentsOf: folder.file("videos/\(id)/job.json"), encoding: .utf8)
    #expect(record.contains("\"state\":\"done\""))
    #expect(FileManager.default.fileExists(atPath: folder.file("videos/\(id)/result.jsonl").path))
  }

  /// Code of a decoder cannot be interrupted.
  @Test(.timeLimit(.minutes(3)), .enabled(if: EndlessDecoder.compiler != nil || Shared.isStrict, "needs a C compiler"))
  func aDecoderThatDoesNotEndKeepsNeitherOthersNorTheEndWaiting() async throws {
    let (folder, decoder) = (try TemporaryFolder(), try EndlessDecoder())
    let server = try await Server(
      ["--state-dir", folder.url.path, "--shutdown-timeout", "0.5", "--wait-timeout", "600"],
      environment: decoder.environment)
    let picture = MadeHEIF([.init(1, MadeHEIF.tile, 64, 64)]).file
    // More than there are places.
    let count = 2 * ProcessInfo.processInfo.activeProcessorCount + 1
    let head = "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(picture.count)\r\n\r\n"
    let clients = try (0..<count).map { _ in try RawClient(port: server.port) }
    for client in clients { try await client.send(Data(head.utf8) + picture) }
    try #require(
      await eventually {
        let metrics = try await server.request("GET", "/metrics")
        let pictures = ["active", "waiting"].map { TestServer.metric("mien_pictures_\($0)", in: metrics) }
        return decoder.isDecoding && pictures.reduce(0, +) == count
      }, "the pictures are not there")
    let photo = Data(try TestServer.face(1).readableBytesView)
    let answer = try await server.request("POST", "/v1/detect?detector=none", photo, type: "image/png")
    #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    #expect(try await server.line("stopped before all was finished") != nil)
    #expect(try await eventually { !decoder.isRunning })
    withExtendedLifetime(clients) {}
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aFullDiskIsSaidAndTheServerGoesOn() async throws {
    let folder = try TemporaryFolder()
    let disk = folder.file("disk").path
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let server = try await Server(["--state-dir", disk], wrapper: NameSpace.disk(at: disk, size: "1m"))
    let answer = try await server.request("POST", "/v1/video", Data(count: 3 << 20))
    #expect(answer.hasPrefix("HTTP/1.1 507 ") && answer.contains("disk_full"))
    // What was written of it is gone again, so that there is room for a smaller one.
    #expect(try await server.request("POST", "/v1/video", Data(count: 1000)).hasPrefix("HTTP/1.1 202 "))
    #expect(try await server.request("GET", "/healthz").hasPrefix("HTTP/1.1 200 "))
  }

  /// The file of corrections has a limit of its own, which is not why they are refused here.
  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func correctionsOnAFullDiskAreRefusedAsSuch() async throws {
    let folder = try TemporaryFolder()
    let disk = folder.file("disk").path
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let server = try await Server(
      ["--state-dir", folder.file("state").path, "--corrections", "\(disk)/corrections.sqlite"],
      wrapper: NameSpace.disk(at: disk, size: "400k"))
    let face = Data(try TestServer.face(1).readableBytesView)
    let path = "/v1/corrections?profile=me&emotion=fear&crop=true"
    var (kept, answer) = (0, "")
    for _ in 0..<200 {
      answer = try await server.request("POST", path, face, type: "image/png")
      guard answer.hasPrefix("HTTP/1.1 201 ") else { break }
      kept += 1
    }
    #expect(answer.hasPrefix("HTTP/1.1 507 ") && answer.contains("disk_full") && kept > 0, "\(kept), \(answer)")
    // What was stored before is kept.
    let listed = try await server.request("GET", "/v1/corrections")
    #expect(listed.hasPrefix("HTTP/1.1 200 ") && listed.components(separatedBy: "\"profile\":\"me\"").count == kept + 1)
    // SQLite deletes by writing, too.
    let deleted = try await server.request("DELETE", "/v1/corrections/1")
    #expect(deleted.hasPrefix("HTTP/1.1 204 ") || deleted.contains("disk_full"), "\(deleted)")
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
    // A second order ends the delay. Sooner, it would count as the first.
    try await Task.sleep(for: .seconds(1))
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
    try await Task.sleep(for: .seconds(1))
    let start = ContinuousClock.now
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(ContinuousClock.now - start < .seconds(60) && server.process.terminationStatus == 0)
    let record = try String(contentsOf: folder.file("videos/\(id)/job.json"), encoding: .utf8)
    // The next server reads it.
    #expect(record.contains("\"queued\"") && !record.contains("attempts"))
    #expect(FileManager.default.fileExists(atPath: folder.file("videos/\(id)/upload").path))
  }

  @Test func theLogHoldsWhatBecameOfVideosAndLinesOfJSONAlone() async throws {
    let folder = try TemporaryFolder()
    let server = try await Server(["--state-dir", folder.url.path])
    let answer = try await server.request("POST", "/v1/video", Data("this is no video".utf8))
    let id = try #require(Server.value("id", in: answer))
    let line = try #require(try await server.line("\"message\":\"video\"", id))
    #expect(line.contains("\"state\":\"failed\"") && line.contains("not a video"))
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
    _ = try await server.request("GET", "/v1/detect")
    #expect(try await server.line("\"route\":\"unknown\"", "\"status\":405") != nil)
    // Numbers are numbers, for those who sum them.
    let fields = try #require(try JSONSerialization.jsonObject(with: Data(logged.utf8)) as? [String: Any])
    #expect(fields["status"] as? Int == 200 && fields["milliseconds"] as? Double ?? 0 > 0 && logged.contains(":200,"))
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
    process.executableURL = URL(fileURLWithPath: ServerProcess.program)
    process.arguments = ["serve", "--port", "\(server.port)", "--state-dir", two.url.path]
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
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
      "-qfec", "\(ServerProcess.program) serve --port 0 --state-dir \(folder.file("state").path)",
      folder.file("typescript").path,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.terminate() }
    var text = ""
    _ = try await eventually {
      text = (try? String(contentsOf: folder.file("typescript"), encoding: .utf8)) ?? ""
      return text.contains("open http://127.0.0.1:") || !process.isRunning
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
      (["--profile", "no-such"], 1, "`mien adapt --profile no-such` makes one"),
      (["--profile", "../x"], 64, "profile"), (["--min-face", "5"], 64, "--min-face"),
      (["--detector", "magic"], 64, "--detector"), (["--metrics-port", "x"], 64, "--metrics-port"),
      (["--token-file", folder.file("token").path], 1, "token 1"),
      (["--token-file", folder.file("none").path], 1, "no such file"),
      (["--tls-cert", "/nowhere/a.pem", "--tls-key", "/nowhere/b.pem"], 1, "/nowhere/a.pem"),
    ] {
      let process = Process()
      let errors = Pipe()
      process.executableURL = URL(fileURLWithPath: ServerProcess.program)
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
