import Foundation
import Hummingbird
import HummingbirdTesting
import MienCore
import MienInference
import MienServer
import MienTestSupport
import MienVision
import Testing

@Suite struct ExplainRouteTests {
  private struct Body: Decodable {
    struct Area: Decodable { let x, y, side: Double }
    struct Map: Decodable {
      let width, height: Int
      let values: [Float]
    }
    let emotion: String
    let method: String
    let scores: [String: Double]
    let area: Area
    let map: Map
  }

  private func post(
    _ query: String, _ body: ByteBuffer, by client: any TestClientProtocol
  ) async throws -> TestResponse {
    try await client.execute(
      uri: "/v1/explain?\(query)", method: .post, headers: [.contentType: "image/png"], body: body)
  }

  @Test func theMapIsTheClassifiersOwn() async throws {
    let classifier = try EmotionClassifier(model: PixelGraph.model([.ferplus]), threads: 1)
    let input = try classifier.card.preprocessing.input(pixels: PixelGraph.face(2), sourceChannels: 1)
    let expected = try classifier.map(for: input)
    try await TestServer.make().application().test(.router) { client in
      let response = try await post("", TestServer.face(2), by: client)
      #expect(response.status == .ok)
      let body = try response.json(Body.self)
      #expect(body.emotion == LabelSet.ferplus.emotions[2].rawValue && body.method == "occlusion")
      #expect(abs(body.scores.values.reduce(0, +) - 1) < 1e-4)
      #expect(body.area.x == 0 && body.area.y == 0 && body.area.side == 48)
      #expect(body.map.width == 48 && body.map.height == 48 && body.map.values.count == 48 * 48)
      #expect(zip(body.map.values, expected.values).allSatisfy { abs($0 - $1) < 1e-3 })
      #expect(expected.values.max() == 1 && expected.values.contains(0))
      let other = try await post("emotion=fear", TestServer.face(2), by: client).json(Body.self)
      #expect(other.emotion == "fear")
    }
  }

  /// With a prior the face may be read as another emotion, and it is that one which is explained.
  @Test func theMapIsOfTheEmotionThatIsRead() async throws {
    var card = try PixelGraph.model([.ferplus]).card()
    let count = LabelSet.ferplus.count
    card.training = [
      .init(
        source: "pixels", split: "train", count: count, labels: ["ferplus"],
        classShares: ["ferplus": [Float](repeating: 1 / Float(count), count: count)])
    ]
    let models = [try ServerModel(PixelGraph.model([.ferplus]).replacingCard(card))]
    let server = try TestServer.make(models: models) {
      $0.prior = try ClassPrior(.shares([.fear: 1, LabelSet.ferplus.emotions[2]: 1e-12]))
    }
    try await server.application().test(.router) { client in
      let body = try await post("", TestServer.face(2), by: client).json(Body.self)
      #expect(body.emotion == "fear" && body.scores.max { $0.value < $1.value }?.key == "fear", "\(body.scores)")
    }
  }

  @Test func theAreaIsWhatTheModelSeesOfTheBox() async throws {
    let picture = try Image(width: 200, height: 120, channels: 1, pixels: [UInt8](repeating: 90, count: 200 * 120))
    let square = try FaceFrame(card: PixelGraph.model([.ferplus]).card())
      .square(around: DetectedFace(box: Box(x: 60, y: 30, width: 40, height: 40), score: 1))
    try await TestServer.make().application().test(.router) { client in
      let body = try await post(
        "x=60&y=30&width=40&height=40", ByteBuffer(bytes: picture.encoded(as: .png)), by: client
      ).json(Body.self)
      #expect(abs(body.area.side - square.side) < 0.006)
      #expect(abs(body.area.x - (square.center.x - square.side / 2)) < 0.006)
      #expect(abs(body.area.y - (square.center.y - square.side / 2)) < 0.006)
    }
  }

  @Test(arguments: [
    "emotion=joy", "x=1&y=1&width=4", "x=20&y=20&width=40&height=40", "x=0&y=0&width=0&height=1", "profile=..%2Fme",
    "detector=dlib",
  ])
  func whatCannotBeMeantIsRefused(query: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await post(query, TestServer.face(0), by: client)
      #expect(response.status == .badRequest && response.errorCode == "bad_request")
    }
  }

  @Test func whatIsNoPictureIsRefused() async throws {
    try await TestServer.make().application().test(.router) { client in
      let text = try await post("", ByteBuffer(string: "text"), by: client)
      #expect(text.status == .unsupportedMediaType)
      let nothing = try await post("", ByteBuffer(), by: client)
      #expect(nothing.status == .badRequest)
    }
  }
}
