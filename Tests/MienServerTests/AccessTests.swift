import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import Testing

@Suite struct AccessTests {
  private static let token = "0123456789abcdef"

  @Test func tokensAreAskedForEverywhereButWhereItIsSaidThatTheyAreNot() async throws {
    let server = try TestServer.make { $0.tokens = try AccessTokens([Self.token, "another-token-of-16"]) }
    try await server.application().test(.router) { client in
      for uri in ["/v1/models", "/metrics", "/nothing"] {
        for wrong in [nil, "Bearer", "Bearer ", "Bearer \(Self.token)x", "Basic \(Self.token)", Self.token] {
          let response = try await client.execute(
            uri: uri, method: .get, headers: wrong.map { [.authorization: $0] } ?? [:])
          #expect(response.status == .unauthorized && response.errorCode == "unauthorized")
          #expect(response.headers[.wwwAuthenticate] != nil)
        }
      }
      for right in ["Bearer \(Self.token)", "bearer another-token-of-16"] {
        let response = try await client.execute(uri: "/v1/models", method: .get, headers: [.authorization: right])
        #expect(response.status == .ok)
      }
      for uri in ["/healthz", "/readyz"] {
        #expect(try await client.execute(uri: uri, method: .get).status == .ok)
      }
    }
  }

  @Test func tokenFilesAreCheckedWithoutRepeatingTokens() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("tokens")
    try Data("# ours\n\(Self.token)\n\n another-token-of-16 \r\n".utf8).write(to: file)
    let tokens = try AccessTokens(contentsOf: file)
    let clients = [Self.token, "another-token-of-16"].map { tokens.client(authorization: "Bearer \($0)") }
    #expect(!clients.contains(nil) && clients[0] != clients[1])
    for text in ["", "# nothing\n", "short", "with a space inside it", "umlaut-äöü-äöü-äöü"] {
      try Data(text.utf8).write(to: file)
      let error = #expect(throws: MienError.self) { try AccessTokens(contentsOf: file) }
      #expect(error?.subject == file.path && (text.count < 3 || error?.message.contains(text) == false))
    }
    #expect(throws: MienError.self) { try AccessTokens(contentsOf: folder.file("none")) }
  }

  @Test(arguments: ["0.0.0.0", "192.168.1.2", "::", "example.org", "127.0.0.1.example.org", "127.0.0"])
  func otherAddressesNeedATokenFile(host: String) throws {
    var options = ServerOptions()
    options.host = host
    let error = #expect(throws: MienError.self) { try options.validate() }
    #expect(error?.kind == .argument && error?.description.contains("--token-file") == true)
    options.tokens = try AccessTokens([Self.token])
    try options.validate()
  }

  @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
  func thisMachineNeedsNone(host: String) throws {
    var options = ServerOptions()
    options.host = host
    try options.validate()
  }

  @Test func pagesOfOtherSitesAreKeptOut() async throws {
    try await TestServer.make().application().test(.live) { client in
      let port = try #require(client.port)
      for origin in ["https://example.org", "null", "http://localhost:1"] {
        let response = try await client.execute(uri: "/v1/models", method: .get, headers: [.origin: origin])
        #expect(response.status == .forbidden && response.errorCode == "foreign_origin")
        #expect(response.headers[.accessControlAllowOrigin] == nil)
      }
      // What the test client calls itself by is `localhost`, without the port.
      let own = try await client.execute(uri: "/v1/models", method: .get, headers: [.origin: "http://localhost"])
      #expect(own.status == .ok)
      let rebound = try await RawClient.exchange(
        port: port, "GET /v1/models HTTP/1.1\r\nHost: evil.example.org:\(port)\r\nConnection: close\r\n\r\n")
      #expect(rebound.hasPrefix("HTTP/1.1 421 ") && rebound.contains("wrong_host"))
    }
  }

  @Test func originsThatAreNamedAreLetIn() async throws {
    let server = try TestServer.make { $0.corsOrigins = ["https://example.org"] }
    try await server.application().test(.live) { client in
      let preflight = try await client.execute(
        uri: "/v1/detect", method: .options,
        headers: [.origin: "https://example.org", .accessControlRequestMethod: "POST"])
      #expect(preflight.status == .noContent)
      #expect(preflight.headers[.accessControlAllowOrigin] == "https://example.org")
      let refused = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.origin: "https://example.org"], body: ByteBuffer(string: "?"))
      #expect(refused.status == .unsupportedMediaType)
      #expect(refused.headers[.accessControlAllowOrigin] == "https://example.org")
      let other = try await client.execute(
        uri: "/v1/models", method: .get, headers: [.origin: "https://example.com"])
      #expect(other.status == .forbidden && other.headers[.accessControlAllowOrigin] == nil)
    }
    for origin in ["example.org", "https://example.org/", "https://example.org/a", "ftp://example.org", "*"] {
      #expect(throws: MienError.self) { try TestServer.make { $0.corsOrigins = [origin] } }
    }
  }
}
