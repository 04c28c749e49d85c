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
    try await TestServer.make(folder: folder, change).application().test(.live) { client in
      let port = try #require(client.port)
      try await body(client, port)
      let picture = try TestServer.face(3)
      let after = try RawClient(port: port)
      let fields = ["Content-Type: image/png", "Content-Length: \(picture.readableBytes)"]
      try await after.send(head("/v1/detect?detector=none", fields) + Data(picture.readableBytesView))
      after.finishSending()
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
      for _ in 0..<3000 where try !FileManager.default.contentsOfDirectory(atPath: videos).isEmpty {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: videos).isEmpty)
    }
  }

  @Test func slowBodiesAreCutOff() async throws {
    try await withServer {
      $0.limits.bodySeconds = 1
      $0.limits.idleSeconds = 4
    } _: { _, port in
      // One that trickles gets an answer.
      let trickling = try RawClient(port: port)
      try await trickling.send(head("/v1/detect", "Content-Type: image/jpeg", "Content-Length: 100"))
      for _ in 0..<80 {
        try await trickling.send(Data([0xFF]))
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try await trickling.receive().hasPrefix("HTTP/1.1 408 "))
      // One that stops, in its body or its head, is closed.
      let stopped = try RawClient(port: port)
      try await stopped.send(head("/v1/detect", "Content-Type: image/jpeg", "Content-Length: 100"))
      let headless = try RawClient(port: port)
      try await headless.send(Data("POST /v1/det".utf8))
      #expect(try await stopped.receive().isEmpty)
      #expect(try await headless.receive().isEmpty)
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
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(request.prefix(40))")
      }
    }
  }

  @Test func moreThanThereIsRoomForIsToldToComeAgain() async throws {
    let picture = try TestServer.noise(side: 1200)
    try await withServer {
      $0.limits.waiting = 1
      $0.limits.waitingSeconds = 0.2
    } _: { client, port in
      let request = head("/v1/detect", "Content-Type: image/png", "Content-Length: \(picture.readableBytes)")
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<16 {
          group.addTask {
            let raw = try RawClient(port: port)
            try await raw.send(request + Data(picture.readableBytesView))
            raw.finishSending()
            return try await raw.receive()
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let refused = answers.filter { $0.hasPrefix("HTTP/1.1 429 ") }
      #expect(!refused.isEmpty && refused.allSatisfy { $0.lowercased().contains("retry-after: 1") })
      #expect(answers.contains { $0.hasPrefix("HTTP/1.1 200 ") })
      #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") || $0.hasPrefix("HTTP/1.1 429 ") })
    }
  }

  @Test func curlIsToldToGoOnWithLargeBodies() async throws {
    let picture = try TestServer.face(2)
    try await withServer { _, port in
      let raw = try RawClient(port: port)
      try await raw.send(
        head(
          "/v1/detect?detector=none", "Content-Type: image/png", "Content-Length: \(picture.readableBytes)",
          "Expect: 100-continue", "Connection: close"))
      try await raw.send(Data(picture.readableBytesView))
      raw.finishSending()
      let answer = try await raw.receive()
      #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "))
    }
  }
}
