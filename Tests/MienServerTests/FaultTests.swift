import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienServer
import MienTestSupport
import Testing

/// What clients do that are slow, broken or hostile. After each, the server answers others as before.
@Suite struct FaultTests {
  private func withServer(
    folder: URL? = nil, _ change: (inout ServerOptions) throws -> Void = { _ in },
    _ body: @Sendable (_ client: any TestClientProtocol, _ port: Int) async throws -> Void
  ) async throws {
    let server = try TestServer.make(folder: folder, change)
    let token = server.options.tokens == nil ? [] : [Self.authorization]
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      try await body(client, port)
      let picture = try TestServer.face(3)
      let after = try RawClient(port: port)
      let fields = ["Content-Type: image/png", "Content-Length: \(picture.readableBytes)", "Connection: close"] + token
      try await after.send(head("/v1/detect?detector=none", fields) + Data(picture.readableBytesView))
      #expect(try await after.receive().hasPrefix("HTTP/1.1 200 "))
    }
  }

  private func head(_ path: String, _ fields: String...) -> Data { head(path, fields) }

  private func head(_ path: String, _ fields: [String]) -> Data {
    Data("POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n".utf8)
  }

  @Test func clientsThatGoAwayInTheMiddleLeaveNothingBehind() async throws {
    let folder = try TemporaryFolder()
    try await withServer(folder: folder.url) { client, port in
      for path in ["/v1/detect", "/v1/video"] {
        let type = path == "/v1/video" ? "video/mp4" : "image/jpeg"
        let raw = try RawClient(port: port)
        try await raw.send(head(path, "Content-Type: \(type)", "Content-Length: 1000000") + Data(count: 5000))
      }
      // Half of a chunk.
      let chunked = try RawClient(port: port)
      try await chunked.send(
        head("/v1/video", "Content-Type: video/mp4", "Transfer-Encoding: chunked") + Data("1000\r\nhalf".utf8))
      chunked.finishSending()
      _ = try await chunked.receive()
      let videos = folder.file("videos").path
      #expect(try await eventually { try FileManager.default.contentsOfDirectory(atPath: videos).isEmpty })
    }
  }

  @Test func slowBodiesAreCutOff() async throws {
    try await withServer {
      $0.limits.bodySeconds = 1
    } _: { _, port in
      // One that trickles gets an answer.
      let trickling = try RawClient(port: port)
      try await trickling.send(head("/v1/detect", "Content-Type: image/jpeg", "Content-Length: 100"))
      for _ in 0..<80 {
        try await trickling.send(Data([0xFF]))
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try await trickling.receive().hasPrefix("HTTP/1.1 408 "))
      // So is one that stops.
      let stopped = try RawClient(port: port)
      try await stopped.send(head("/v1/detect", "Content-Type: image/jpeg", "Content-Length: 100"))
      #expect(try await stopped.receive().hasPrefix("HTTP/1.1 408 "))
    }
  }

  /// Bodies that are held back must not take all the memory that there is for bodies.
  @Test func aClientsBodiesTakeHalfOfTheMemory() async throws {
    let tokens = [Self.token, "the-other-token-0001"]
    try await withServer {
      $0.tokens = try AccessTokens(tokens)
      $0.limits.bufferedBytes = 2_000_000
      $0.limits.bodyBytes = 1_000_000
      $0.limits.bodySeconds = 5
    } _: { _, port in
      func held(_ token: String) async throws -> RawClient {
        let raw = try RawClient(port: port)
        try await raw.send(
          head("/v1/detect", ["Authorization: Bearer \(token)", "Content-Length: 900000"]) + Data(count: 899_999))
        return raw
      }
      let first = try await held(tokens[0])
      // Received at the same time, each may be refused for what the other has taken by then.
      try await Task.sleep(for: .milliseconds(300))
      let own = [first, try await held(tokens[0])]
      let other = try await held(tokens[1])
      try await other.send(Data([0]))
      #expect(try await other.receive(upTo: "}").hasPrefix("HTTP/1.1 415 "))
      // One is refused at once, the other is waited for.
      let answers = [try await own[0].receive(), try await own[1].receive()]
      #expect(answers.count { $0.hasPrefix("HTTP/1.1 429 ") && $0.contains("your requests") } == 1, "\(answers)")
      #expect(answers.count { $0.hasPrefix("HTTP/1.1 408 ") } == 1, "\(answers)")
    }
  }

  @Test func bodiesThatAreRefusedAreNotReadToTheirEnd() async throws {
    try await withServer {
      $0.limits.bodyBytes = 1000
    } _: { _, port in
      for fields in ["Content-Length: 100000000000", "Transfer-Encoding: chunked"] {
        let raw = try RawClient(port: port)
        try await raw.send(head("/v1/detect", "Content-Type: image/jpeg", fields))
        let piece = Data("8000\r\n".utf8) + Data(count: 0x8000) + Data("\r\n".utf8)
        async let answer = raw.receive()
        // 32 GB, unless the server hangs up.
        var sent = 0
        while sent < 1_000_000, try await raw.send(piece) { sent += 1 }
        #expect(try await answer.hasPrefix("HTTP/1.1 413 "))
        #expect(sent < 1_000_000)
      }
    }
  }

  @Test func hugeHeadersAndNonsenseAreRefused() async throws {
    try await withServer { _, port in
      let field = "X-Long: " + String(repeating: "x", count: 40_000)
      let many = (0..<500).map { "X-\($0): x" }.joined(separator: "\r\n")
      for request in [
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\(many)\r\n\r\n",
        "GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      ] {
        let answer = try await RawClient.exchange(port: port, request)
        #expect(answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 505 "), "\(request.prefix(40))")
      }
    }
  }

  @Test func moreThanThereIsRoomForIsToldToComeAgain() async throws {
    let picture = try TestServer.noise(side: 1200)
    try await withServer {
      $0.limits.waiting = 1
      $0.limits.waitingSeconds = 0.2
    } _: { client, port in
      let request = head("/v1/detect", "Content-Length: \(picture.readableBytes)", "Connection: close")
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<16 {
          group.addTask {
            let raw = try RawClient(port: port)
            try await raw.send(request + Data(picture.readableBytesView))
            return try await raw.receive()
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let refused = answers.filter { $0.hasPrefix("HTTP/1.1 429 ") }
      #expect(!refused.isEmpty && refused.allSatisfy { $0.lowercased().contains("retry-after: 1") })
      #expect(answers.contains { $0.hasPrefix("HTTP/1.1 200 ") })
      #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") || $0.hasPrefix("HTTP/1.1 429 ") })
      // Each is counted by what there was no room for.
      let metrics = try await RawClient.exchange(port: port, get("/metrics"))
      let counted = ["queue", "wait"].map { reason in
        metrics.split(separator: "\r\n").joined().split(separator: "\n")
          .first { $0.hasPrefix("mien_refused_total{reason=\"\(reason)\"}") }?.split(separator: " ").last
          .flatMap { Int($0) } ?? 0
      }
      #expect(counted.reduce(0, +) == refused.count)
    }
  }

  private func get(_ path: String, version: String = "1.1", _ fields: String...) -> String {
    let lines = ["GET \(path) HTTP/\(version)", "Host: localhost", "Connection: close"] + fields
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
  }

  @Test func aWaitThatIsOverAtOnceEndsEveryRequest() async throws {
    let picture = try TestServer.noise(side: 400)
    try await withServer {
      $0.limits.waitingSeconds = 1e-9
    } _: { _, port in
      let request = head("/v1/detect", "Content-Length: \(picture.readableBytes)", "Connection: close")
      for _ in 0..<3 {
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
          for _ in 0..<16 {
            group.addTask {
              let raw = try RawClient(port: port)
              try await raw.send(request + Data(picture.readableBytesView))
              return try await raw.receive()
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") || $0.hasPrefix("HTTP/1.1 429 ") })
      }
    }
  }

  @Test(arguments: [
    ("/v1/detect", [], "401"), ("/v1/nothing", [authorization], "404"), ("/v1/models", [authorization], "405"),
    ("/v1/sessions?x=1", [authorization], "400"), ("/v1/detect", [authorization, "Content-Encoding: gzip"], "415"),
  ])
  func aBodyThatDripsInBehindARefusalDoesNotKeepTheConnection(
    path: String, fields: [String], status: String
  ) async throws {
    try await withServer {
      $0.tokens = try AccessTokens([Self.token])
    } _: { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(head(path, fields + ["Content-Length: 1000"]))
      let answer = Task { try await raw.receive() }
      let start = ContinuousClock.now
      var isOpen = true
      while isOpen, ContinuousClock.now - start < .seconds(60) {
        isOpen = try await raw.send(Data([0x20]))
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(!isOpen)
      let text = try await answer.value
      #expect(text.hasPrefix("HTTP/1.1 \(status) "))
      #expect(text.lowercased().contains("connection: close") == (status == "401"))
    }
  }

  private static let token = "0123456789abcdef"
  private static let authorization = "Authorization: Bearer \(token)"

  @Test func aRefusalKeepsTheConnectionWhoseBodyHasCome() async throws {
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(head("/v1/nothing", "Content-Length: 3") + Data("abc".utf8) + Data(get("/healthz").utf8))
      let answers = try await raw.receive()
      #expect(answers.hasPrefix("HTTP/1.1 404 ") && answers.contains("HTTP/1.1 200 OK"))
    }
  }

  /// Nothing is read behind such a request, so the client has to know that the connection ends.
  @Test(arguments: [
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: foo/2\r\n\r\n",
    "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  ])
  func anOfferOfAnotherProtocolIsTheLastRequest(request: String) async throws {
    try await withServer { _, port in
      let start = ContinuousClock.now
      let answer = try await RawClient.exchange(port: port, request)
      #expect(answer.contains("\r\nConnection: close\r\n"), "\(answer)")
      // The idle timeout is a minute.
      #expect(ContinuousClock.now - start < .seconds(30))
    }
  }

  @Test func whoHasGoneIsNotWorkedFor() async throws {
    // A form whose pictures take a while, most of which wait.
    let picture = try TestServer.noise(side: 900)
    var form = Form()
    for index in 0..<16 { form = form.adding("\(index)", picture) }
    let body = form.buffer
    try await withServer { _, port in
      let gone: RawClient? = try RawClient(port: port)
      try await gone?.send(
        head("/v1/detect", "Content-Type: \(Form.contentType)", "Content-Length: \(body.readableBytes)")
          + Data(body.readableBytesView))
      func metric(_ name: String) async throws -> Int {
        let text = try await RawClient.exchange(port: port, get("/metrics"))
        return TestServer.metric(name, in: text)
      }
      try #require(await eventually { try await metric("mien_pictures_active") > 0 })
      gone?.hangUp()
      #expect(try await eventually { try await metric("mien_pictures_active") == 0 })
      #expect(try await metric("mien_pictures_total") < 16)
      let metrics = try await RawClient.exchange(port: port, get("/metrics"))
      #expect(metrics.contains("route=\"/v1/detect\",status=\"499\"} 1"))
    }
  }

  @Test func whoSendsNoMoreStillGetsTheAnswer() async throws {
    let picture = try TestServer.noise(side: 1500)
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(
        head("/v1/detect", "Content-Length: \(picture.readableBytes)") + Data(picture.readableBytesView))
      raw.finishSending()
      #expect(try await raw.receive().contains("HTTP/1.1 200 OK"))
    }
  }

  @Test(arguments: ["1.0", "1.1"])
  func theConnectionEndsWhereTheVersionSaysSo(version: String) async throws {
    try await withServer { _, port in
      let fields = version == "1.0" ? "Host: localhost" : "Host: localhost\r\nConnection: close"
      let start = ContinuousClock.now
      let answer = try await RawClient.exchange(port: port, "GET /healthz HTTP/\(version)\r\n\(fields)\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.lowercased().contains("connection: close"))
      #expect(ContinuousClock.now - start < .seconds(30))
    }
  }

  @Test(arguments: [
    ("GET /healthz HTTP/1.1\r\n\r\n", 400, "Host"),
    ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, "Host"),
    ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "8192"),
    ("GET /\(String(repeating: "a", count: 90_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "8192"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n", 431, "header"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431, "16,384 bytes"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "a: b\r\n", count: 100))\r\n", 431, "100 fields"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501, "encoding"),
    ("GET / HTTP/9.9\r\n\r\n", 505, "HTTP/1.1"), ("\0\0\r\n\r\n", 400, "HTTP/1.1"),
    ("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "HTTP/1.1"),
    ("BREW /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, "method"),
    ("get /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, "method"),
    ("PROPFIND /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405, "GET, HEAD"),
    ("GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, "CR LF"),
  ])
  func whatIsNoRequestIsToldSoAndCounted(request: String, status: Int, word: String) async throws {
    try await withServer { _, port in
      let answer = try await RawClient.exchange(port: port, request)
      #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && answer.contains("\r\nConnection: close\r\n"))
      let body = try #require(answer.range(of: "\r\n\r\n"))
      let error = try JSONDecoder().decode(ErrorBody.self, from: Data(answer[body.upperBound...].utf8)).error
      #expect(error.message.contains(word) && answer.contains("X-Request-Id: "))
      let metrics = try await RawClient.exchange(port: port, get("/metrics"))
      #expect(metrics.contains("status=\"\(status)\"} 1"))
    }
  }

  /// What is neither a body nor a name or value of a field: the decoder bounds none of it.
  @Test(arguments: [
    ("X:", " "), ("", "\r\n"), ("Transfer-Encoding: chunked\r\n\r\n1;", "a"),
    ("Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX:", " "),
    ("Transfer-Encoding: chunked\r\n\r\n", "1;\(String(repeating: "a", count: 500))\r\nx\r\n"),
  ])
  func whatIsAroundBodiesIsBounded(fields: String, filling: String) async throws {
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      let head = "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\n"
      let begun = filling == "\r\n" ? "" : head + fields
      try await raw.send(Data((begun + String(repeating: filling, count: 1_000_000 / filling.utf8.count)).utf8))
      #expect(try await raw.receive(upTo: "}}").hasPrefix("HTTP/1.1 431 "))
    }
  }

  @Test func smallChunksAreRead() async throws {
    let picture = try TestServer.noise(side: 300)
    try await withServer { _, port in
      let chunks = picture.readableBytesView.flatMap { [UInt8]("1;a=b\r\n".utf8) + [$0] + [UInt8]("\r\n".utf8) }
      let raw = try RawClient(port: port)
      try await raw.send(
        head("/v1/detect?detector=none", "Transfer-Encoding: chunked", "Connection: close") + Data(chunks)
          + Data("0\r\nX-Sum: 5\r\n\r\n".utf8))
      #expect(try await raw.receive().hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test(arguments: ["1;a", "1\r\nx\r\n0\r\nX: a"])
  func whatIsAroundBodiesCountsForTheirTime(start: String) async throws {
    try await withServer {
      $0.limits.bodySeconds = 1
      $0.limits.idleSeconds = 100
    } _: { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(head("/v1/detect", "Transfer-Encoding: chunked") + Data(start.utf8))
      let dripping = Task {
        while try await raw.send(Data("a".utf8)) { try await Task.sleep(for: .milliseconds(100)) }
      }
      #expect(try await raw.receive(upTo: "}}").hasPrefix("HTTP/1.1 408 "))
      dripping.cancel()
    }
  }

  @Test func requestsBehindOneAnotherAreAnsweredInOrder() async throws {
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
      try await raw.send(
        Data((one + "GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + one + "nonsense\r\n\r\n").utf8))
      let answers = try await raw.receive()
      let statuses = answers.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) }.filter { Int($0) != nil }
      #expect(statuses == ["200", "404", "200", "400"])
    }
  }

  @Test func clientsAreToldToGoOnWhenTheBodyIsRead() async throws {
    let picture = try TestServer.face(2)
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(
        head(
          "/v1/detect?detector=none", "Content-Type: image/png", "Content-Length: \(picture.readableBytes)",
          "Expect: 100-continue", "Connection: close"))
      // As curl does, it sends nothing until then.
      #expect(try await raw.receive(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await raw.send(Data(picture.readableBytesView))
      #expect(try await raw.receive().hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test(arguments: [
    ("/v1/detect", ["Content-Length: 100"], "401"), ("/v1/nothing", [authorization, "Content-Length: 100"], "404"),
    ("/v1/detect", [authorization, "Content-Length: 99999999999"], "413"),
    ("/v1/detect?x=1", [authorization, "Content-Length: 100"], "400"),
    ("/v1/video", [authorization, "Content-Length: 100", "Content-Encoding: br"], "415"),
  ])
  func whatWillBeRefusedIsNotAskedFor(path: String, fields: [String], status: String) async throws {
    try await withServer {
      $0.tokens = try AccessTokens([Self.token])
    } _: { _, port in
      let answer = try await RawClient.exchange(
        port: port, String(decoding: head(path, fields + ["Expect: 100-continue"]), as: UTF8.self))
      #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && answer.lowercased().contains("connection: close"))
    }
  }

  @Test func memoryThatWasFreedGoesBackToTheSystem() throws {
    let (piece, count) = (60_000, 4000)
    let pieces = (0..<count).map { _ in
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: piece, alignment: 16)
      bytes.initializeMemory(as: UInt8.self, repeating: 1, count: piece)
      return bytes
    }
    // Pieces that stay, between the others, keep glibc from giving those back by itself.
    for (index, bytes) in pieces.enumerated() where index % 100 != 99 { bytes.deallocate() }
    defer { for index in stride(from: 99, to: count, by: 100) { pieces[index].deallocate() } }
    let kept = ProcessMemory.resident
    ProcessMemory.returnFreed()
    #expect(ProcessMemory.resident < kept - 0.8 * Double(piece * count))
  }
}
