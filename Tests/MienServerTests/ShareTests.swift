import Foundation
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import Testing

/// What one client may take of a server, so that the others are served.
@Suite struct ShareTests {
  private static let tokens = [
    "the-first-token-0001", "the-other-token-0001", "the-third-token-0001", "the-fourth-token-001",
  ]

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

  /// Whoever has some may have no more than stays free then.
  @Test func clientsThatHaveAllTheyMayLeaveSomeToOthers() async throws {
    try await withServer {
      ($0.sessions, $0.connections, $0.bodySeconds) = (8, 8, 3600)
    } _: { port in
      func open(by token: Int) async throws -> String {
        let answer = try await RawClient.exchange(
          port: port, head("POST /v1/sessions", by: token, "Content-Length: 2", "Connection: close") + "{}")
        return String(answer.prefix(12))
      }
      for (token, most) in [4, 2, 1].enumerated() {
        for _ in 0..<most { #expect(try await open(by: token) == "HTTP/1.1 201") }
        #expect(try await open(by: token) == "HTTP/1.1 429")
      }
      #expect(try await open(by: 3) == "HTTP/1.1 201")

      let request = "Content-Length: 2"
      var connections: [RawClient] = []
      for (token, most) in [4, 2].enumerated() {
        for _ in 0..<most {
          let client = try RawClient(port: port)
          connections.append(client)
          try await client.send(Data(head("POST /v1/detect", by: token, request, "Expect: 100-continue").utf8))
          #expect(try await client.receive(upTo: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
        }
        #expect(try await models(by: token, port).hasPrefix("HTTP/1.1 429 "))
      }
      #expect(try await models(by: 2, port).hasPrefix("HTTP/1.1 200 "))
      withExtendedLifetime(connections) {}
    }
  }

  /// Frames a second apart, each of which is searched for itself: that takes a while.
  private static func longVideo(frames: Int) -> ByteBuffer {
    var random = SeededRandom(seed: 3)
    let frame =
      Data("FRAME\n".utf8) + Data((0..<(320 * 240 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) })
    return ByteBuffer(
      bytes: (0..<frames).reduce(into: Data("YUV4MPEG2 W320 H240 F1:1 Ip A1:1 C444\n".utf8)) { clip, _ in clip += frame
      })
  }

  /// Sends a video.
  ///
  /// - Returns: its address.
  private func sendVideo(_ video: ByteBuffer, query: String = "", by token: Int, _ port: Int) async throws -> String {
    let answer = try await send(video, to: "/v1/video\(query)", by: token, port, isLast: true).receive()
    return "/v1/video/\(try #require(ServerProcess.value("id", in: answer), "\(answer)"))"
  }

  private func video(_ address: String, by token: Int, _ port: Int) async throws -> (state: String, frames: Int) {
    let answer = try await RawClient.exchange(port: port, head("GET \(address)", by: token, "Connection: close"))
    let frames = answer.firstMatch(of: /"frames":(\d+)/).flatMap { Int($0.output.1) }
    return (ServerProcess.value("state", in: answer) ?? "gone", frames ?? 0)
  }

  @Test func aShortVideoDoesNotWaitForTheEndOfAnothersLongOne() async throws {
    let (long, short) = (Self.longVideo(frames: 150), Self.longVideo(frames: 2))
    try await withServer {
      $0.videoTurnSeconds = 0.1
    } _: { port in
      let first = try await sendVideo(long, by: 0, port)
      try #require(await eventually { try await video(first, by: 0, port).frames > 0 })
      let other = try await sendVideo(short, by: 1, port)
      #expect(try await eventually { try await video(other, by: 1, port).state == "done" })
      let meanwhile = try await video(first, by: 0, port)
      #expect(meanwhile.state == "running" && meanwhile.frames < 150)
      // It goes on where it was: each frame is there once.
      #expect(try await eventually { try await video(first, by: 0, port).state == "done" })
      let rows = try await RawClient.exchange(port: port, head("GET \(first)/result", by: 0, "Connection: close"))
      let frames = rows.matches(of: /"frame":(\d+)/).compactMap { Int($0.output.1) }
      #expect(frames == frames.sorted() && Set(frames) == Set(0..<150))
    }
  }

  /// One client's results, which are kept for an hour, leave room for those of others.
  @Test func resultsThatAreKeptKeepNobodyElseOut() async throws {
    let short = Self.longVideo(frames: 1)
    try await withServer {
      $0.videos = 1
    } _: { port in
      for _ in 0..<8 {
        let address = try await sendVideo(short, by: 0, port)
        try #require(await eventually { try await video(address, by: 0, port).state == "done" })
      }
      let refused = try await send(short, to: "/v1/video", by: 0, port, isLast: true).receive()
      #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains("Too many results are kept"), "\(refused)")
      // Not sooner than there can be room.
      let wait = try #require(refused.firstMatch(of: /Retry-After: (\d+)/.ignoresCase())?.output.1)
      #expect(try #require(Int(wait)) > 3000)
      let other = try await sendVideo(short, by: 1, port)
      #expect(try await eventually { try await video(other, by: 1, port).state == "done" })
    }
  }

  @Test func videosOfAllClientsAreReadInTurns() async throws {
    let long = Self.longVideo(frames: 200)
    try await withServer {
      $0.videoTurnSeconds = 0.1
    } _: { port in
      var addresses: [String] = []
      for token in Self.tokens.indices { addresses.append(try await sendVideo(long, by: token, port)) }
      for (token, address) in addresses.enumerated() {
        let hasBegun = try await eventually { try await video(address, by: token, port).frames > 0 }
        let answer = try await RawClient.exchange(port: port, head("GET \(address)", by: token, "Connection: close"))
        try #require(hasBegun, "\(answer)")
      }
      // None had to wait for the end of another one.
      for (token, address) in addresses.enumerated() {
        #expect(try await video(address, by: token, port).state == "running")
      }
    }
  }

  /// Two of the memory that there is for open videos.
  @Test func videosThatHaveNoMemoryLeftWaitForTheEndOfAnother() async throws {
    let long = Self.longVideo(frames: 200)
    try await withServer {
      ($0.videoTurnSeconds, $0.openVideoBytes) = (0.05, 200_000_000)
    } _: { port in
      var addresses: [String] = []
      for token in 0..<3 { addresses.append(try await sendVideo(long, by: token, port)) }
      // Each has had several turns, in which the third could have begun.
      for _ in 0..<3 {
        for token in 0..<2 {
          let frames = try await video(addresses[token], by: token, port).frames
          try #require(await eventually { try await video(addresses[token], by: token, port).frames > frames })
        }
      }
      #expect(try await video(addresses[2], by: 2, port).state == "queued")
      _ = try await RawClient.exchange(port: port, head("DELETE \(addresses[0])", by: 0, "Connection: close"))
      #expect(try await eventually { try await video(addresses[2], by: 2, port).frames > 0 })
      #expect(try await video(addresses[1], by: 1, port).state == "running")
    }
  }

  @Test func videosThatWaitForTheirNextTurnCanBeDeleted() async throws {
    let long = Self.longVideo(frames: 200)
    try await withServer {
      $0.videoTurnSeconds = 0.1
    } _: { port in
      let addresses = [try await sendVideo(long, by: 0, port), try await sendVideo(long, by: 1, port)]
      for (token, address) in addresses.enumerated() {
        #expect(try await eventually { try await video(address, by: token, port).frames > 0 })
        #expect(try await video(address, by: token, port).state == "running")
      }
      for (token, address) in addresses.enumerated() {
        #expect(try await video(address, by: token, port).frames < 200)
        let deleted = try await RawClient.exchange(
          port: port, head("DELETE \(address)", by: token, "Connection: close"))
        #expect(deleted.hasPrefix("HTTP/1.1 204 "))
        #expect(try await video(address, by: token, port).state == "gone")
      }
      let next = try await sendVideo(Self.longVideo(frames: 1), by: 0, port)
      #expect(try await eventually { try await video(next, by: 0, port).state == "done" })
    }
  }

  @Test func aWithdrawnTokensSessionsAndVideosEnd() async throws {
    let folder = try TemporaryFolder()
    let tokens = try AccessTokens(Self.tokens)
    let server = try TestServer.make { $0.tokens = tokens }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      func session(by token: Int) async throws -> String {
        let request = head("POST /v1/sessions", by: token, "Content-Length: 2", "Connection: close") + "{}"
        let answer = try await RawClient.exchange(port: port, request)
        return "/v1/sessions/\(try #require(ServerProcess.value("id", in: answer), "\(answer)"))"
      }
      let (first, other) = (try await session(by: 0), try await session(by: 1))
      let listener = try RawClient(port: port)
      try await listener.send(Data(head("GET \(first)/events", by: 0, "Connection: close").utf8))
      _ = try await listener.receive(upTo: ": still here\n\n\r\n")
      let long = try await sendVideo(Self.longVideo(frames: 400), by: 0, port)
      try #require(await eventually { try await video(long, by: 0, port).frames > 0 })

      try Data(Self.tokens[1].utf8).write(to: folder.file("tokens"))
      try tokens.reload(from: folder.file("tokens"))
      await server.tidy()
      #expect(try await listener.receive().contains("event: end\n"))
      #expect(try await metric("mien_videos_total{outcome=\"deleted\"}", port) == 1)
      let short = try await sendVideo(Self.longVideo(frames: 2), by: 1, port)
      #expect(try await eventually { try await video(short, by: 1, port).state == "done" })
      let closed = try await RawClient.exchange(port: port, head("DELETE \(other)", by: 1, "Connection: close"))
      #expect(closed.hasPrefix("HTTP/1.1 204 "))
    }
  }

