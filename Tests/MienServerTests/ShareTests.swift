import Foundation
import Hummingbird
import HummingbirdTesting
import MienServer
import MienTestSupport
import Testing

/// What one client may take of a server, so that the others are served.
@Suite struct ShareTests {
  private static let tokens = ["the-first-token-0001", "the-other-token-0001"]

  private func withServer(
    _ change: (inout ServerLimits) -> Void, _ body: @Sendable (_ port: Int) async throws -> Void
  ) async throws {
    let server = try TestServer.make {
      $0.tokens = try AccessTokens(Self.tokens)
      change(&$0.limits)
    }
    try await server.application().test(.live) { try await body(#require($0.port)) }
  }

  /// A request of the client with that token.
  private func head(_ request: String, by token: Int, _ fields: String...) -> String {
    let all = ["Host: localhost", "Authorization: Bearer \(Self.tokens[token])"] + fields
    return "\(request) HTTP/1.1\r\n\(all.map { $0 + "\r\n" }.joined())\r\n"
  }

  private func models(by token: Int, _ port: Int, method: String = "GET") async throws -> String {
    try await RawClient.exchange(port: port, head("\(method) /v1/models", by: token, "Connection: close"))
  }

  private func send(
    _ picture: ByteBuffer, to path: String, by token: Int, _ port: Int, isLast: Bool = false
  ) async throws -> RawClient {
    let client = try RawClient(port: port)
    let fields = ["Content-Length: \(picture.readableBytes)", "Connection: \(isLast ? "close" : "keep-alive")"]
    try await client.send(
      Data(head("POST \(path)", by: token, fields[0], fields[1]).utf8) + Data(picture.readableBytesView))
    return client
  }

  private func metric(_ name: String, _ port: Int) async throws -> Int {
    let text = try await RawClient.exchange(port: port, head("GET /metrics", by: 1, "Connection: close"))
    return TestServer.metric(name, in: text)
  }

  @Test func bodiesThatDoNotComeKeepNobodyElseOut() async throws {
    try await withServer {
      ($0.connections, $0.bodySeconds) = (8, 3600)
    } _: { port in
      let request = head("POST /v1/detect", by: 0, "Content-Length: 2", "Expect: 100-continue")
      let open = try (0..<4).map { _ in try RawClient(port: port) }
      for client in open {
        try await client.send(Data(request.utf8))
        #expect(try await client.receive(upTo: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
      }
      for _ in 0..<6 {
        let refused = try await models(by: 0, port)
        #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains("Too many of your requests"), "\(refused)")
        #expect(try await models(by: 1, port).hasPrefix("HTTP/1.1 200 "))
      }
      for client in open {
        try await client.send(Data(count: 2))
        #expect(try await client.receive(upTo: "}}").hasPrefix("HTTP/1.1 415 "))
      }
      // What has ended counts no longer, with a body or without.
      for method in ["HEAD", "GET", "HEAD", "GET", "HEAD", "GET"] {
        #expect(try await models(by: 0, port, method: method).hasPrefix("HTTP/1.1 200 "))
      }
    }
  }

  @Test func answersThatDoNotEndKeepNobodyElseOut() async throws {
    try await withServer {
      $0.connections = 8
    } _: { port in
      let made = try await RawClient.exchange(
        port: port, head("POST /v1/sessions", by: 0, "Content-Length: 0", "Connection: close"))
      let id = try #require(made.firstMatch(of: /"id":"([0-9a-f]+)"/)?.output.1, "\(made)")
      let listeners = try (0..<4).map { _ in try RawClient(port: port) }
      for listener in listeners {
        try await listener.send(Data(head("GET /v1/sessions/\(id)/events", by: 0).utf8))
        // The head, or with it the first sign of life.
        #expect(try await listener.receive(upTo: "\n\r\n").hasPrefix("HTTP/1.1 200 "))
      }
      #expect(try await models(by: 0, port).hasPrefix("HTTP/1.1 429 "))
      #expect(try await models(by: 1, port).hasPrefix("HTTP/1.1 200 "))
      listeners[0].hangUp()
      #expect(try await eventually { try await models(by: 0, port).hasPrefix("HTTP/1.1 200 ") })
    }
  }

  @Test func aClientsOnlyPictureDoesNotWaitForAllOfAnothers() async throws {
    // As many as are worked on at a time.
    let places = 2 * ProcessInfo.processInfo.activeProcessorCount
    let picture = try TestServer.noise(side: 2000)
    try await withServer {
      ($0.waitingSeconds, $0.bufferedBytes) = (120, 1 << 30)
    } _: { port in
      var many: [RawClient] = []
      for _ in 0..<places {
        many.append(try await send(picture, to: "/v1/detect?minFace=12", by: 0, port))
      }
      #expect(try await eventually { try await metric("mien_pictures_active", port) == places - 1 })
      let other = try await send(TestServer.face(3), to: "/v1/detect?detector=none", by: 1, port, isLast: true)
      #expect(try await other.receive().hasPrefix("HTTP/1.1 200 "))
      #expect(try await metric("mien_pictures_active", port) > 0)
      for client in many { #expect(try await client.receive(upTo: "}").hasPrefix("HTTP/1.1 200 ")) }
    }
  }

  @Test func aClientsOnlyPictureIsNotRefusedForAnothersMany() async throws {
    let picture = try TestServer.noise(side: 2000)
    let small = try TestServer.face(3)
    try await withServer {
      ($0.waiting, $0.waitingSeconds) = (1, 0.05)
    } _: { port in
      var many: [RawClient] = []
      for _ in 0..<16 { many.append(try await send(picture, to: "/v1/detect?minFace=12", by: 0, port)) }
      for _ in 0..<3 {
        let other = try await send(small, to: "/v1/detect?detector=none", by: 1, port, isLast: true)
        #expect(try await other.receive().hasPrefix("HTTP/1.1 200 "))
      }
      // The many were more than there is room for.
      var refused = 0
      for client in many where try await client.receive(upTo: "}").hasPrefix("HTTP/1.1 429 ") { refused += 1 }
      #expect(refused > 0)
    }
  }
}
