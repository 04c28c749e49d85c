import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienInference
import MienServer
import MienTestSupport
import MienVision
import Testing

/// What requests read with: models, detectors, the size of faces.
@Suite struct ReadingChoiceTests {
  private struct Models: Decodable {
    struct Model: Decodable {
      let name: String
      let `default`: Bool
      let profile: String?
    }
    let models: [Model]
  }

  private static let png: HTTPFields = [.contentType: "image/png"]

  private func scores(_ client: any TestClientProtocol, _ query: String) async throws -> [String: Double] {
    let response = try await client.execute(
      uri: "/v1/detect?detector=none&\(query)", method: .post, headers: Self.png, body: TestServer.face(2))
    return try #require(try response.json(PictureBody.self).faces.first).scores
  }

  @Test func requestsChooseAmongModels() async throws {
    let models = try [PixelGraph.model([.ferplus]), TinyGraph.model()].map { try ServerModel($0) }
    try await TestServer.make(models: models).application().test(.router) { client in
      let list = try await client.execute(uri: "/v1/models", method: .get).json(Models.self).models
      #expect(list.map(\.name) == ["pixels", "tiny"] && list.map(\.default) == [true, false])
      #expect(list.allSatisfy { $0.profile == nil })
      let (first, pixels, tiny) = (
        try await scores(client, ""), try await scores(client, "model=pixels"), try await scores(client, "model=tiny")
      )
      #expect(first == pixels && pixels != tiny)
      let classifier = try EmotionClassifier(model: TinyGraph.model())
      let input = try Preprocessing().input(pixels: PixelGraph.face(2), sourceChannels: 1)
      let expected = try #require(try classifier.distributions(for: input, count: 1).first)
      for (emotion, probability) in zip(expected.labels.emotions, expected.probabilities) {
        #expect(abs(try #require(tiny[emotion.rawValue]) - Double(probability)) < 1e-4)
      }
      for (path, body) in [
        ("/v1/detect?model=other", try TestServer.face(1)), ("/v1/explain?model=other", try TestServer.face(1)),
        ("/v1/video?model=other", ByteBuffer(string: "YUV4MPEG2 ")),
        ("/v1/sessions", ByteBuffer(string: "{\"model\": \"other\"}")),
      ] {
        let response = try await client.execute(uri: path, method: .post, body: body)
        let error = try response.json(ErrorBody.self).error
        #expect(response.status == .badRequest && error.message.contains("pixels, tiny"), "\(path)")
      }
      let session = try await client.execute(
        uri: "/v1/sessions", method: .post, body: ByteBuffer(string: "{\"model\": \"tiny\", \"detector\": \"none\"}"))
      struct Opened: Decodable { let id, model, detector: String }
      let opened = try session.json(Opened.self)
      #expect(opened.model == "tiny" && opened.detector == "none")
      let frame = try await client.execute(
        uri: "/v1/sessions/\(opened.id)/frames", method: .post, body: TestServer.face(2)
      ).json(FrameBody.self)
      #expect(frame.faces.first?.scores == tiny)
    }
  }

