import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import MienCore
import MienInference
import MienONNX
import MienServer
import MienTestSupport
import MienVision
import Testing

@Suite struct CorrectionRouteTests {
  private let folder: TemporaryFolder
  private let store: CorrectionStore

  init() throws {
    folder = try TemporaryFolder()
    store = try CorrectionStore(url: folder.file("corrections.sqlite"))
  }

  private func server(tokens: [String]? = nil, model: ONNXModel? = nil) throws -> MienServer {
    var options = ServerOptions()
    options.tokens = try tokens.map { try AccessTokens($0) }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try MienServer(
      options: options, models: [ServerModel(model ?? TinyGraph.model())],
      state: StateFolder(folder.file("state")), corrections: store, logger: logger)
  }

  private struct Entry: Decodable {
    struct Reading: Decodable {
      let emotion: String
      let probability: Double
    }
    let id: Int64
    let profile: String
    let emotion: String
    let read: Reading
    let hasCrop: Bool
    let embedding: [Float]?
  }

  private struct Page: Decodable {
    let corrections: [Entry]
    let unreadable: [Int64]?
    let next: Int64?
  }

  private static let png: HTTPFields = [.contentType: "image/png"]

  private func post(
    _ query: String, headers: HTTPFields = png, by client: any TestClientProtocol
  ) async throws
    -> TestResponse
  {
    try await client.execute(
      uri: "/v1/corrections?\(query)", method: .post, headers: headers, body: TestServer.face(30))
  }

  @Test func correctionsAreKeptListedAndDeleted() async throws {
    try await server().application().test(.router) { client in
      let made = try await post("profile=me&emotion=contempt&crop=true", by: client)
      #expect(made.status == .created)
      let entry = try made.json(Entry.self)
      #expect(entry.profile == "me" && entry.emotion == "contempt" && entry.hasCrop && entry.embedding == nil)
      // The embedding is what the model makes of the face, whoever asks.
      let classifier = try EmotionClassifier(model: TinyGraph.model())
      let input = try Preprocessing().input(pixels: PixelGraph.face(30), sourceChannels: 1)
      let kept = try #require(try await store.listing().corrections.first)
      #expect(kept.embedding == (try classifier.predictions(for: input, count: 1)["embedding"]?.values))
      #expect(kept.weightsSHA256 == classifier.card.weightsSHA256 && kept.labels == "ferplus")
      #expect(try Image(encoded: #require(kept.crop)).pixels == PixelGraph.face(30))
      #expect(entry.read.emotion == kept.readEmotion.rawValue && entry.read.probability > 0.1)

      // By default, no picture is kept.
      #expect(try await post("profile=me&emotion=fear&x=0&y=0&width=48&height=48", by: client).status == .created)
      #expect(try await store.listing().corrections.map { $0.crop != nil } == [true, false])
      #expect(try await post("profile=you&emotion=anger", by: client).status == .created)

      let page = try await client.execute(uri: "/v1/corrections?profile=me&limit=1", method: .get).json(Page.self)
      #expect(page.corrections.map(\.id) == [entry.id] && page.next == entry.id)
      let rest = try await client.execute(uri: "/v1/corrections?after=\(entry.id)", method: .get).json(Page.self)
      #expect(rest.corrections.map(\.emotion) == ["fear", "anger"] && rest.next == nil)

      // The last page is full, and there is no other.
      let last = try await client.execute(uri: "/v1/corrections?after=\(entry.id)&limit=2", method: .get).json(
        Page.self)
      #expect(last.corrections.count == 2 && last.next == nil && last.unreadable == nil)

      for wrong in ["+\(entry.id)", "0x\(entry.id)", "\(entry.id).0"] {
        #expect(try await client.execute(uri: "/v1/corrections/\(wrong)", method: .delete).status == .notFound)
      }
      let one = try await client.execute(uri: "/v1/corrections/\(entry.id)", method: .delete)
      #expect(one.status == .noContent)
      #expect(try await client.execute(uri: "/v1/corrections/\(entry.id)", method: .delete).status == .notFound)
      let profile = try await client.execute(uri: "/v1/corrections?profile=you", method: .delete)
      #expect(try profile.json([String: Int].self) == ["deleted": 1])
      #expect(try await store.listing(withCrops: false).counts == ["me": 1])
    }
  }

