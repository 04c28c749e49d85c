import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import MienCore
import MienInference
import MienONNX
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
      for right in ["Bearer \(Self.token)", "bearer another-token-of-16", "Bearer  \(Self.token)"] {
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
    let key = try ClientKey(in: folder.url)
    let clients = [Self.token, "another-token-of-16"].map { tokens.client(authorization: "Bearer \($0)", key: key) }
    #expect(!clients.contains(nil) && clients[0] != clients[1])
    for text in ["", "# nothing\n", "short", "with a space inside it", "umlaut-äöü-äöü-äöü"] {
      try Data(text.utf8).write(to: file)
      let error = #expect(throws: MienError.self) { try AccessTokens(contentsOf: file) }
      #expect(error?.subject == file.path && (text.count < 3 || error?.message.contains(text) == false))
    }
    #expect(throws: MienError.self) { try AccessTokens(contentsOf: folder.file("none")) }
  }

  @Test func tokensAreReadFromAPipe() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.file("pipe")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    writer.arguments = ["-c", "echo \(Self.token) >'\(pipe.path)'"]
    try writer.run()
    let tokens = try AccessTokens(contentsOf: pipe)
    #expect(tokens.client(authorization: "Bearer \(Self.token)", key: .random()) != nil)
    writer.waitUntilExit()
  }

  @Test func clientsAreNamedByAKeyThatIsKept() throws {
    let folder = try TemporaryFolder()
    let tokens = try AccessTokens([Self.token])
    func client(_ key: ClientKey) -> String? { tokens.client(authorization: "Bearer \(Self.token)", key: key) }
    let first = try #require(client(ClientKey(in: folder.url)))
    #expect(try client(ClientKey(in: folder.url)) == first)
    #expect(client(.random()) != first && first != SHA256.hexadecimal(of: Data(Self.token.utf8)))
    let file = folder.file("client.key")
    let rights = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
    #expect(rights == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["client.key"])
    try Data(count: 5).write(to: file)
    let error = #expect(throws: MienError.self) { try ClientKey(in: folder.url) }
    #expect(error?.subject == file.path && error?.message.contains("32 bytes") == true)
    // The folders that are used one for another share a key.
    let cache = ["MIEN_CACHE": folder.file("cache").path]
    let (one, two) = (try StateFolder.first(environment: cache), try StateFolder.first(environment: cache))
    #expect(one.url != two.url && one.keys == two.keys)
  }

  @Test func whatWasStoredUnderTheNamesOfEarlierServersIsStillTheirs() async throws {
    let folder = try TemporaryFolder()
    let old = SHA256.hexadecimal(of: Data(Self.token.utf8))
    let id = String(repeating: "a", count: 32)
    let record = """
      {"id": "\(id)", "client": "\(old)", "options": {"every": 1, "reading": {"minConfidence": 0, "smoothing": true}},
       "created": \(Date().timeIntervalSinceReferenceDate), "state": "failed", "frames": 0, "error": "No video.",
       "finished": \(Date().timeIntervalSinceReferenceDate)}
      """
    let job = folder.file("state/videos/\(id)")
    try FileManager.default.createDirectory(at: job, withIntermediateDirectories: true)
    try Data(record.utf8).write(to: job.appendingPathComponent("job.json"))
    let store = try CorrectionStore(url: folder.file("corrections.sqlite"))
    for owner in [old, "somebody"] {
      _ = try await store.add(
        Correction(
          profile: ProfileName(owner == old ? "mine" : "other"), owner: owner, emotion: .fear, readEmotion: .anger,
          readProbability: 0.5, labels: "ferplus", weightsSHA256: "abc", embedding: [1]))
    }
    var options = ServerOptions()
    options.tokens = try AccessTokens([Self.token])
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = try MienServer(
      options: options, models: [ServerModel(PixelGraph.model([.ferplus]))],
      state: StateFolder(folder.file("state")), corrections: store, logger: logger)
    try await server.application().test(.router) { client in
      let headers: HTTPFields = [.authorization: "Bearer \(Self.token)"]
      let videos = try await client.execute(uri: "/v1/video", method: .get, headers: headers)
      #expect(String(buffer: videos.body).contains(id))
      let corrections = try await client.execute(uri: "/v1/corrections", method: .get, headers: headers)
      #expect(String(buffer: corrections.body).contains("mine") && !String(buffer: corrections.body).contains("other"))
    }
    #expect(try await store.listing().corrections.map(\.owner).filter { $0 == old }.isEmpty)
    #expect(try String(contentsOf: job.appendingPathComponent("job.json"), encoding: .utf8).contains(old) == false)
  }

  @Test func correctionsWithTokensNeedAFolderForTheKey() throws {
    let folder = try TemporaryFolder()
    var options = ServerOptions()
    options.tokens = try AccessTokens([Self.token])
    let store = try CorrectionStore(url: folder.file("corrections.sqlite"))
    let error = #expect(throws: MienError.self) {
      try MienServer(
        options: options, models: [ServerModel(PixelGraph.model([.ferplus]))], state: nil,
        corrections: store, logger: Logger(label: "test"))
    }
    #expect(error?.description.contains("--state-dir") == true)
  }

  @Test func photosAreReadWithoutAFolderAndVideosRefused() async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = try MienServer(
      options: ServerOptions(), models: [ServerModel(PixelGraph.model([.ferplus]))],
      state: nil, logger: logger)
    try await server.application().test(.router) { client in
      let photo = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: "image/png"], body: TestServer.face(1))
      #expect(photo.status == .ok)
      let video = try await client.execute(uri: "/v1/video", method: .post, body: ByteBuffer(string: "YUV4MPEG2 "))
      #expect(video.status == .notFound && video.errorCode == "not_kept")
      let document = try await client.execute(uri: "/openapi.json", method: .get)
      #expect(!String(buffer: document.body).contains("\"/v1/video"))
    }
  }

  @Test(arguments: ["0.0.0.0", "192.168.1.2", "::", "example.org", "127.0.0.1.example.org", "127.0.0", "nosuch"])
  func otherAddressesNeedATokenFile(host: String) throws {
    var options = ServerOptions()
    options.host = host
    let error = #expect(throws: MienError.self) { try options.validate() }
    #expect(error?.kind == .argument && error?.description.contains("--token-file") == true)
    // Whether there is such an address is not known yet.
    #expect(error?.description.contains("expected 127.0.0.1, ::1 or localhost") == true)
    options.tokens = try AccessTokens([Self.token])
    try options.validate()
  }

  @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
  func thisMachineNeedsNone(host: String) throws {
    var options = ServerOptions()
    options.host = host
    try options.validate()
  }

  @Test func metricsHaveAPortOfTheirOwn() throws {
    var options = ServerOptions()
    options.port = 8080
    for (address, isRight) in [("8080", false), ("0.0.0.0:8080", false), ("127.0.0.2:8080", true), ("9090", true)] {
      options.metricsAddress = ServerOptions.Address(address)
      if isRight {
        try options.validate()
      } else {
        let error = #expect(throws: MienError.self) { try options.validate() }
        #expect(error?.description.contains("--metrics-port") == true)
      }
    }
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

  private func ask(
    _ port: Int, host: String, _ fields: String...
  ) async throws -> String {
    let lines = ["GET /v1/models HTTP/1.1", "Host: \(host)", "Connection: close"] + fields
    return try await RawClient.exchange(port: port, lines.joined(separator: "\r\n") + "\r\n\r\n")
  }

  @Test func aProxyPassesItsNameOn() async throws {
    let server = try TestServer.make { $0.allowedHosts = ["Mien.example.org"] }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      let own = try await ask(port, host: "mien.example.org", "Origin: https://mien.example.org")
      #expect(own.hasPrefix("HTTP/1.1 200 "))
      let foreign = try await ask(port, host: "mien.example.org", "Origin: https://evil.example.org")
      #expect(foreign.hasPrefix("HTTP/1.1 403 "))
      let rebound = try await ask(port, host: "evil.example.org", "Origin: https://evil.example.org")
      #expect(rebound.hasPrefix("HTTP/1.1 421 "))
      // Nobody's word is taken.
      let claimed = try await ask(
        port, host: "localhost", "X-Forwarded-Host: mien.example.org", "Origin: https://mien.example.org")
      #expect(claimed.hasPrefix("HTTP/1.1 403 "))
    }
    for name in ["", "a b", "http://a", "a/b", "*"] {
      #expect(throws: MienError.self) { try TestServer.make { $0.allowedHosts = [name] } }
    }
  }

  @Test(arguments: [("127.0.0.1", true), ("127.0.0.0/8", true), ("::ffff:127.0.0.1", true), ("10.0.0.0/8", false)])
  func theWordOfNamedProxiesIsTaken(proxy: String, isBelieved: Bool) async throws {
    let server = try TestServer.make {
      $0.allowedHosts = ["mien.example.org"]
      $0.trustedProxies = [proxy]
    }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      let fields = ["X-Forwarded-Host: mien.example.org:443", "X-Forwarded-Proto: https"]
      let own = try await ask(port, host: "127.0.0.1", fields[0], fields[1], "Origin: https://mien.example.org")
      #expect(own.hasPrefix(isBelieved ? "HTTP/1.1 200 " : "HTTP/1.1 403 "))
      let plain = try await ask(port, host: "127.0.0.1", fields[0], fields[1], "Origin: http://mien.example.org")
      #expect(plain.hasPrefix("HTTP/1.1 403 "))
      let rebound = try await ask(port, host: "127.0.0.1", "X-Forwarded-Host: evil.example.org")
      #expect(rebound.hasPrefix(isBelieved ? "HTTP/1.1 421 " : "HTTP/1.1 200 "))
    }
  }

  /// Proxies behind one another may add to a list; the first name is the client's, or what a page claimed to have called.
  @Test(arguments: [
    ("mien.example.org, inner.example.org", "https, http", 200),
    ("mien.example.org,inner.example.org:8080", "https", 200),
    ("mien.example.org\r\nX-Forwarded-Host: inner.example.org", "https\r\nX-Forwarded-Proto: http", 200),
    (", mien.example.org", "https", 200), ("inner.example.org, mien.example.org", "https", 403),
    ("mien.example.org, inner.example.org", "http, https", 403), ("mien.example.org, evil.example.org", "https", 421),
    ("evil.example.org, mien.example.org", "https", 421),
  ])
  func ofSeveralForwardedNamesTheFirstIsTheClients(hosts: String, schemes: String, status: Int) async throws {
    let server = try TestServer.make {
      $0.allowedHosts = ["mien.example.org", "inner.example.org"]
      $0.trustedProxies = ["127.0.0.1"]
    }
    try await server.application().test(.live) { client in
      let answer = try await ask(
        try #require(client.port), host: "127.0.0.1", "X-Forwarded-Host: \(hosts)", "X-Forwarded-Proto: \(schemes)",
        "Origin: https://mien.example.org")
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
    }
  }

  /// Proxies pass on what clients wrote, and add the port.
  @Test(arguments: [
    ("MIEN.EXAMPLE.ORG:443", "https", "https://mien.example.org", true),
    ("Mien.Example.org", "https", "https://mien.example.org", true),
    ("mien.example.org:80", "http", "http://mien.example.org", true),
    ("MIEN.example.org:8443", "HTTPS", "https://mien.example.org:8443", true),
    ("mien.example.org:80", "https", "https://mien.example.org", false),
    ("mien.example.org:443", "https", "https://mien.example.org.evil.example", false),
  ])
  func theServersOwnPageIsKnownHoweverItsNameIsWritten(
    host: String, scheme: String, origin: String, isOwn: Bool
  ) async throws {
    let server = try TestServer.make {
      $0.allowedHosts = ["mien.example.org"]
      $0.trustedProxies = ["127.0.0.1"]
    }
    try await server.application().test(.live) { client in
      let answer = try await ask(
        try #require(client.port), host: "127.0.0.1", "X-Forwarded-Host: \(host)", "X-Forwarded-Proto: \(scheme)",
        "Origin: \(origin)")
      #expect(answer.hasPrefix(isOwn ? "HTTP/1.1 200 " : "HTTP/1.1 403 "), "\(answer)")
    }
  }

  /// RFC 9112, section 3.2.2: of a target that is an address, the host counts.
  @Test(arguments: [
    ("http://evil.example.org/v1/models", 421), ("HTTP://Evil.example.org:80/v1/models", 421),
    ("https://evil.example.org:99999/v1/models", 421), ("http://evil.example.org?/v1/models", 421),
    ("http://localhost/v1/models", 200), ("http://LOCALHOST:1234/v1/models?", 200), ("http://[::1]/v1/models", 200),
    ("http://localhost@evil.example.org/v1/models", 400), ("ftp://localhost/v1/models", 400),
    ("http:///v1/models", 400),
  ])
  func theHostOfAnAddressCounts(target: String, status: Int) async throws {
    try await TestServer.make().application().test(.live) { client in
      let port = try #require(client.port)
      for (version, field) in [("1.1", "Host: localhost\r\n"), ("1.0", "Host: localhost\r\n"), ("1.0", "")] {
        let answer = try await RawClient.exchange(
          port: port, "GET \(target) HTTP/\(version)\r\n\(field)Connection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
      }
      // It does not make up for a missing field.
      let missing = try await RawClient.exchange(
        port: port, "GET \(target) HTTP/1.1\r\nConnection: close\r\n\r\n")
      #expect(missing.hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test(arguments: ["", "proxy", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "::1/129", "10.0.0"])
  func proxiesAreAddresses(text: String) throws {
    let error = #expect(throws: MienError.self) { try TestServer.make { $0.trustedProxies = [text] } }
    #expect(error?.kind == .argument && error?.description.contains("--trusted-proxy") == true)
  }

  @Test func originsThatAreNamedAreLetIn() async throws {
    let server = try TestServer.make { $0.corsOrigins = ["https://example.org"] }
    try await server.application().test(.live) { client in
      let preflight = try await client.execute(
        uri: "/v1/detect", method: .options,
        headers: [.origin: "https://example.org", .accessControlRequestMethod: "POST"])
      #expect(preflight.status == .noContent)
      #expect(preflight.headers[.accessControlAllowOrigin] == "https://example.org")
      #expect(preflight.headers[.accessControlAllowMethods] == "DELETE, GET, POST, PUT")
      let field = try #require(HTTPField.Name("X-Request-Id"))
      #expect(preflight.headers[.vary] == "Origin" && preflight.headers[field] != nil)
      let refused = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.origin: "https://example.org"], body: ByteBuffer(string: "?"))
      #expect(refused.status == .unsupportedMediaType)
      #expect(refused.headers[.accessControlAllowOrigin] == "https://example.org")
      #expect(refused.headers[.accessControlExposeHeaders] == "Location, Retry-After, X-Request-Id")
      let other = try await client.execute(
        uri: "/v1/models", method: .get, headers: [.origin: "https://example.com"])
      #expect(other.status == .forbidden && other.headers[.accessControlAllowOrigin] == nil)
      #expect(other.headers[.vary] == "Origin")
      let none = try await client.execute(uri: "/healthz", method: .get)
      #expect(none.headers[.vary] == "Origin")
      // Preflights are counted.
      let metrics = try await client.execute(uri: "/metrics", method: .get)
      #expect(String(buffer: metrics.body).contains("method=\"OPTIONS\""))
    }
    for origin in ["example.org", "https://example.org/", "https://example.org/a", "ftp://example.org", "*"] {
      #expect(throws: MienError.self) { try TestServer.make { $0.corsOrigins = [origin] } }
    }
  }
}