  @Test func modelsOfOneNameAreToldApartByTheirFiles() throws {
    let model = try TinyGraph.model()
    let named = try ServerModel.named([("a/one.onnx", model), ("b/two.onnx", try TinyGraph.model(seed: 2))])
    #expect(named.map(\.name) == ["tiny", "two"])
    #expect(throws: MienError.self) { try ServerModel.named([("tiny.onnx", model), ("b/tiny.onnx", model)]) }
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func requestsChooseTheSmallestFace() async throws {
    let photo = ByteBuffer(bytes: try Data(contentsOf: Sample.url))
    func faces(_ server: MienServer, _ query: String) async throws -> Int {
      try await server.application().test(.router) { client in
        try await client.execute(uri: "/v1/detect?\(query)", method: .post, body: photo).json(PictureBody.self)
          .faces.count
      }
    }
    // The face is some 130 pixels wide.
    for detector in ["blazeface", "haar"] {
      #expect(try await faces(TestServer.make(), "detector=\(detector)&minFace=40") == 1, "\(detector)")
      #expect(try await faces(TestServer.make(), "detector=\(detector)&minFace=400") == 0, "\(detector)")
    }
    let choosy = try TestServer.make { $0.minFace = 400 }
    #expect(try await faces(choosy, "") == 0)
    #expect(try await faces(choosy, "minFace=40") == 1)
    // The server's size is one of its own detector.
    #expect(try await faces(choosy, "detector=haar") == 1)
    #expect(try await faces(TestServer.make { $0.detector = "none" }, "") == 1)
  }

  /// A client that asks for tiny faces in a large picture would keep the others waiting.
  @Test func aSearchThatTakesTooLongIsRefusedWithTheSizeThatIsPossible() async throws {
    let picture = ByteBuffer(
      bytes: try Image(width: 600, height: 600, channels: 1, pixels: [UInt8](repeating: 99, count: 360_000))
        .encoded(as: .png))
    let server = try TestServer.make { $0.limits.searchedPixels = 300_000 }
    try await server.application().test(.router) { client in
      for (query, least) in [("minFace=12", 15), ("detector=haar&minFace=20", 64)] {
        func detect(_ query: String) async throws -> TestResponse {
          try await client.execute(uri: "/v1/detect?\(query)", method: .post, body: picture)
        }
        let refused = try await detect(query)
        #expect(refused.status == .contentTooLarge && refused.errorCode == "too_large", "\(query)")
        let message = try refused.json(ErrorBody.self).error.message
        #expect(
          message.contains("minFace is too small for a picture of 600x600 pixels: at least \(least) "), "\(message)")
        #expect(try await detect("\(query)&minFace=\(least)".replacing(/minFace=\d+&/, with: "")).status == .ok)
      }
      #expect(try await client.execute(uri: "/v1/detect", method: .post, body: picture).status == .ok)
      // In a list, the other pictures are read.
      let form = Form().adding("large.png", picture).adding("small.png", try TestServer.face(1))
      let list = try await client.execute(
        uri: "/v1/detect?minFace=12", method: .post, headers: [.contentType: Form.contentType], body: form.buffer
      ).json([PictureBody].self)
      #expect(list[0].error?.contains("at least 15 here") == true && list[1].error == nil && list[1].width == 48)
    }
  }

