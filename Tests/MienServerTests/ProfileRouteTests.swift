import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import MienAdaptation
import MienCore
import MienInference
import MienONNX
import MienServer
import MienTestSupport
import Testing

/// Profiles over HTTP: fitted, used, listed and deleted while the server runs.
@Suite struct ProfileRouteTests {
  private let folder: TemporaryFolder
  private let store: CorrectionStore
  private let profiles: ProfileStore
  private let model: ONNXModel

  init() throws {
    folder = try TemporaryFolder()
    store = try CorrectionStore(url: folder.file("corrections.sqlite"))
    profiles = ProfileStore(folder: folder.file("profiles"))
    let plain = try TinyGraph.model()
    let width = try plain.linearHead(for: .ferplus).width
    // Ordinary faces that hardly hold a fit back.
    model = try plain.replacingReference(
      EmbeddingReference(
        source: "drawn", count: 1, weightsSHA256: plain.weightsSHA256, width: width,
        moment: (0..<((width + 1) * (width + 1))).map { $0 % (width + 2) == 0 ? 1 : 0 },
        information: ["ferplus": (0..<64).map { $0 % 9 == 0 ? 1e-6 : 0 }]))
  }

  private static let tokens = ["the-first-token-0001", "the-other-token-0002"]
  private static let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }

  private func server(
    tokens: [String]? = nil, profiles names: [String] = [], keepsCorrections: Bool = true
  ) throws -> MienServer {
    try TestServer.make(
      folder: folder.file("state"), models: [ServerModel(model), ServerModel(PixelGraph.model([.ferplus]))],
      profiles: profiles, corrections: keepsCorrections ? store : nil
    ) {
      $0.tokens = try tokens.map { try AccessTokens($0) }
      $0.profiles = names
    }
  }

  private struct Profile: Decodable {
    struct Score: Decodable { let correct: Int }
    let profile, model, created: String
    let corrections: Int
    let before, after: Score
  }

  private struct Profiles: Decodable { let profiles: [Profile] }

  private struct Answer: Decodable {
    let faces: [PictureBody.Face]
    let profile: String?
  }

  private func read(
    _ client: any TestClientProtocol, _ query: String = "", headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    try await client.execute(
      uri: "/v1/detect?detector=none\(query)", method: .post, headers: headers, body: TestServer.face(3))
  }

  private func correct(
    _ client: any TestClientProtocol, _ profile: String = "me", as emotion: String, headers: HTTPFields = [:]
  ) async throws {
    for index in 0..<6 {
      let response = try await client.execute(
        uri: "/v1/corrections?profile=\(profile)&emotion=\(emotion)", method: .post, headers: headers,
        body: TestServer.face(3 + index))
      #expect(response.status == .created)
    }
  }

  private func fit(
    _ client: any TestClientProtocol, _ profile: String = "me", _ query: String = "", headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    try await client.execute(uri: "/v1/profiles/\(profile)\(query)", method: .put, headers: headers)
  }

  private func delete(
    _ client: any TestClientProtocol, _ profile: String = "me", headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    try await client.execute(uri: "/v1/profiles/\(profile)", method: .delete, headers: headers)
  }

  /// The names of the profiles that a client may use.
  private func names(_ client: any TestClientProtocol, headers: HTTPFields = [:]) async throws -> [String] {
    let list = try await client.execute(uri: "/v1/profiles", method: .get, headers: headers)
    return try list.json(Profiles.self).profiles.map(\.profile)
  }

  /// The profiles that clients have fitted, by the paths of their files in the state folder.
  private var fittedFiles: [String] {
    let found = try? FileManager.default.subpathsOfDirectory(atPath: folder.file("state/profiles").path)
    return (found ?? []).filter { $0.hasSuffix(".safetensors") }.sorted()
  }

  @Test func aProfileIsFittedUsedAndDeletedWithoutARestart() async throws {
    try await server().application().test(.router) { client in
      #expect(try await fit(client).errorCode == "no_corrections")
      let plain = try await read(client).json(Answer.self)
      let emotion = plain.faces.first?.emotion == "disgust" ? "fear" : "disgust"
      try await correct(client, as: emotion)
      #expect(try await read(client, "&profile=me").errorCode == "no_profile")

      let fitted = try await fit(client)
      #expect(fitted.status == .ok, "\(String(buffer: fitted.body))")
      let profile = try fitted.json(Profile.self)
      #expect(profile.profile == "me" && profile.model == "tiny" && profile.corrections == 6)
      #expect(profile.before.correct == 0 && profile.after.correct == 6)
      let adapted = try await read(client, "&profile=me").json(Answer.self)
      #expect(adapted.faces.first?.emotion == emotion && adapted.profile == "me")
      let after = try await read(client).json(Answer.self)
      #expect(after.profile == nil && after.faces.first?.emotion == plain.faces.first?.emotion)
      let list = try await client.execute(uri: "/v1/profiles", method: .get).json(Profiles.self).profiles
      #expect(list.map(\.profile) == ["me"] && list.first?.corrections == 6)
      #expect(list.first?.created == profile.created)

      // Sessions and explanations read by it too.
      struct Opened: Decodable { let id, model, profile: String }
      let opened = try await client.execute(
        uri: "/v1/sessions", method: .post, body: ByteBuffer(string: "{\"profile\": \"me\", \"detector\": \"none\"}")
      ).json(Opened.self)
      #expect(opened.model == "tiny" && opened.profile == "me")
      let frame = try await client.execute(
        uri: "/v1/sessions/\(opened.id)/frames", method: .post, body: TestServer.face(3)
      ).json(FrameBody.self)
      #expect(frame.faces.first?.emotion == emotion)
      struct Explanation: Decodable { let emotion: String }
      let explained = try await client.execute(
        uri: "/v1/explain?profile=me", method: .post, body: TestServer.face(3)
      ).json(Explanation.self)
      #expect(explained.emotion == emotion)

      let mismatch = try await read(client, "&profile=me&model=pixels")
      #expect(mismatch.status == .conflict && mismatch.errorCode == "profile_mismatch")
      #expect(try await fit(client, "me", "?model=pixels").errorCode == "not_adaptable")
      #expect(try await fit(client, "me", "?model=other").errorCode == "bad_request")

      #expect(try await client.execute(uri: "/v1/profiles/me", method: .delete).status == .noContent)
      #expect(try await read(client, "&profile=me").errorCode == "no_profile")
      #expect(try await client.execute(uri: "/v1/profiles/me", method: .delete).errorCode == "no_profile")
    }
  }

  @Test func whatAnotherProgramFitsCountsFromTheNextRequest() async throws {
    let fear = try head(.fear)
    try profiles.write(fear, as: ProfileName("me"))
    try await server(profiles: ["me"]).application().test(.router) { client in
      // It is the default, and says so.
      #expect(try await read(client).json(Answer.self).profile == "me")
      #expect(try await read(client).json(Answer.self).faces.first?.emotion == "fear")
      let raw = try await read(client, "&profile=").json(Answer.self)
      #expect(raw.profile == nil && raw.faces.first?.emotion != "fear")
      let models = try await client.execute(uri: "/v1/models", method: .get)
      #expect(String(buffer: models.body).contains("\"profile\":\"me\""))
      let version = try await client.execute(uri: "/version", method: .get)
      #expect(String(buffer: version.body).contains("\"profile\":\"me\""))
      // It is the default of its own model only.
      #expect(try await read(client, "&model=pixels").json(Answer.self).profile == nil)

      try profiles.write(head(.surprise), as: ProfileName("me"))
      #expect(try await read(client).json(Answer.self).faces.first?.emotion == "surprise")
      // A file that cannot be read leaves the default as it was.
      try Data("damaged".utf8).write(to: profiles.url(of: ProfileName("me")))
      for query in ["", "&profile=me"] {
        #expect(try await read(client, query).json(Answer.self).faces.first?.emotion == "surprise")
      }
    }
    #expect(throws: MienError.self) { try server(profiles: ["me"]) }
    #expect(throws: MienError.self) { try server(profiles: ["nobody"]) }
  }

  @Test func profilesBelongToTheirClients() async throws {
    let headers = Self.headers
    try profiles.write(head(.fear), as: ProfileName("theirs"))
    try profiles.write(head(.surprise), as: ProfileName("everybodys"))
    try await server(tokens: Self.tokens, profiles: ["everybodys"]).application().test(.router) { client in
      try await correct(client, as: "disgust", headers: headers[0])
      #expect(try await fit(client, "me", "?force=true", headers: headers[0]).status == .ok)
      #expect(try await read(client, "&profile=me", headers: headers[0]).status == .ok)
      for name in ["me", "theirs"] {
        #expect(try await read(client, "&profile=\(name)", headers: headers[1]).errorCode == "no_profile")
        #expect(try await delete(client, name, headers: headers[1]).errorCode == "no_profile")
      }
      #expect(try await read(client, "&profile=everybodys", headers: headers[1]).status == .ok)
      #expect(try await names(client, headers: headers[0]) == ["everybodys", "me"])
      #expect(try await names(client, headers: headers[1]) == ["everybodys"])
      #expect(try await fit(client, headers: headers[1]).errorCode == "no_corrections")
    }
    #expect(fittedFiles.count == 1 && fittedFiles[0].wholeMatch(of: /clients\/[0-9a-f]{64}\/me.safetensors/) != nil)
  }

  @Test func namesAreEachClientsOwn() async throws {
    @Sendable func emotion(
      _ client: any TestClientProtocol, _ header: HTTPFields, _ name: String
    ) async throws -> String? {
      try await read(client, "&profile=\(name)", headers: header).json(Answer.self).faces.first?.emotion
    }
    let headers = Self.headers
    try profiles.write(head(.surprise), as: ProfileName("everybodys"))
    // A file of the operator's that cannot be read stands in nobody's way.
    try Data("damaged".utf8).write(to: profiles.url(of: ProfileName("me")))
    let before = try Data(contentsOf: profiles.url(of: ProfileName("everybodys")))
    try await server(tokens: Self.tokens, profiles: ["everybodys"]).application().test(.router) { client in
      for (header, emotion) in zip(headers, ["disgust", "fear"]) {
        try await correct(client, as: emotion, headers: header)
        #expect(try await fit(client, "me", "?force=true", headers: header).status == .ok)
      }
      #expect(try await emotion(client, headers[0], "me") == "disgust")
      #expect(try await emotion(client, headers[1], "me") == "fear")
      #expect(try await delete(client, headers: headers[0]).status == .noContent)
      #expect(try await read(client, "&profile=me", headers: headers[0]).errorCode == "no_profile")
      #expect(try await emotion(client, headers[1], "me") == "fear")

      // A client's own comes before the operator's, which stays as it is.
      #expect(try await delete(client, "everybodys", headers: headers[0]).errorCode == "profile_taken")
      try await correct(client, "everybodys", as: "disgust", headers: headers[0])
      #expect(try await fit(client, "everybodys", "?force=true", headers: headers[0]).status == .ok)
      #expect(try await emotion(client, headers[0], "everybodys") == "disgust")
      #expect(try await emotion(client, headers[1], "everybodys") == "surprise")
      #expect(try await names(client, headers: headers[0]) == ["everybodys"])
      #expect(try await delete(client, "everybodys", headers: headers[0]).status == .noContent)
      #expect(try await emotion(client, headers[0], "everybodys") == "surprise")
    }
    #expect(try Data(contentsOf: profiles.url(of: ProfileName("everybodys"))) == before)
    #expect(try Data(contentsOf: profiles.url(of: ProfileName("me"))) == Data("damaged".utf8))
  }

  /// `mien adapt` names the owner of the corrections in the file, as servers did that kept profiles beside the operator's.
  @Test func whatWasMadeOfAClientsCorrectionsIsTheClients() async throws {
    let headers = Self.headers
    try profiles.write(head(.fear), as: ProfileName("offered"))
    try await server(tokens: Self.tokens, profiles: ["offered"]).application().test(.router) { client in
      try await correct(client, as: "disgust", headers: headers[0])
      #expect(try await fit(client, "me", "?force=true", headers: headers[0]).status == .ok)
      let made = try AdaptedHead(contentsOf: folder.file("state/profiles/\(#require(fittedFiles.first))"))
      for name in ["adapted", "offered"] { try profiles.write(made, as: ProfileName(name)) }
      #expect(try await names(client, headers: headers[0]) == ["adapted", "me", "offered"])
      #expect(try await names(client, headers: headers[1]) == ["offered"])
      #expect(try await read(client, "&profile=adapted", headers: headers[0]).status == .ok)
      #expect(try await read(client, "&profile=adapted", headers: headers[1]).errorCode == "no_profile")
      #expect(try await delete(client, "adapted", headers: headers[1]).errorCode == "no_profile")
      #expect(try await delete(client, "adapted", headers: headers[0]).status == .noContent)
      // What is offered to everybody is the operator's, whoever's corrections it was made of.
      #expect(try await delete(client, "offered", headers: headers[0]).errorCode == "profile_taken")
      #expect(try await names(client, headers: headers[0]) == ["me", "offered"])
    }
  }

  @Test func withoutAStateFolderProfilesLieBesideTheOperators() async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    for (tokens, header) in [(nil, [:]), (Self.tokens, Self.headers[0])] {
      var options = ServerOptions()
      options.tokens = try tokens.map { try AccessTokens($0) }
      let server = try MienServer(
        options: options, models: [ServerModel(model)], profiles: profiles,
        state: .first(environment: ["MIEN_CACHE": folder.file("cache").path]), corrections: store, logger: logger)
      try await server.application().test(.router) { client in
        try await correct(client, as: "disgust", headers: header)
        #expect(try await fit(client, "me", "?force=true", headers: header).status == .ok)
        #expect(try await names(client, headers: header) == ["me"])
        #expect(try await read(client, "&profile=me", headers: header).status == .ok)
        if tokens == nil { #expect(try profiles.head(of: ProfileName("me")).info.owner == nil) }
        #expect(try await delete(client, headers: header).status == .noContent)
        #expect(profiles.entries().isEmpty && fittedFiles.isEmpty)
      }
    }
  }

  @Test func withoutCorrectionsNothingIsFitted() async throws {
    try await server(keepsCorrections: false).application().test(.router) { client in
      let refused = try await fit(client)
      #expect(refused.errorCode == "not_kept")
      let profiles = try await client.execute(uri: "/v1/profiles", method: .get).json(Profiles.self).profiles
      #expect(profiles.isEmpty)
    }
  }

  /// A layer that says `emotion` to everything, of nobody.
  private func head(_ emotion: Emotion) throws -> AdaptedHead {
    let original = try model.linearHead(for: .ferplus)
    var biases = original.biases
    biases[try #require(LabelSet.ferplus.index(of: emotion))] += 100
    let head = try LinearHead(labels: .ferplus, width: original.width, weights: original.weights, biases: biases)
    let adaptation = try HeadAdaptation(original: original, reference: #require(try model.embeddingReference()))
    let examples = [
      HeadAdaptation.Example(embedding: [Float](repeating: 0.1, count: original.width), emotion: emotion)
    ]
    return AdaptedHead(
      head: head,
      info: .init(
        profile: try ProfileName("me"), model: try model.card(),
        fit: .init(head: head, strength: 1, divergence: 0.01), check: try AdaptationCheck(adaptation, examples)))
  }
}
