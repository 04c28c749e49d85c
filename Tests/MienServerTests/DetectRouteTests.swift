import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import MienVision
import Testing

@Suite struct DetectRouteTests {
  @Test(arguments: [ImageFormat.png, .jpeg(quality: 95)])
  func aPictureIsAnsweredAsOneObject(format: ImageFormat) async throws {
    let picture = try Image(width: 96, height: 64, channels: 1, pixels: [UInt8](repeating: 40, count: 96 * 64))
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: "application/octet-stream"],
        body: ByteBuffer(bytes: picture.encoded(as: format)))
      #expect(response.status == .ok)
      #expect(response.headers[.contentType] == "application/json")
      let body = try response.json(PictureBody.self)
      #expect(body.file == nil && body.error == nil && body.width == 96 && body.height == 64)
      let face = try #require(body.faces.first)
      #expect(face.box == Box(x: 0, y: 0, width: 96, height: 64))
      #expect(abs(face.scores.values.reduce(0, +) - 1) < 1e-4 && face.scores.count == 8)
      #expect(face.confident == nil)
      let unsure = try await client.execute(
        uri: "/v1/detect?detector=none&minConfidence=0.5", method: .post, headers: [.contentType: "image/png"],
        body: ByteBuffer(bytes: picture.encoded(as: format)))
      #expect(try unsure.json(PictureBody.self).faces.first?.confident == false)
    }
  }

  @Test func facesAreReadByTheNetwork() async throws {
    try await TestServer.make().application().test(.router) { client in
      for (index, emotion) in LabelSet.ferplus.emotions.enumerated() {
        let response = try await client.execute(
          uri: "/v1/detect?detector=none&minConfidence=0.99", method: .post, headers: [.contentType: "image/png"],
          body: TestServer.face(index))
        let face = try #require(try response.json(PictureBody.self).faces.first)
        #expect(face.emotion == emotion.rawValue && face.probability > 0.99)
        #expect(face.confident == nil)
      }
    }
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func facesAreFound() async throws {
    let photo = ByteBuffer(bytes: try Data(contentsOf: Sample.url))
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "image/png"], body: photo)
      let body = try response.json(PictureBody.self)
      #expect(body.width == 512 && body.height == 512 && body.faces.count == 1)
    }
  }

  @Test func aFormIsAnsweredInItsOrderAndOneBadPictureDoesNotSpoilTheOthers() async throws {
    var form = Form()
    for index in 0..<8 { form = form.adding("face \(index).png", try TestServer.face(index)) }
    form = form.adding("../../etc/passwd", ByteBuffer(string: "root:x:0:0"))
    try await TestServer.make().application().test(.router) { [form] client in
      let response = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: Form.contentType], body: form.buffer)
      #expect(response.status == .ok)
      let pictures = try response.json([PictureBody].self)
      #expect(pictures.prefix(8).map(\.file) == (0..<8).map { "face \($0).png" })
      #expect(pictures.prefix(8).map { $0.faces.first?.emotion } == LabelSet.ferplus.emotions.map(\.rawValue))
      let bad = try #require(pictures.last)
      #expect(bad.file == "../../etc/passwd" && bad.width == nil && bad.faces.isEmpty)
      #expect(bad.error == "The picture is no JPEG, PNG or WebP file.")
    }
  }

  @Test(arguments: [
    ("/v1/detect?minConfidence=2", "image/png", 400, "bad_request"),
    ("/v1/detect?minConfidence=nan", "image/png", 400, "bad_request"),
    ("/v1/detect?detector=magic", "image/png", 400, "bad_request"),
    ("/v1/detect?other=1", "image/png", 400, "bad_request"),
    ("/v1/detect", "text/plain", 415, "unsupported_type"),
    ("/v1/detect", "", 415, "unsupported_type"),
    ("/v1/detect", "image/png", 415, "unsupported_type"),
    ("/v1/detect", "multipart/form-data", 400, "malformed_multipart"),
    ("/v1/detect", "multipart/form-data; boundary=b", 400, "malformed_multipart"),
    ("/v1/nothing", "image/png", 404, "not_found"),
    ("/v1/models", "image/png", 405, "method_not_allowed"),
  ])
  func wrongRequestsAreToldWhy(uri: String, contentType: String, status: Int, code: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: uri, method: .post, headers: contentType.isEmpty ? [:] : [.contentType: contentType],
        body: ByteBuffer(string: "no picture"))
      #expect(response.status.code == status && response.errorCode == code)
    }
  }

  @Test(arguments: ["PUT", "OPTIONS", "QUERY", "NONSENSE"])
  func otherMethodsAreRefusedWithThoseThatAreTaken(method: String) async throws {
    let method = try #require(HTTPRequest.Method(method))
    try await TestServer.make().application().test(.router) { client in
      for (uri, allowed) in [("/v1/detect", "POST"), ("/v1/video/x", "DELETE, GET, HEAD")] {
        let response = try await client.execute(uri: uri, method: method)
        #expect(response.status == .methodNotAllowed && response.errorCode == "method_not_allowed")
        #expect(response.headers[.allow] == allowed)
      }
    }
  }

  @Test func picturesThatAreDamagedOrTooLargeAreRefusedByTheirHeader() async throws {
    // A header that promises 30,000 x 30,000 pixels, and nothing behind it.
    let bomb = try PNG.encoded(width: 1, height: 1, channels: 1, pixels: [0])
    var bytes = [UInt8](bomb)
    bytes.replaceSubrange(16..<24, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])
    let whole = try TestServer.face(0)
    let cut = whole.getSlice(at: 0, length: whole.readableBytes / 2)
    try await TestServer.make().application().test(.router) { [bytes] client in
      let huge = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "image/png"], body: ByteBuffer(bytes: bytes))
      #expect(huge.status == .contentTooLarge && huge.errorCode == "too_large")
      let damaged = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "image/png"], body: cut)
      #expect(damaged.status == .unprocessableContent && damaged.errorCode == "unreadable_picture")
    }
  }

  @Test func picturesThatKeepADecoderBusyAreRefused() async throws {
    // Each scan of a progressive picture is a pass over all of it: here, the last one 300 times.
    let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../MienVisionTests/Fixtures/progressive.jpg")
    let bytes = [UInt8](try Data(contentsOf: fixture))
    let scan = try #require(bytes.indices.last { bytes[$0] == 0xFF && bytes[min($0 + 1, bytes.count - 1)] == 0xDA })
    let end = bytes.count - 2
    let scans = [UInt8](repeatElement(bytes[scan..<end], count: 300).joined())
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "image/jpeg"],
        body: ByteBuffer(bytes: bytes[..<scan] + scans + bytes[end...]))
      #expect(response.status == .contentTooLarge && response.errorCode == "too_large")
    }
  }

  @Test func longBodiesAndTooManyPicturesAreRefused() async throws {
    let server = try TestServer.make {
      $0.limits.bodyBytes = 1000
      $0.limits.pictures = 2
    }
    let picture = try TestServer.face(0)
    try await server.application().test(.router) { client in
      let long = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "image/png"],
        body: ByteBuffer(repeating: 0, count: 1001))
      #expect(long.status == .contentTooLarge && long.errorCode == "too_large")
      let form = Form().adding("1", picture).adding("2", picture).adding("3", picture)
      let many = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: Form.contentType], body: form.buffer)
      #expect(many.status == .badRequest && many.errorCode == "malformed_multipart")
    }
  }
}