  @Test(arguments: [
    "minFace=11", "minFace=1e3", "detector=none&minFace=40", "detector=haar&minFace=15", "detector=magic",
    "detector=/etc/passwd", "detector=a.onnx", "profile=../x",
  ])
  func wrongChoicesAreRefused(query: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect?\(query)", method: .post, headers: Self.png, body: TestServer.face(1))
      #expect(response.status == .badRequest && response.errorCode == "bad_request")
    }
  }

  @Test func requestsChooseTheMixOfEmotionsToExpect() async throws {
    let model = try BuiltInModels.model()
    let card = try model.card()
    func check(_ server: MienServer, _ query: String, _ prior: ClassPrior) async throws {
      let input = try card.preprocessing.input(pixels: PixelGraph.face(2), sourceChannels: 1)
      let classifier = try EmotionClassifier(model: model, prior: prior)
      let expected = try #require(try classifier.distributions(for: input, count: 1).first)
      try await server.application().test(.router) { client in
        let found = try await scores(client, query)
        for (emotion, probability) in zip(expected.labels.emotions, expected.probabilities) {
          #expect(abs(try #require(found[emotion.rawValue]) - Double(probability)) < 1e-3, "\(query), \(emotion)")
        }
        // The same in sessions.
        let options = query.split(separator: "&").map { part in
          let words = part.split(separator: "=").map(String.init)
          return "\"\(words[0])\": " + (words[0] == "priorStrength" ? words[1] : "\"\(words[1])\"")
        }
        let body = "{" + (options + ["\"detector\": \"none\""]).joined(separator: ", ") + "}"
        struct Opened: Decodable { let id: String }
        let id = try await client.execute(uri: "/v1/sessions", method: .post, body: ByteBuffer(string: body))
          .json(Opened.self).id
        let frame = try await client.execute(
          uri: "/v1/sessions/\(id)/frames", method: .post, body: TestServer.face(2)
        ).json(FrameBody.self)
        let session = try #require(frame.faces.first?.scores)
        #expect(session.allSatisfy { abs($0.value - (found[$0.key] ?? 2)) < 1e-6 }, "\(query)")
      }
    }
    let models = try [ServerModel(model)]
    let plain = try TestServer.make(models: models)
    let mix = try ClassPrior(.shares([.happiness: 0.5, .anger: 0.25, .fear: 0.25]), strength: 0.5)
    try await check(plain, "", .data)
    try await check(plain, "prior=uniform", ClassPrior(.uniform))
    try await check(plain, "prior=happiness:0.5,anger:0.25,fear:0.25&priorStrength=0.5", mix)
    let uniform = try TestServer.make(models: models) { $0.prior = try ClassPrior(.uniform, strength: 0.5) }
    try await check(uniform, "", ClassPrior(.uniform, strength: 0.5))
    try await check(uniform, "priorStrength=1", ClassPrior(.uniform))
    try await check(uniform, "prior=data", .data)
    // A card without class shares.
    #expect(throws: MienError.self) { try TestServer.make { $0.prior = try ClassPrior(.uniform) } }
    try await TestServer.make().application().test(.router) { client in
      for query in [
        "prior=uniform", "prior=other", "prior=joy:1", "prior=anger:x", "prior=anger:1,anger:1", "prior=anger:-1",
        "prior=uniform&priorStrength=2", "prior=anger:0x1p-1,fear:0.5", "prior=anger:+0.5,fear:0.5",
        "prior=anger:inf,fear:0.5",
      ] {
        let response = try await client.execute(
          uri: "/v1/detect?detector=none&\(query)", method: .post, body: TestServer.face(1))
        #expect(response.status == .badRequest, "\(query)")
      }
    }
  }

  @Test func readingsAreWrittenAsCSV() async throws {
    try await TestServer.make().application().test(.router) { client in
      let form = Form().adding("=a.png", try TestServer.face(1)).adding("b.txt", ByteBuffer(string: "text"))
      for (query, accept) in [
        ("&format=csv", nil), ("", "text/csv"), ("", "text/csv, application/json;q=0.5"),
        ("&format=csv", "application/json"),
      ] as [(String, String?)] {
        let response = try await client.execute(
          uri: "/v1/detect?detector=none\(query)", method: .post,
          headers: accept.map { [.accept: $0, .contentType: Form.contentType] } ?? [.contentType: Form.contentType],
          body: form.buffer)
        #expect(response.headers[.contentType]?.hasPrefix("text/csv") == true)
        let lines = String(buffer: response.body).components(separatedBy: "\r\n")
        #expect(lines[0].hasPrefix("file,face,x,y,width,height,emotion,probability,confident,anger,"))
        #expect(lines[1].hasPrefix("'=a.png,1,0,0,48,48,\(LabelSet.ferplus.emotions[1].rawValue),"))
        #expect(lines[2].hasPrefix("b.txt,,,,,") && lines[2].contains("found text"))
      }
      for accept in ["*/*", "application/json, text/csv;q=0.1", "text/csv;q=0"] {
        let response = try await client.execute(
          uri: "/v1/detect?detector=none", method: .post, headers: [.accept: accept], body: TestServer.face(1))
        #expect(response.headers[.contentType] == "application/json", "\(accept)")
      }
      let wrong = try await client.execute(
        uri: "/v1/detect?detector=none&format=xml", method: .post, body: TestServer.face(1))
      #expect(wrong.status == .badRequest)
    }
  }
}