  /// The face is framed and turned as for a reading, whose box is all that a client has of it.
  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func theFaceIsReadAsADetectedOne() async throws {
    let photo = try Image(contentsOf: Sample.url).rotated(degrees: 25)
    var card = TinyGraph.card
    card.framing = .init(anchor: .points, isTurned: true)
    let model = try TinyGraph.builder().model(card: card)
    let frame = FaceFrame(card: card)
    let found = try #require(NetworkDetector().faces(in: photo).first)
    let crop = try frame.face(found, of: photo)
    #expect(try frame.face(DetectedFace(box: found.box, score: 1), of: photo).pixels != crop.pixels)
    let body = ByteBuffer(bytes: try photo.encoded(as: .png))
    try await server(model: model).application().test(.router) { client in
      let detected = try await client.execute(uri: "/v1/detect", method: .post, headers: Self.png, body: body)
      let face = try #require(try detected.json(PictureBody.self).faces.first)
      let box = face.box
      let query = "x=\(box.x)&y=\(box.y)&width=\(box.width)&height=\(box.height)"
      func post(_ path: String) async throws -> TestResponse {
        try await client.execute(uri: "\(path)&\(query)", method: .post, headers: Self.png, body: body)
      }
      let entry = try await post("/v1/corrections?profile=me&emotion=fear&crop=true").json(Entry.self)
      #expect(entry.read.emotion == face.emotion && abs(entry.read.probability - face.probability) < 1e-5)
      let kept = try #require(try await store.listing().corrections.first)
      #expect(try Image(encoded: #require(kept.crop)).pixels == crop.pixels)

      struct Explanation: Decodable {
        struct Area: Decodable { let x, y, side, degrees: Double }
        let scores: [String: Double]
        let area: Area
      }
      let map = try await post("/v1/explain?emotion=fear").json(Explanation.self)
      let square = frame.square(around: found)
      #expect(abs(map.area.degrees - square.degrees) < 0.006 && abs(map.area.side - square.side) < 0.006)
      #expect(map.area.degrees < -10)
      #expect(map.scores.allSatisfy { abs($0.value - face.scores[$0.key, default: 0]) < 1e-4 })

      // A box with no detected face, and one that is read without a search, are the face themselves.
      for other in ["x=0&y=300&width=60&height=60", query + "&detector=none"] {
        let made = try await client.execute(
          uri: "/v1/corrections?profile=me&emotion=fear&crop=true&\(other)", method: .post, headers: Self.png,
          body: body)
        #expect(made.status == .created)
      }
      let others = try await store.listing().corrections.dropFirst()
      let boxes = [Box(x: 0, y: 300, width: 60, height: 60), box]
      for (kept, box) in zip(others, boxes) {
        let upright = try frame.face(DetectedFace(box: box, score: 1), of: photo)
        #expect(try Image(encoded: #require(kept.crop)).pixels == upright.pixels)
      }
    }
  }

  @Test(arguments: [
    "emotion=fear", "profile=me", "profile=..&emotion=fear", "profile=a/b&emotion=fear", "profile=me&emotion=joy",
    "profile=me&emotion=fear&x=0&y=0&width=48", "profile=me&emotion=fear&x=1&y=0&width=48&height=48",
    "profile=me&emotion=fear&x=0&y=0&width=0&height=48", "profile=me&emotion=fear&x=0.5&y=0&width=1&height=1",
    "profile=me&emotion=fear&crop=maybe", "profile=me&emotion=fear&detector=dlib",
    "profile=me&emotion=fear&minFace=1", "profile=me&emotion=fear&colour=red",
  ])
  func wrongRequestsAreRefused(query: String) async throws {
    try await server().application().test(.router) { client in
      let response = try await post(query, by: client)
      #expect(response.status == .badRequest && response.errorCode == "bad_request")
      #expect(try await store.listing().corrections.isEmpty)
    }
  }

  @Test func whatCannotBeReadIsNamedAndTheRestListed() async throws {
    try await server().application().test(.router) { client in
      for _ in 0..<3 { _ = try await post("profile=me&emotion=fear", by: client) }
      let database = try DatabaseQueue(path: store.url.path)
      try await database.write { try $0.execute(sql: "UPDATE correction SET emotion = 'secret' WHERE id = 2") }
      try database.close()
      let listed = try await client.execute(uri: "/v1/corrections", method: .get)
      #expect(listed.status == .ok && !String(buffer: listed.body).contains("secret"))
      let page = try listed.json(Page.self)
      #expect(page.corrections.map(\.id) == [1, 3] && page.unreadable == [2])
      #expect(try await client.execute(uri: "/v1/corrections/2", method: .delete).status == .noContent)
    }
  }

  @Test func clientsDoNotSeeEachOthersCorrections() async throws {
    let tokens = ["0123456789abcdef", "fedcba9876543210"]
    let headers = tokens.map { token -> HTTPFields in [.authorization: "Bearer \(token)", .contentType: "image/png"] }
    try await server(tokens: tokens).application().test(.router) { client in
      let made = try await post("profile=me&emotion=fear", headers: headers[0], by: client)
      let id = try made.json(Entry.self).id
      let other = try await client.execute(uri: "/v1/corrections", method: .get, headers: headers[1])
      #expect(try other.json(Page.self).corrections.isEmpty)
      let deleted = try await client.execute(uri: "/v1/corrections/\(id)", method: .delete, headers: headers[1])
      #expect(deleted.status == .notFound)
      let none = try await client.execute(uri: "/v1/corrections?profile=me", method: .delete, headers: headers[1])
      #expect(try none.json([String: Int].self) == ["deleted": 0])
      // Names are each client's own.
      let same = try await post("profile=me&emotion=anger", headers: headers[1], by: client)
      #expect(same.status == .created)
      for (header, emotion) in zip(headers, ["fear", "anger"]) {
        let own = try await client.execute(uri: "/v1/corrections?profile=me", method: .get, headers: header)
        #expect(try own.json(Page.self).corrections.map(\.emotion) == [emotion])
      }
      #expect(try await client.execute(uri: "/v1/corrections", method: .get).status == .unauthorized)
      #expect(try await store.listing().corrections.count == 2)
    }
  }

  @Test func withoutAStoreEveryRequestIsRefused() async throws {
    try await TestServer.make().application().test(.router) { client in
      let made = try await post("profile=me&emotion=fear", by: client)
      #expect(made.status == .notFound && made.errorCode == "not_kept")
      for (uri, method) in [
        ("/v1/corrections", HTTPRequest.Method.get), ("/v1/corrections?profile=me", .delete),
        ("/v1/corrections/1", .delete),
      ] {
        #expect(try await client.execute(uri: uri, method: method).errorCode == "not_kept")
      }
    }
  }
}
