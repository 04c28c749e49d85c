import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienInference
import MienONNX
import MienServer
import MienTestSupport
import Testing

/// Fits that take long: they end with their requests, and clients take turns.
@Suite struct ProfileFitTests {
  private let folder: TemporaryFolder
  private let store: CorrectionStore
  private let model: ONNXModel

  init() throws {
    folder = try TemporaryFolder()
    store = try CorrectionStore(url: folder.file("corrections.sqlite"))
    model = try BuiltInModels.model()
  }

  private func server(tokens: [String]? = nil) throws -> MienServer {
    try TestServer.make(
      folder: folder.file("state"), models: [ServerModel(model)],
      profiles: ProfileStore(folder: folder.file("profiles")),
      corrections: store
    ) { $0.tokens = try tokens.map { try AccessTokens($0) } }
  }

  /// Corrections that have nothing in common: so many take seconds to fit.
  private func addNoise(_ count: Int = 5000, to profile: String, owner: String = "") async throws {
    var random = SeededRandom(seed: 9)
    let (width, card) = (try model.linearHead(for: .ferplus).width, try model.card())
    for _ in 0..<count {
      _ = try await store.add(
        Correction(
          profile: ProfileName(profile), owner: owner,
          emotion: #require(LabelSet.ferplus.emotions.randomElement(using: &random)), readEmotion: .neutral,
          readProbability: 0.5, labels: "ferplus", weightsSHA256: card.weightsSHA256,
          embedding: (0..<width).map { _ in random.uniform(in: -1...1) }))
    }
  }

  private func metric(_ name: String, _ client: any TestClientProtocol, _ header: HTTPFields = [:]) async throws -> Int
  {
    let text = String(buffer: try await client.execute(uri: "/metrics", method: .get, headers: header).body)
    return TestServer.metric(name, in: text)
  }

  private func fittedFiles() -> [String] {
    let found = try? FileManager.default.subpathsOfDirectory(atPath: folder.file("state/profiles").path)
    return (found ?? []).filter { $0.hasSuffix(".safetensors") }
  }

  @Test func aFitEndsWhenItsClientLeaves() async throws {
    try await addNoise(to: "long")
    try await server().application().test(.live) { client in
      let raw = try RawClient(port: #require(client.port))
      try await raw.send(
        Data("PUT /v1/profiles/long?force=true HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".utf8))
      try #require(await eventually { try await metric("mien_profiles_active", client) == 1 })
      // Others are listed meanwhile.
      #expect(try await client.execute(uri: "/v1/profiles", method: .get).status == .ok)
      raw.hangUp()
      #expect(try await eventually { try await metric("mien_profiles_active", client) == 0 })
      #expect(fittedFiles().isEmpty)
      let metrics = String(buffer: try await client.execute(uri: "/metrics", method: .get).body)
      #expect(metrics.contains("route=\"/v1/profiles/{profile}\",status=\"499\"} 1"))
    }
  }

  @Test func clientsTakeTurns() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    try await server(tokens: tokens).application().test(.router) { client in
      for header in headers {
        let response = try await client.execute(
          uri: "/v1/corrections?profile=one&emotion=disgust", method: .post, headers: header, body: TestServer.face(3))
        #expect(response.status == .created)
      }
      let owner = try #require(try await store.listing().corrections.first?.owner)
      try await addNoise(to: "long", owner: owner)
      func fit(_ name: String, _ header: HTTPFields) -> Task<TestResponse, any Error> {
        Task { try await client.execute(uri: "/v1/profiles/\(name)?force=true", method: .put, headers: header) }
      }
      let running = fit("long", headers[0])
      try #require(await eventually { try await metric("mien_profiles_active", client, headers[0]) == 1 })
      let next = fit("long", headers[0])
      try #require(await eventually { try await metric("mien_profiles_waiting", client, headers[0]) == 1 })
      let other = fit("one", headers[1])
      try #require(await eventually { try await metric("mien_profiles_waiting", client, headers[0]) == 2 })
      // It came last, and is the other client's.
      running.cancel()
      #expect(try await other.value.status == .ok)
      #expect(fittedFiles().count == 1)
      next.cancel()
      _ = await (running.result, next.result)
      #expect(fittedFiles().count == 1)
    }
  }

  @Test func moreCorrectionsThanAFitMayTakeAreRefused() async throws {
    try await addNoise(1, to: "many")
    let database = try DatabaseQueue(path: store.url.path)
    try await database.write { database in
      try database.execute(
        sql: """
          WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
          INSERT INTO correction SELECT NULL, profile, owner, createdMilliseconds, emotion, readEmotion, readProbability,
            labels, weightsSHA256, embedding, crop FROM correction, numbers
          """)
    }
    try database.close()
    try await server().application().test(.router) { client in
      let refused = try await client.execute(uri: "/v1/profiles/many", method: .put)
      #expect(refused.status == .conflict && refused.errorCode == "too_many_corrections")
      #expect(try await client.execute(uri: "/v1/corrections/1", method: .delete).status == .noContent)
      #expect(try await client.execute(uri: "/v1/profiles/many?force=true", method: .put).status == .ok)
    }
  }

  @Test func aFitEndsWithTheServer() async throws {
    try await addNoise(to: "long")
    let server = try await ServerProcess(
      [
        "--state-dir", folder.file("state").path, "--corrections", store.url.path, "--shutdown-timeout", "0.5",
      ], environment: ["MIEN_PROFILES": folder.file("profiles").path])
    let raw = try RawClient(port: server.port)
    try await raw.send(
      Data("PUT /v1/profiles/long?force=true HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".utf8))
    try #require(await eventually { try await server.request("GET", "/metrics").contains("mien_profiles_active 1.0") })
    server.process.terminate()
    server.process.waitUntilExit()
    #expect(server.process.terminationStatus == 0)
    #expect(try await !raw.receive().contains("HTTP/1.1 200 "))
    #expect(fittedFiles().isEmpty)
  }
}