  /// Both videos, the one that is read and the one that waits for its next turn; neither has ended a server.
  @Test func videosThatAreOpenAreLeftToTheNextServer() async throws {
    let folder = try TemporaryFolder()
    let tokens = folder.file("tokens")
    try Data(Self.tokens.joined(separator: "\n").utf8).write(to: tokens)
    let server = try await ServerProcess([
      "--state-dir", folder.file("state").path, "--token-file", tokens.path, "--shutdown-timeout", "0.5",
    ])
    let frame = Data("FRAME\n".utf8) + Data(repeating: 128, count: 1280 * 720 * 3 / 2)
    let clip = (0..<40).reduce(into: Data("YUV4MPEG2 W1280 H720 F1:1 Ip A1:1 C420jpeg\n".utf8)) { clip, _ in
      clip += frame
    }
    var addresses: [String] = []
    for token in 0..<2 {
      addresses.append(
        try await sendVideo(ByteBuffer(bytes: clip), query: "?minFace=12", by: token, server.port))
    }
    for (token, address) in addresses.enumerated() {
      #expect(try await eventually { try await video(address, by: token, server.port).state == "running" })
    }
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    for address in addresses {
      let id = try #require(address.split(separator: "/").last)
      let record = try String(contentsOf: folder.file("state/videos/\(id)/job.json"), encoding: .utf8)
      #expect(record.contains("\"state\":\"queued\"") && !record.contains("attempts"), "\(record)")
      #expect(FileManager.default.fileExists(atPath: folder.file("state/videos/\(id)/upload").path))
    }
  }

  /// Searches that take long, more of them than there are cores.
  @Test func aClientsPictureDoesNotWaitForAnothersSearches() async throws {
    // As many as are worked on at a time.
    let share = 2 * ProcessInfo.processInfo.activeProcessorCount
    let picture = try TestServer.noise(side: 2000)
    try await withServer {
      ($0.waitingSeconds, $0.bufferedBytes) = (120, 1 << 30)
    } _: { port in
      let many = try await withThrowingTaskGroup(of: RawClient.self) { group in
        for _ in 0..<share {
          group.addTask { try await send(picture, to: "/v1/detect?minFace=12", by: 0, port) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try #require(await eventually { try await metric("mien_pictures_active", port) == share })
      let before = try await metric("mien_pictures_total", port)
      let other = try await send(TestServer.face(3), to: "/v1/detect?detector=none", by: 1, port, isLast: true)
      #expect(try await other.receive().hasPrefix("HTTP/1.1 200 "))
      // None of the others was done meanwhile.
      #expect(try await metric("mien_pictures_total", port) == before + 1)
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
