import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienInference
import MienReports
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
        uri: "/v1/detect?detector=none&minConfidence=0", method: .post,
        headers: [.contentType: "application/octet-stream"], body: ByteBuffer(bytes: picture.encoded(as: format)))
      #expect(response.status == .ok)
      #expect(response.headers[.contentType] == "application/json")
      let body = try response.json(PictureBody.self)
      #expect(body.file == nil && body.error == nil && body.width == 96 && body.height == 64)
      let face = try #require(body.faces.first)
      #expect(face.box == Box(x: 0, y: 0, width: 96, height: 64))
      #expect(abs(face.scores.values.reduce(0, +) - 1) < 1e-4 && face.scores.count == 8)
      #expect(face.confident == nil)
      let unsure = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: "image/png"],
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

  /// More faces than are classified at a time, each as the library reads it.
  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func manyFacesAreReadInTheirOrder() async throws {
    let face = try Image(contentsOf: Sample.url).crop(centerX: 224, centerY: 137, side: 190, size: 96)
    var pixels = [UInt8](repeating: 0, count: 960 * 480 * 3)
    for (row, column) in (0..<5).flatMap({ row in (0..<10).map { (row, $0) } }) {
      for (y, x) in (0..<96).flatMap({ y in (0..<96).map { (y, $0) } }) {
        for channel in 0..<3 {
          // Each darker than the one before.
          let value = Int(face.pixels[(y * 96 + x) * 3 + channel]) * (100 - row * 10 - column) / 100
          pixels[((row * 96 + y) * 960 + column * 96 + x) * 3 + channel] = UInt8(value)
        }
      }
    }
    let picture = try Image(width: 960, height: 480, channels: 3, pixels: pixels)
    let recognizer = try Recognizer(
      classifier: EmotionClassifier(model: PixelGraph.model([.ferplus])), detector: NetworkDetector(), minConfidence: 0)
    let expected = try await recognizer.readings(in: picture)
    try #require(expected.count > 32)
    let body = ByteBuffer(bytes: try picture.encoded(as: .png))
    try await TestServer.make().application().test(.live) { client in
      try await withThrowingTaskGroup(of: [PictureBody.Face].self) { group in
        for _ in 0..<2 {
          group.addTask {
            let response = try await client.execute(uri: "/v1/detect?minConfidence=0", method: .post, body: body)
            return try response.json(PictureBody.self).faces
          }
        }
        for try await found in group {
          #expect(found.map(\.box) == expected.map(\.face.box))
          #expect(
            zip(found, expected).allSatisfy { abs($0.probability - Double($1.distribution.top.probability)) < 1e-3 })
        }
      }
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
      #expect(bad.error?.hasSuffix("found text.") == true)
    }
  }

  /// One part of a form does not fail the others.
  @Test func aPartWithALongFileNameOrWithoutANameIsRead() async throws {
    let name = String(repeating: "n", count: 6000)
    var form = Form().adding("\(name).png", try TestServer.face(1)).adding("b.png", try TestServer.face(2)).buffer
    let end = ByteBuffer(string: "--\(Form.boundary)--\r\n")
    form.moveWriterIndex(to: form.writerIndex - end.readableBytes)
    for (disposition, content) in [
      ("form-data; filename=\"c.png\"", try TestServer.face(3)), ("form-data", try TestServer.face(4)),
      ("form-data", ByteBuffer(string: "a comment")),
    ] {
      form.writeString("--\(Form.boundary)\r\nContent-Disposition: \(disposition)\r\n\r\n")
      form.writeImmutableBuffer(content)
      form.writeString("\r\n")
    }
    form.writeImmutableBuffer(end)
    try await TestServer.make().application().test(.router) { [form] client in
      let response = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: Form.contentType], body: form)
      #expect(response.status == .ok)
      let pictures = try response.json([PictureBody].self)
      #expect(pictures.map(\.file) == [String(repeating: "n", count: 1024) + "…", "b.png", "c.png", nil])
      #expect(
        pictures.map { $0.faces.first?.emotion } == (1...4).map { LabelSet.ferplus.emotions[$0].rawValue })
    }
  }

  /// Notations of numbers that only some programs know are refused.
  @Test(arguments: [
    ("minConfidence=0x1p-1", "minConfidence must be a decimal number from 0 to 1; found \"0x1p-1\"."),
    ("minConfidence=+0.5", "minConfidence must be a decimal number from 0 to 1; found \"+0.5\"."),
    ("minConfidence=inf", "minConfidence must be a decimal number from 0 to 1; found \"inf\"."),
    ("minConfidence=", "minConfidence must be a decimal number from 0 to 1; found \"\"."),
    ("minConfidence=1,5", "minConfidence must be a decimal number from 0 to 1; found \"1,5\"."),
    ("priorStrength=1e1", "priorStrength must be a decimal number from 0 to 1; found \"1e1\"."),
    ("minFace=+20", "minFace must be a whole number from 12 to 100000; found \"+20\"."),
    ("minFace=0x20", "minFace must be a whole number from 12 to 100000; found \"0x20\"."),
    ("minFace=20.0", "minFace must be a whole number from 12 to 100000; found \"20.0\"."),
    ("minconf=0.5", "The query has an unknown option \"minconf\"; did you mean minConfidence?"),
    ("minfce=20", "The query has an unknown option \"minfce\"; did you mean minFace?"),
  ])
  func numbersAreDecimal(query: String, message: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(uri: "/v1/detect?\(query)", method: .post, body: TestServer.face(1))
      #expect(response.status == .badRequest)
      #expect(try response.json(ErrorBody.self).error.message == message)
      for right in ["0.5", ".5", "5e-1", "00.50", "-0", "1"] {
        let taken = try await client.execute(
          uri: "/v1/detect?detector=none&minConfidence=\(right)", method: .post, body: TestServer.face(1))
        #expect(taken.status == .ok, "\(right)")
      }
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
    ("/v1/detect", "application/json", 400, "malformed_json"),
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
      // As curl's -d sends it.
      let hint = "curl's -d leaves out line ends and damages pictures: use --data-binary @photo.jpg"
      let fields = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: "application/x-www-form-urlencoded"], body: cut)
      #expect(fields.errorCode == "unreadable_picture")
      #expect(try fields.json(ErrorBody.self).error.message.hasSuffix("\(hint) -H 'Content-Type: image/jpeg'."))
      #expect(try !damaged.json(ErrorBody.self).error.message.contains(hint))
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
      // One tile again and again, and a picture of 64x64 pixels by its boxes whose decoder would need 3 GB.
      let tile = MadeHEIF.Item(2, MadeHEIF.tile, 64, 64)
      let tiles = MadeHEIF.repeated(tile, "iovl", MadeHEIF.overlay(1000, 64, 64), 64, 64, count: 1000)
      let sequence = MadeHEIF.sequence(9900, 9900, bits: 12, isNarrow: false, hasGrain: true)
      let large = MadeHEIF([.init(1, MadeHEIF.av1(sequence: sequence, frames: [[0]]), 64, 64)])
      for made in [tiles, large] {
        let response = try await client.execute(uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: made.file))
        #expect(response.status == .contentTooLarge && response.errorCode == "too_large")
      }
      // It ended the process.
      let circle = MadeHEIF([.init(1, "iden", Data(count: 1), [MadeHEIF.size(64, 64)]), tile], [("dimg", 1, [1])])
      let itself = try await client.execute(uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: circle.file))
      #expect(itself.status == .unprocessableContent && itself.errorCode == "unreadable_picture")
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
      #expect(many.status == .badRequest && many.errorCode == "too_many_pictures")
      #expect(try many.json(ErrorBody.self).error.message == "A request may have 2 pictures at most.")
      // Fields that are no pictures do not count.
      let fields = (0..<5).reduce(into: Form()) { form, index in form = form.adding("text \(index)", field: "n\(index)")
      }
      let few = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: Form.contentType],
        body: fields.adding("1", picture).adding("2", picture).buffer)
      #expect(try few.json([PictureBody].self).map(\.file) == ["1", "2"])
    }
  }

  @Test(arguments: [
    "image/jpeg", "image/jpg", "image/pjpeg", "image/*", "", "application/x-www-form-urlencoded", "text/plain",
    "application/octet-stream", "binary/octet-stream", "application/octet-stream; charset=binary", "nonsense",
  ])
  func theContentTellsTheKind(contentType: String) async throws {
    let face = try TestServer.face(4, as: .jpeg(quality: 95))
    let headers: HTTPFields = contentType.isEmpty ? [:] : [.contentType: contentType]
    try await TestServer.make().application().test(.router) { client in
      for body in [face, Self.base64(face), Self.uri(face), Self.base64(face, "\n")] {
        let response = try await client.execute(
          uri: "/v1/detect?detector=none", method: .post, headers: headers, body: body)
        #expect(response.status == .ok)
        #expect(try response.json(PictureBody.self).faces.first?.emotion == LabelSet.ferplus.emotions[4].rawValue)
      }
    }
  }

  /// A picture's base64 in lines, in the alphabet for addresses, and without padding.
  private static func base64(_ picture: ByteBuffer, _ lineEnd: String? = nil) -> ByteBuffer {
    var text = Data(picture.readableBytesView).base64EncodedString(
      options: lineEnd == nil ? [] : [.lineLength76Characters, .endLineWithLineFeed])
    if lineEnd != nil {
      text = text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") + "\n"
    }
    return ByteBuffer(string: text)
  }

  private static func uri(_ picture: ByteBuffer) -> ByteBuffer {
    ByteBuffer(string: "data:image/jpeg;base64," + String(buffer: base64(picture)))
  }

  @Test(arguments: ["application/json", "application/json; charset=utf-8", "text/plain", ""])
  func picturesAreTakenFromJSON(contentType: String) async throws {
    let (one, two) = (try TestServer.face(1), try TestServer.face(2))
    let (text, uri) = (String(buffer: Self.base64(one)), String(buffer: Self.uri(two)))
    let headers: HTTPFields = contentType.isEmpty ? [:] : [.contentType: contentType]
    try await TestServer.make().application().test(.router) { client in
      func post(_ body: String, to path: String = "/v1/detect?detector=none") async throws -> TestResponse {
        try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: body))
      }
      let names = LabelSet.ferplus.emotions.map(\.rawValue)
      for (body, index) in [("{\"image\": \"\(text)\"}", 1), ("\n {\"img\": \"\(uri)\"}", 2)] {
        #expect(try await post(body).json(PictureBody.self).faces.first?.emotion == names[index])
      }
      let list = try await post("{\"images\": [\"\(text)\", \"no picture\", \"\(uri)\"]}").json([PictureBody].self)
      #expect(list.map { $0.faces.first?.emotion } == [names[1], nil, names[2]])
      #expect(list[1].error?.contains("found text") == true)
      // One picture is one everywhere.
      #expect(try await post("{\"image\": \"\(text)\"}", to: "/v1/explain").status == .ok)
      #expect(try await post("{\"images\": [\"\(text)\", \"\(text)\"]}", to: "/v1/explain").status == .badRequest)
      for (body, status, code, word) in [
        ("{\"image\": \"hello there\"}", 415, "unsupported_type", "base64"),
        ("{\"image\": \"https://example.org/a.jpg\"}", 400, "bad_request", "not fetched"),
        ("{\"image\": \"data:image/png,abc\"}", 415, "unsupported_type", "base64"),
        ("{\"image\": \"\(text)\", \"minConfidence\": 1}", 400, "malformed_json", "query"),
        ("{\"image\": 5}", 400, "malformed_json", "image"),
        ("{\"photo\": \"\(text)\"}", 400, "malformed_json", "image"),
        ("{\"images\": []}", 400, "malformed_json", "images"), ("{}", 400, "malformed_json", "image"),
        ("{\"image\": ", 400, "malformed_json", "JSON"),
        ("{\"image\": \"\(text)\", \"image\": \"x\"}", 400, "malformed_json", "the key \"image\" twice"),
        ("{\"image\": \"\(text)\",}", 400, "malformed_json", "no JSON object"),
        ("{\"images\": [\"\(text)\",]}", 400, "malformed_json", "no JSON object"),
      ] {
        let response = try await post(body)
        let error = try response.json(ErrorBody.self).error
        #expect(
          response.status.code == status && error.code == code && error.message.contains(word), "\(body.prefix(40))")
      }
    }
  }

  @Test func fieldsOfAFormMayHoldPictures() async throws {
    let (one, two) = (try TestServer.face(1), try TestServer.face(2))
    let form = Form().adding("me", field: "name").adding(String(buffer: Self.base64(one)), field: "a")
      .adding("two.png", two).adding(String(buffer: Self.uri(two)), field: "b").adding("three.txt", Self.base64(one))
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentType: Form.contentType], body: form.buffer)
      let pictures = try response.json([PictureBody].self)
      let names = LabelSet.ferplus.emotions.map(\.rawValue)
      #expect(pictures.map(\.file) == [nil, "two.png", nil, "three.txt"])
      #expect(pictures.map { $0.faces.first?.emotion } == [names[1], names[2], names[2], names[1]])
      let none = try await client.execute(
        uri: "/v1/detect", method: .post, headers: [.contentType: Form.contentType],
        body: Form().adding("me", field: "name").buffer)
      #expect(none.status == .badRequest && none.errorCode == "bad_request")
    }
  }

  @Test func whatIsNotTakenIsNamed() async throws {
    let gzip = ByteBuffer(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
    try await TestServer.make().application().test(.router) { client in
      for (headers, body, words) in [
        ([.contentEncoding: "gzip"], gzip, "Content-Encoding: gzip"), ([:], gzip, "gzip"),
        ([.contentType: "application/x-www-form-urlencoded"], ByteBuffer(string: "a=b"), "--data-binary"),
        ([:], ByteBuffer(string: "aGVsbG8gdGhlcmU="), ") or its base64, found text."),
        // Who sends a file need not know of base64.
        ([.contentType: "image/jpeg"], ByteBuffer(string: "some notes"), "), found text."),
        ([.contentType: "application/octet-stream"], ByteBuffer(string: "some notes"), "), found text."),
        ([.contentType: "image/jpeg"], ByteBuffer(string: "data:text/plain;base64,aGVsbG8="), "found text"),
        ([:], ByteBuffer(string: "data:image/png;base64,!!!"), "data URI"),
        ([:], ByteBuffer(string: "%PDF-1.7 and so on"), "PDF"),
        ([.contentType: "image/heic"], ByteBuffer(bytes: [0, 0, 0, 24] + Array("ftypcrx isom".utf8)), "raw photo"),
        ([:], ByteBuffer(bytes: [0, 0, 0, 24] + Array("ftypisommp42".utf8)), "POST /v1/video"),
      ] as [(HTTPFields, ByteBuffer, String)] {
        let response = try await client.execute(uri: "/v1/detect", method: .post, headers: headers, body: body)
        #expect(response.status == .unsupportedMediaType)
        #expect(try response.json(ErrorBody.self).error.message.contains(words))
        if headers[.contentEncoding] != nil { #expect(response.headers[.acceptEncoding] == "identity") }
      }
      let same = try await client.execute(
        uri: "/v1/detect?detector=none", method: .post, headers: [.contentEncoding: "identity"],
        body: TestServer.face(1))
      #expect(same.status == .ok)
    }
  }

  @Test(.enabled(if: Shared.has("cases/http"), "needs ../shared/cases/http"))
  func bodiesThatUsersSendAreRead() async throws {
    let folder = Shared.url("cases/http")
    try await TestServer.make().application().test(.router) { client in
      for (name, type) in [
        ("face.jpg", "image/jpg"), ("face.jpg", ""), ("base64.txt", "image/jpeg"), ("data-uri.txt", "image/jpeg"),
        ("image.json", "application/json"), ("image-data-uri.json", "application/json"),
      ] {
        let response = try await client.execute(
          uri: "/v1/detect", method: .post, headers: type.isEmpty ? [:] : [.contentType: type],
          body: ByteBuffer(bytes: try Data(contentsOf: folder.appendingPathComponent(name))))
        let picture = try response.json(PictureBody.self)
        #expect(picture.width == 200 && picture.height == 200 && picture.faces.count == 1, "\(name), \(type)")
      }
    }
  }

  @Test(.enabled(if: PictureCase.exist, "needs ../shared/cases"), arguments: ["image-formats", "image-jpeg"])
  func allThatDetectReadsIsRead(folder: String) async throws {
    struct Answer: Decodable {
      let width, height: Int?
      let faces: [PictureBody.Face]
      let warning: String?
    }
    try await TestServer.make().application().test(.router) { client in
      for picture in try PictureCase.all(in: folder) {
        let response = try await client.execute(
          uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: try Data(contentsOf: picture.url)))
        #expect(response.status == .ok, "\(picture.file): \(String(buffer: response.body))")
        let answer = try response.json(Answer.self)
        let image = try Image(contentsOf: picture.url)
        #expect(answer.width == picture.width && answer.height == picture.height, "\(picture.file)")
        let warning = image.warning?.replacing(Image.videoAdvice, with: "POST /v1/video reads all")
        #expect(answer.warning == warning, "\(picture.file)")
      }
      let others = Cases.paths(in: folder).filter { path in [".pdf", ".svg"].contains { path.hasSuffix($0) } }
      for path in others {
        let response = try await client.execute(
          uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: try Data(contentsOf: Cases.url(path))))
        #expect(response.status == .unsupportedMediaType && response.errorCode == "unsupported_type", "\(path)")
      }
    }
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func largePicturesAreReadAtReducedSize() async throws {
    let photo = ByteBuffer(bytes: try Data(contentsOf: Sample.url))
    var boxes: [Box] = []
    for kept in [32_000_000, 100_000] {
      boxes += try await TestServer.make { $0.limits.decodedPixels = kept }.application().test(.router) { client in
        let body = try await client.execute(uri: "/v1/detect", method: .post, body: photo).json(PictureBody.self)
        #expect(body.width == 512 && body.height == 512 && body.faces.count == 1)
        return body.faces.map(\.box)
      }
    }
    let (whole, reduced) = (try #require(boxes.first), try #require(boxes.last))
    #expect(abs(whole.x - reduced.x) < 12 && abs(whole.y - reduced.y) < 12 && abs(whole.width - reduced.width) < 12)
    // As phones make them: more pixels than are kept.
    let flat = try Image(width: 8000, height: 6000, channels: 1, pixels: [UInt8](repeating: 90, count: 48_000_000))
    let large = ByteBuffer(bytes: try flat.encoded(as: .jpeg(quality: 80)))
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(uri: "/v1/detect?detector=none", method: .post, body: large)
      let body = try response.json(PictureBody.self)
      #expect(body.width == 8000 && body.height == 6000)
      #expect(body.faces.first?.box == Box(x: 0, y: 0, width: 8000, height: 6000))
    }
  }
}
