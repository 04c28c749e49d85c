import Foundation
import Hummingbird
import HummingbirdTesting
import MienServer
import MienTestSupport
import Testing

/// Who is served when there are more connections than places, and how long the head of a request may take.
@Suite struct ConnectionTests {
  /// More connections than a server with 4 places keeps open.
  private static let many = 100

  private func withServer(
    _ change: (inout ServerLimits) -> Void = { _ in }, _ body: @Sendable (_ port: Int) async throws -> Void
  ) async throws {
    let server = try TestServer.make {
      $0.limits.connections = 4
      // No timeout ends what the tests hold open.
      ($0.limits.headSeconds, $0.limits.idleSeconds, $0.limits.bodySeconds) = (3600, 3600, 3600)
      change(&$0.limits)
    }
    try await server.application().test(.live) { try await body(#require($0.port)) }
  }

  private func get(_ path: String, isLast: Bool = true) -> String {
    "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(isLast ? "Connection: close\r\n" : "")\r\n"
  }

  /// Clients that take all places: each is told to send its body, and does not.
  private func takeAllPlaces(_ port: Int) async throws -> [RawClient] {
    let clients = try (0..<4).map { _ in try RawClient(port: port) }
    let head = "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    for client in clients {
      try await client.send(Data(head.utf8))
      #expect(try await client.receive(upTo: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
    }
    return clients
  }

  /// Connections that send half a head each.
  private func halfHeads(_ port: Int) async throws -> [RawClient] {
    var clients: [RawClient] = []
    for _ in 0..<Self.many {
      let client = try RawClient(port: port)
      try await client.send(Data("GET / HTTP/1.1\r\nHost: localhost\r\n".utf8))
      clients.append(client)
    }
    return clients
  }

  /// Whether a client was told that there is no room, and its connection closed.
  private func isTurnedAway(_ client: RawClient) async throws -> Bool {
    let answer = try await client.receive()
    return answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nConnection: close\r\n")
  }

  private func evicted(_ port: Int) async throws -> Int {
    TestServer.metric(
      "mien_connections_evicted_total", in: try await RawClient.exchange(port: port, get("/metrics")))
  }

  @Test func halfHeadsLockNobodyOut() async throws {
    try await withServer { port in
      let half = try await halfHeads(port)
      let dripping = Task {
        while !Task.isCancelled {
          for client in half { try await client.send(Data("X: y\r\n".utf8)) }
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      for _ in 0..<10 {
        #expect(try await RawClient.exchange(port: port, get("/v1/models")).hasPrefix("HTTP/1.1 200 "))
        #expect(try await RawClient.exchange(port: port, get("/readyz")).hasPrefix("HTTP/1.1 200 "))
      }
      dripping.cancel()
      _ = await dripping.result
      // The first are told that there is no room; the last may go on.
      #expect(try await isTurnedAway(half[0]))
      try await half[Self.many - 1].send(Data("Connection: close\r\n\r\n".utf8))
      #expect(try await half[Self.many - 1].receive().hasPrefix("HTTP/1.1 "))
      #expect(try await evicted(port) > 0)
    }
  }

  @Test func probesAreAnsweredThoughAllPlacesAreTaken() async throws {
    try await withServer { port in
      let busy = try await takeAllPlaces(port)
      #expect(try await RawClient.exchange(port: port, get("/healthz")).contains("alive"))
      let ready = try await RawClient.exchange(port: port, get("/readyz"))
      #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("\"busy\""))
      let refused = try await RawClient.exchange(port: port, get("/v1/models"))
      #expect(refused.contains("Retry-After: 1") && refused.contains("\"code\":\"busy\""))
      for client in busy { client.finishSending() }
      for client in busy { _ = try await client.receive() }
      #expect(try await RawClient.exchange(port: port, get("/v1/models")).hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func whoIsToldToSendABodyKeepsTheConnection() async throws {
    try await withServer { port in
      let busy = try await takeAllPlaces(port)
      let half = try await halfHeads(port)
      #expect(try await isTurnedAway(half[0]))
      #expect(try await RawClient.exchange(port: port, get("/v1/models")).hasPrefix("HTTP/1.1 503 "))
      #expect(try await RawClient.exchange(port: port, get("/healthz")).contains("alive"))
      for client in busy {
        try await client.send(Data(count: 100))
        #expect(try await client.receive(upTo: "}}").hasPrefix("HTTP/1.1 415 "))
      }
    }
  }

  @Test func ofIdleConnectionsThoseThatWaitLongestAreClosed() async throws {
    try await withServer { port in
      let request = Data(get("/healthz", isLast: false).utf8)
      var idle: [RawClient] = []
      for _ in 0..<Self.many {
        let client = try RawClient(port: port)
        idle.append(client)
        // The second is used again and again.
        for client in [client] + idle.dropFirst().prefix(1) {
          try await client.send(request)
          #expect(try await client.receive(upTo: "}").hasPrefix("HTTP/1.1 200 "))
        }
      }
      // A client may send the next request before it notices.
      try await idle[0].send(request)
      #expect(try await isTurnedAway(idle[0]))
      for client in [idle[1], idle[Self.many - 1]] {
        try await client.send(request)
        #expect(try await client.receive(upTo: "}").hasPrefix("HTTP/1.1 200 "))
      }
    }
  }

  @Test func theAddressWithMostConnectionsGivesThemUp() async throws {
    try await withServer { port in
      let other = try RawClient(port: port, from: 2)
      let half = try await halfHeads(port)
      #expect(try await isTurnedAway(half[0]))
      try await other.send(Data(get("/v1/models").utf8))
      #expect(try await other.receive().hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func fewRequestsMayComeBeforeTheirAnswers() async throws {
    try await withServer { port in
      let raw = try RawClient(port: port)
      // Less than is read at a time.
      try await raw.send(Data(String(repeating: get("/healthz", isLast: false), count: 40).utf8))
      let answers = try await raw.receive()
      #expect(answers.components(separatedBy: "HTTP/1.1 200 ").count == 17, "\(answers)")
      let last = try #require(answers.components(separatedBy: "HTTP/1.1 429 ").last)
      #expect(last.contains("may send 16 requests") && last.contains("\r\nConnection: close\r\n"), "\(last)")
    }
  }

  /// The first head of a connection, and one that follows.
  @Test(arguments: ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n"])
  func aHeadThatTakesTooLongIsRefused(before: String) async throws {
    try await withServer {
      $0.headSeconds = 1
    } _: { port in
      let raw = try RawClient(port: port)
      try await raw.send(Data(before.utf8))
      if before.hasPrefix("GET") { #expect(try await raw.receive(upTo: "}").hasPrefix("HTTP/1.1 200 ")) }
      try await raw.send(Data("GET /healthz HTTP/1.1\r\n".utf8))
      let dripping = Task {
        while try await raw.send(Data("X: y\r\n".utf8)) { try await Task.sleep(for: .milliseconds(50)) }
      }
      let answer = try await raw.receive(upTo: "}}")
      #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("head took too long"), "\(answer)")
      #expect(answer.contains("\r\nConnection: close\r\n"))
      dripping.cancel()
      _ = await dripping.result
    }
  }

  /// Empty lines between requests are none (RFC 9112, section 2.2), and an idle connection is no head.
  @Test func aConnectionWithoutAHeadIsNotRefused() async throws {
    try await withServer {
      $0.headSeconds = 0.2
    } _: { port in
      let raw = try RawClient(port: port)
      for _ in 0..<2 {
        try await raw.send(Data((get("/healthz", isLast: false) + "\r\n").utf8))
        #expect(try await raw.receive(upTo: "}").hasPrefix("HTTP/1.1 200 "))
        try await Task.sleep(for: .seconds(1))
      }
    }
  }

  @Test func whatEndsEarlyIsNamed() async throws {
    try await withServer { port in
      for (request, part) in [
        ("GET /healthz HTTP/1.1\r\nHost: loc", "head"),
        ("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf", "body"),
      ] {
        let raw = try RawClient(port: port)
        try await raw.send(Data(request.utf8))
        raw.finishSending()
        let answer = try await raw.receive()
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("\(part) ended early"), "\(answer)")
      }
    }
  }
}
