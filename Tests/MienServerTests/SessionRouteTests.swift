import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import MienVision
import Testing

@Suite struct SessionRouteTests {
  private struct Opened: Decodable {
    let id: String
    let minConfidence: Double
    let smoothing: Bool
    let expiresAfterSeconds: Double
  }

  private func open(
    _ client: any TestClientProtocol, _ body: String? = nil, headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    var headers = headers
    if body != nil { headers[.contentType] = "application/json" }
    return try await client.execute(
      uri: "/v1/sessions", method: .post, headers: headers, body: body.map { ByteBuffer(string: $0) })
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func facesKeepTheirNumbersFromPictureToPicture() async throws {
    let photo = ByteBuffer(bytes: try Data(contentsOf: Sample.url))
    try await TestServer.make().application().test(.router) { client in
      let opened = try await open(client, "{\"minConfidence\": 0.99, \"smoothing\": false}")
      #expect(opened.status == .created)
      let session = try opened.json(Opened.self)
      #expect(opened.headers[.location] == "/v1/sessions/\(session.id)")
      #expect(session.minConfidence > 0.98 && !session.smoothing && session.expiresAfterSeconds == 60)
      var tracks: [Int?] = []
      for index in 0..<3 {
        let response = try await client.execute(
          uri: "/v1/sessions/\(session.id)/frames?seconds=\(Double(index) / 10)", method: .post,
          headers: [.contentType: "image/png"], body: photo)
        #expect(response.status == .ok)
        let frame = try response.json(FrameBody.self)
        #expect(frame.frame == index && frame.width == 512 && frame.height == 512)
        #expect(abs(frame.seconds - Double(index) / 10) < 1e-9)
        let face = try #require(frame.faces.first)
        // A network that reads the top row is sure of nothing in a photo, so there is no label.
        #expect(face.emotion == nil && abs((face.smoothed?.values.reduce(0, +) ?? 0) - 1) < 1e-4)
        tracks.append(face.track)
      }
      #expect(tracks == [1, 1, 1])
      let closed = try await client.execute(uri: "/v1/sessions/\(session.id)", method: .delete)
      #expect(closed.status == .noContent)
      let after = try await client.execute(
        uri: "/v1/sessions/\(session.id)/frames", method: .post, headers: [.contentType: "image/png"], body: photo)
      #expect(after.status == .notFound && after.errorCode == "no_session")
    }
  }

  @Test func threePicturesAtOnceAreOneTooMany() async throws {
    // One picture is worked on for the whole machine, so the others are still under way when the third comes.
    let picture = try TestServer.noise(side: 1500)
    try await TestServer.make { $0.limits.waitingSeconds = 60 }.application().test(.router) { client in
      let id = try await open(client).json(Opened.self).id
      let answers = try await withThrowingTaskGroup(of: TestResponse.self) { group in
        for _ in 0..<6 {
          group.addTask {
            try await client.execute(
              uri: "/v1/sessions/\(id)/frames", method: .post, headers: [.contentType: "image/png"], body: picture)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let refused = answers.filter { $0.status == .tooManyRequests }
      #expect(!refused.isEmpty && refused.allSatisfy { $0.errorCode == "busy" && $0.headers[.retryAfter] != nil })
      let frames = try answers.filter { $0.status == .ok }.map { try $0.json(FrameBody.self) }
      #expect(frames.count >= 2 && frames.count + refused.count == 6)
      #expect(Set(frames.map(\.frame)).count == frames.count)
    }
  }

  @Test func sessionsAreCountedAndBelongToOneToken() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)", .contentType: "image/png"] }
    let picture = try TestServer.face(0)
    let server = try TestServer.make {
      $0.tokens = try AccessTokens(tokens)
      $0.limits.sessions = 4
    }
    try await server.application().test(.router) { client in
      let id = try await open(client, "{}", headers: headers[0]).json(Opened.self).id
      let foreign = try await client.execute(uri: "/v1/sessions/\(id)", method: .delete, headers: headers[1])
      #expect(foreign.status == .notFound && foreign.errorCode == "no_session")
      let own = try await client.execute(
        uri: "/v1/sessions/\(id)/frames", method: .post, headers: headers[0], body: picture)
      #expect(own.status == .ok)
      for _ in 0..<2 { #expect(try await open(client, "{}", headers: headers[1]).status == .created) }
      // A client may have as many as are free then.
      let third = try await open(client, "{}", headers: headers[1])
      #expect(third.status == .tooManyRequests && third.headers[.retryAfter] != nil)
      #expect(String(buffer: third.body).contains("your sessions"))
      // The last one is for those who have none.
      #expect(try await open(client, "{}", headers: headers[0]).status == .tooManyRequests)
    }
  }

  @Test func sessionsThatAreNotUsedExpire() async throws {
    let picture = try TestServer.face(0)
    let server = try TestServer.make {
      $0.limits.sessions = 1
      $0.limits.sessionSeconds = 0.1
    }
    try await server.application().test(.router) { client in
      let id = try await open(client, "{}").json(Opened.self).id
      try await Task.sleep(for: .seconds(0.2))
      let expired = try await client.execute(
        uri: "/v1/sessions/\(id)/frames", method: .post, headers: [.contentType: "image/png"], body: picture)
      #expect(expired.status == .notFound && expired.errorCode == "no_session")
      #expect(try await open(client, "{}").status == .created)
    }
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func oneWrongTimeDoesNotStopTheSmoothing() async throws {
    // Two pictures that are read differently.
    let photo = try Image(contentsOf: Sample.url)
    let dark = try Image(
      width: photo.width, height: photo.height, channels: photo.channels, pixels: photo.pixels.map { $0 / 2 })
    let pictures = try [photo, dark].map { ByteBuffer(bytes: try $0.encoded(as: .png)) }
    try await TestServer.make().application().test(.router) { client in
      let id = try await open(client).json(Opened.self).id
      func frame(_ seconds: Double, _ picture: Int) async throws -> TrackedBody {
        let response = try await client.execute(
          uri: "/v1/sessions/\(id)/frames?seconds=\(seconds)", method: .post, headers: [.contentType: "image/png"],
          body: pictures[picture])
        let body = try response.json(FrameBody.self)
        #expect(body.seconds == seconds)
        return try #require(body.faces.first)
      }
      for seconds in [0, 1e12, 0.1] { _ = try await frame(seconds, 0) }
      // Two seconds later the smoothed reading has gone over to the other picture.
      var last = try await frame(0.2, 1)
      for step in 1...20 { last = try await frame(0.2 + Double(step) / 10, 1) }
      let (scores, smoothed) = (try #require(last.scores), try #require(last.smoothed))
      #expect(scores.allSatisfy { abs($0.value - (smoothed[$0.key] ?? 0)) < 0.01 })
    }
  }

  @Test(arguments: [
    ("[]", "a JSON object in UTF-8"), ("{", "a JSON object in UTF-8"), ("null", "a JSON object in UTF-8"),
    ("{\"smoothing\": true,}", "a JSON object in UTF-8"), ("{\"minFace\": +20}", "a JSON object in UTF-8"),
    ("{\"minFace\": 0x14}", "a JSON object in UTF-8"),
    ("{\"a\": 1}", "unknown key \"a\"; it takes minConfidence, smoothing, model, "),
    ("{\"smothing\": true}", "unknown key \"smothing\"; did you mean smoothing?"),
    ("{\"minConfidence\": 2}", "minConfidence must be a number from 0 to 1; found the number 2."),
    ("{\"minConfidence\": \"1\"}", "minConfidence must be a number from 0 to 1; found the string \"1\"."),
    ("{\"smoothing\": 1}", "smoothing must be true or false; found the number 1."),
    ("{\"smoothing\": [true]}", "smoothing must be true or false; found a list."),
    ("{\"model\": {\"name\": \"mien-s\"}}", "model must be a string; found an object."),
    ("{\"profile\": false}", "profile must be a string; found false."),
    ("{\"detector\": 3}", "detector must be one of blazeface, haar, none; found the number 3."),
    ("{\"detector\": \"magic\"}", "detector must be one of blazeface, haar, none; found \"magic\"."),
    ("{\"minFace\": \"20\"}", "minFace must be a whole number from 12 to 100000; found the string \"20\"."),
    ("{\"minFace\": 20.5}", "minFace must be a whole number from 12 to 100000; found the number 20.5."),
    (
      "{\"minFace\": 99999999999999999999}", "minFace must be a whole number from 12 to 100000; found the number 1e+20."
    ),
    ("{\"minFace\": 1e400}", "minFace must be a whole number from 12 to 100000; found the number 1e400."),
    ("{\"minConfidence\": -1e999}", "minConfidence must be a number from 0 to 1; found the number -1e999."),
    ("{\"minConfidence\": 1e-400}", "minConfidence must be a number from 0 to 1; found a number too close to 0."),
    ("{\"smoothing\": 1\(String(repeating: "0", count: 400))}", "found the number 100000000000000000000000…."),
    ("{\"minFace\": 1e4e400}", "a JSON object in UTF-8"), ("{\"minFace\": [1e400]}", "a JSON object in UTF-8"),
    ("{\"minFace\": 11}", "minFace must be a whole number from 12 to 100000; found 11."),
    ("{\"prior\": 0.5}", "prior must be a string; found the number 0.5."),
    ("{\"priorStrength\": -1}", "priorStrength must be a number from 0 to 1; found -1."),
    ("{\"prior\": \"uniform\", \"priorStrength\": true}", "priorStrength must be a number from 0 to 1; found true."),
  ])
  func wrongOptionsAreNamed(body: String, words: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await open(client, body)
      #expect(response.status == .badRequest && response.errorCode == "bad_request")
      let message = try response.json(ErrorBody.self).error.message
      #expect(message.contains(words), "\(message)")
    }
  }

  @Test(arguments: [
    "{\"minConfidence\": null, \"smoothing\": null, \"model\": null, \"profile\": null, \"detector\": null, "
      + "\"minFace\": null, \"prior\": null, \"priorStrength\": null}", "{}", "{\"minConfidence\": 0.4}",
  ])
  func nullIsAsIfTheKeyWereAbsent(body: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await open(client, body)
      #expect(response.status == .created)
      let session = try response.json(Opened.self)
      #expect(abs(session.minConfidence - 0.4) < 1e-6 && session.smoothing)
    }
  }

  @Test func minusZeroIsZero() async throws {
    try await TestServer.make().application().test(.router) { client in
      let opened = try await open(client, "{\"minConfidence\": -0, \"detector\": \"none\"}")
      #expect(opened.status == .created && String(buffer: opened.body).contains("\"minConfidence\":0,"))
      let id = try opened.json(Opened.self).id
      let frame = try await client.execute(
        uri: "/v1/sessions/\(id)/frames?seconds=-0", method: .post, body: TestServer.face(1))
      let text = String(buffer: frame.body)
      #expect(frame.status == .ok && text.contains("\"seconds\":0") && !text.contains("\"seconds\":-"), "\(text)")
    }
  }

  @Test(arguments: [
    ("{\"minConfidence\": 0.4, \"smoothing\": true, \"minConfidence\": 0.9}", "minConfidence"),
    ("{\"model\": \"a, b}\", \"smoothing\": true, \"mod\\u0065l\": \"\\\\\"}", "model"),
    ("{\"smoothing\": {\"a\": [{\"a\": 1}], \"a\": 2}}", "a"),
  ])
  func aKeyThatIsThereTwiceIsNamed(body: String, key: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      let response = try await open(client, body)
      #expect(response.status == .badRequest && response.errorCode == "malformed_json")
      #expect(try response.json(ErrorBody.self).error.message.contains("the key \"\(key)\" twice"))
    }
  }

  @Test func keysOfDifferentObjectsMayBeTheSame() async throws {
    // Refused for what it says, not for its keys.
    try await TestServer.make().application().test(.router) { client in
      let response = try await open(client, "{\"smoothing\": [{\"a\": 1}, {\"a\": 1}], \"a\": \"\\\"a\\\"\"}")
      #expect(response.errorCode == "bad_request")
    }
  }

  @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32LittleEndian])
  func optionsInOtherEncodingsAreRefused(encoding: String.Encoding) async throws {
    let body = try #require("{\"minConfidence\": 0.4}".data(using: encoding))
    try await TestServer.make().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/sessions", method: .post, headers: [.contentType: "application/json"], body: ByteBuffer(bytes: body))
      #expect(response.status == .badRequest)
      #expect(try response.json(ErrorBody.self).error.message.contains("UTF-8"))
    }
  }

  @Test(arguments: ["..%2F..%2Fetc%2Fpasswd", "%00", "0", "../x", String(repeating: "a", count: 32)])
  func namesThatLookLikePathsAreNotFound(id: String) async throws {
    try await TestServer.make().application().test(.router) { client in
      for (uri, method) in [
        ("/v1/sessions/\(id)", HTTPRequest.Method.delete), ("/v1/video/\(id)", .get), ("/v1/video/\(id)/result", .get),
        ("/v1/video/\(id)", .delete),
      ] {
        let response = try await client.execute(uri: uri, method: method)
        #expect(response.status == .notFound)
      }
    }
  }

  @Test func whoListensGetsEveryAnswer() async throws {
    try await TestServer.make().application().test(.live) { client in
      let port = try #require(client.port)
      let id = try await open(client, "{\"detector\": \"none\"}").json(Opened.self).id
      let listener = try RawClient(port: port)
      try await listener.send(
        Data("GET /v1/sessions/\(id)/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
      let head = try await listener.receive(upTo: ": still here\n\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 200 ") && head.lowercased().contains("content-type: text/event-stream"))
      #expect(head.lowercased().contains("x-accel-buffering: no"))
      for index in 0..<3 {
        let sent = try await client.execute(
          uri: "/v1/sessions/\(id)/frames?seconds=\(index)", method: .post, body: TestServer.face(index))
        let answer = String(buffer: sent.body)
        let event = try await listener.receive(upTo: "\n\n\r\n")
        #expect(event.contains("event: frame\nid: \(index)\ndata: \(answer)\n\n"), "\(event)")
      }
      #expect(try await client.execute(uri: "/v1/sessions/\(id)", method: .delete).status == .noContent)
      // The answer ends with the session.
      #expect(try await listener.receive().contains("event: end\n"))
      let late = try await client.execute(uri: "/v1/sessions/\(id)/events", method: .get)
      #expect(late.status == .notFound && late.errorCode == "no_session")
    }
  }

  @Test func fewMayListenToASession() async throws {
    try await TestServer.make().application().test(.live) { client in
      let port = try #require(client.port)
      let id = try await open(client).json(Opened.self).id
      let request = Data("GET /v1/sessions/\(id)/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
      var listeners: [RawClient] = []
      for _ in 0..<8 {
        let listener = try RawClient(port: port)
        try await listener.send(request)
        _ = try await listener.receive(upTo: ": still here\n\n\r\n")
        listeners.append(listener)
      }
      let more = try await client.execute(uri: "/v1/sessions/\(id)/events", method: .get)
      #expect(more.status == .tooManyRequests && more.headers[.retryAfter] != nil)
      _ = try await client.execute(uri: "/v1/sessions/\(id)", method: .delete)
      for listener in listeners { #expect(try await listener.receive().contains("event: end\n")) }
    }
  }
}
