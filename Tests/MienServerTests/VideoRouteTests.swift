import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import MienVision
import Testing

@Suite struct VideoRouteTests {
  /// Waits until the video is read.
  private func wait(
    for id: String, _ client: any TestClientProtocol, headers: HTTPFields = [:]
  ) async throws -> VideoBody {
    var video: VideoBody?
    try #require(
      await eventually {
        video = try await client.execute(uri: "/v1/video/\(id)", method: .get, headers: headers).json(VideoBody.self)
        return ["done", "failed"].contains(video?.state)
      })
    return try #require(video)
  }

  private func send(
    _ client: any TestClientProtocol, _ data: Data, query: String = "", headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    var headers = headers
    headers[.contentType] = "video/mp4"
    return try await client.execute(
      uri: "/v1/video\(query)", method: .post, headers: headers, body: ByteBuffer(bytes: data))
  }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func videosAreReadOneAfterAnother() async throws {
    let folder = try TemporaryFolder()
    let clip = try Sample.clip()
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let first = try await send(client, clip, query: "?every=4&minConfidence=0.99")
      #expect(first.status == .accepted)
      let id = try first.json(VideoBody.self).id
      #expect(first.headers[.location] == "/v1/video/\(id)")
      let second = try await send(client, clip, query: "?every=6").json(VideoBody.self).id

      let done = try await wait(for: id, client)
      #expect(done.state == "done" && done.frames == 3 && done.progress == 1)
      #expect(done.error == nil && done.errorCode == nil)
      let result = try await client.execute(uri: "/v1/video/\(id)/result", method: .get)
      #expect(result.headers[.contentType] == "application/x-ndjson")
      let rows = try String(buffer: result.body).split(separator: "\n").map {
        try JSONDecoder().decode(TrackedBody.self, from: Data($0.utf8))
      }
      #expect(rows.map(\.frame) == [0, 4, 8] && rows.map(\.seconds) == [0, 1, 2])
      #expect(rows.first?.track == 1 && rows.first?.box != nil && rows.first?.emotion == nil)
      #expect(try await wait(for: second, client).frames == 2)
      // What was sent is not kept.
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
      #expect(!names.contains { $0.hasSuffix("upload") } && names.contains { $0.hasSuffix("result.jsonl") })

      for job in [id, second] {
        #expect(try await client.execute(uri: "/v1/video/\(job)", method: .delete).status == .noContent)
        #expect(try await client.execute(uri: "/v1/video/\(job)", method: .get).errorCode == "no_video")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("videos").path).isEmpty)
    }
  }

  @Test func whatIsNoVideoFailsWithAReasonThatNamesNoPath() async throws {
    let folder = try TemporaryFolder()
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let id = try await send(client, Data("no video".utf8)).json(VideoBody.self).id
      let video = try await wait(for: id, client)
      #expect(video.state == "failed" && video.error?.contains("is not a video") == true)
      #expect(video.errorCode == "unreadable_video")
      #expect(video.error?.contains(folder.url.path) == false)
      let result = try await client.execute(uri: "/v1/video/\(id)/result", method: .get)
      #expect(result.status == .conflict && result.errorCode == "failed")
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
      #expect(!names.contains { $0.hasSuffix("upload") || $0.hasSuffix("result.jsonl") })
    }
  }

  /// Uploads that drip in for as long as they may must not keep others out.
  @Test func framesOverTheLimitAreRefusedWithTheirSize() async throws {
    let clip = Data("YUV4MPEG2 W16384 H8704 F5:1 Ip A1:1 C420jpeg\nFRAME\n".utf8)
    try await TestServer.make().application().test(.live) { client in
      let id = try await send(client, clip).json(VideoBody.self).id
      let video = try await wait(for: id, client)
      #expect(video.state == "failed" && video.frames == 0)
      #expect(video.error?.contains("16384x8704 pixels, more than the limit of 36000000") == true, "\(video)")
    }
  }

  /// An MP4 of some hundred bytes, whose frames FFmpeg would list in gigabytes.
  @Test func indexesThatClaimMoreThanTheFileHoldsAreRefused() async throws {
    let tables = DrawnClip.box("stsz", [0, 1, 170_000_000]) + DrawnClip.box("stsc", [0, 1, 1, 170_000_000, 1])
    let clip = DrawnClip.mp4(handler: "vide", codec: "avc1", tables: tables)
    try await TestServer.make().application().test(.live) { client in
      let id = try await send(client, clip).json(VideoBody.self).id
      let video = try await wait(for: id, client)
      #expect(video.state == "failed" && video.error?.contains("claims 170,000,000 entries") == true, "\(video)")
    }
  }

  /// Boxes and sizes are those of the whole frame, though it is searched at half its size.
  @Test func framesBeyond4KAreRead() async throws {
    let (width, height) = (4200, 2400)
    let plane = Data(repeating: 128, count: width * height * 3 / 2)
    let clip = Data("YUV4MPEG2 W\(width) H\(height) F5:1 Ip A1:1 C420jpeg\nFRAME\n".utf8) + plane
    try await TestServer.make().application().test(.live) { client in
      let id = try await send(client, clip, query: "?detector=none").json(VideoBody.self).id
      let video = try await wait(for: id, client)
      #expect(video.state == "done" && video.frames == 1, "\(video)")
      let result = try await client.execute(uri: "/v1/video/\(id)/result", method: .get)
      let row = try JSONDecoder().decode(TrackedBody.self, from: Data(String(buffer: result.body).utf8))
      #expect(row.box == Box(x: 0, y: 0, width: width, height: height), "\(row)")
    }
  }

  @Test func aClientsVideosTakeHalfOfThePlaces() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) {
      $0.tokens = try AccessTokens(tokens)
      $0.limits.videos = 2
    }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      let slow = try RawClient(port: port)
      let head = "POST /v1/video HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(tokens[0])\r\n"
      try await slow.send(Data("\(head)Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n".utf8))
      #expect(try await slow.receive(upTo: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
      let second = try await send(client, Data(count: 9), headers: headers[0])
      #expect(second.status == .tooManyRequests && String(buffer: second.body).contains("your videos"))
      let other = try await send(client, Data(count: 9), headers: headers[1])
      #expect(other.status != .tooManyRequests)
      slow.hangUp()
    }
  }

  @Test func uploadsAreBoundedAndJobsBelongToOneToken() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) {
      $0.tokens = try AccessTokens(tokens)
      $0.limits.videoBytes = 1000
      $0.limits.resultSeconds = 3
    }
    try await server.application().test(.live) { client in
      #expect(try await send(client, Data(count: 1001), headers: headers[0]).errorCode == "too_large")
      #expect(try await send(client, Data(), headers: headers[0]).errorCode == "bad_request")
      #expect(try await send(client, Data(count: 9), query: "?every=0", headers: headers[0]).errorCode == "bad_request")
      let text = try await client.execute(
        uri: "/v1/video", method: .post, headers: [.authorization: "Bearer \(tokens[0])", .contentType: "text/plain"],
        body: ByteBuffer(string: "x"))
      #expect(text.status == .unsupportedMediaType)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("videos").path).isEmpty)

      let id = try await send(client, Data("no video".utf8), headers: headers[0]).json(VideoBody.self).id
      for (uri, method) in [("", HTTPRequest.Method.get), ("/result", .get), ("", .delete)] {
        let foreign = try await client.execute(uri: "/v1/video/\(id)\(uri)", method: method, headers: headers[1])
        #expect(foreign.status == .notFound && foreign.errorCode == "no_video")
      }
      _ = try await wait(for: id, client, headers: headers[0])
      #expect(
        try await eventually {
          try await client.execute(uri: "/v1/video/\(id)", method: .get, headers: headers[0]).status == .notFound
        })
      // Its files are removed a little later, by nobody's request.
      #expect(
        try await eventually {
          try FileManager.default.contentsOfDirectory(atPath: folder.file("videos").path).isEmpty
        })
    }
  }

  @Test func videosAreToldByTheirContentAndTakenFromForms() async throws {
    let folder = try TemporaryFolder()
    let clip = DrawnClip.y4m(width: 64, height: 64, rate: 4, frames: [[UInt8](repeating: 9, count: 64 * 64 * 3)])
    let form = Form().adding("my clip", field: "title").adding("clip.y4m", ByteBuffer(bytes: clip)).buffer
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      for (type, body) in [
        ("application/mp4", ByteBuffer(bytes: clip)), ("", ByteBuffer(bytes: clip)),
        ("application/x-www-form-urlencoded", ByteBuffer(bytes: clip)), (Form.contentType, form),
      ] {
        let sent = try await client.execute(
          uri: "/v1/video", method: .post, headers: type.isEmpty ? [:] : [.contentType: type], body: body)
        #expect(sent.status == .accepted, "\(type)")
        let done = try await wait(for: sent.json(VideoBody.self).id, client)
        #expect(done.state == "done" && done.frames == 1)
      }
      // Two frames of 8x8 pixels.
      let animation =
        "47494638396108000800810000000000000000000000000000"
        + "21f90400190000002c000000000800080000080f0001081c48b0a0c18308132a4c181000"
        + "21f90401190001002c000000000800080081ffffff000000000000000000080f0001081c48b0a0c18308132a4c1810003b"
      let gif = try await client.execute(
        uri: "/v1/video", method: .post, headers: [.contentType: "image/gif"],
        body: ByteBuffer(bytes: Self.bytes(animation)))
      #expect(gif.status == .accepted)
      // As a photo, its first frame is read; the answer says which route reads the others.
      let photo = try await client.execute(
        uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: Self.bytes(animation)))
      let words = String(buffer: photo.body)
      #expect(
        words.contains("animated GIF of 2 frames") && words.contains("was read; POST /v1/video reads all"), "\(words)")
      #expect(!words.contains("mien video"))
      // Other animations are told by their headers.
      let png = [UInt8](try TestServer.face(1).readableBytesView)
      let control: [UInt8] = [0, 0, 0, 8] + Array("acTL".utf8) + [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
      let webP = Array("RIFF\0\0\0\0WEBPVP8X".utf8) + [10, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 40)
      // A sequence of pictures without a still picture: as far as it is looked into, its handler and its number of frames.
      func box(_ type: String, _ content: [UInt8]) -> [UInt8] {
        [0, 0, 0, UInt8(8 + content.count)] + Array(type.utf8) + content
      }
      let count = box("minf", box("stbl", box("stsz", [UInt8](repeating: 0, count: 11) + [5])))
      let media = box("mdia", box("hdlr", [UInt8](repeating: 0, count: 8) + Array("pict".utf8)) + count)
      let sequence = box("ftyp", Array("avis\0\0\0\0".utf8)) + box("moov", box("trak", media))
      let unread = try await client.execute(uri: "/v1/detect", method: .post, body: ByteBuffer(bytes: sequence))
      let advice = "an animated AVIF of 5 frames without a still picture to read as a photo; POST /v1/video reads all"
      #expect(unread.errorCode == "unreadable_picture" && String(buffer: unread.body).contains(advice))
      let jpeg = [UInt8](try Image(encoded: Data(png)).encoded(as: .jpeg(quality: 90)))
      let starts: [[UInt8]] = [Array(png[..<33]) + control + Array(png[33...]), webP, sequence, jpeg + jpeg]
      for start in starts {
        let sent = try await client.execute(uri: "/v1/video", method: .post, body: ByteBuffer(bytes: start))
        #expect(sent.status == .accepted, "\(String(buffer: sent.body))")
      }
      for (type, body, code) in [
        ("video/mp4", try TestServer.face(1), "unsupported_type"),
        ("video/mp4", ByteBuffer(bytes: jpeg), "unsupported_type"),
        ("text/plain", ByteBuffer(string: "some text that is no video"), "unsupported_type"),
        ("video/mp4", ByteBuffer(bytes: [0x1F, 0x8B] + [UInt8](repeating: 0, count: 30)), "unsupported_type"),
        (Form.contentType, Form().adding("x", field: "title").buffer, "bad_request"),
        (Form.contentType, ByteBuffer(string: "--"), "malformed_multipart"),
        (
          Form.contentType, Form().adding("a", ByteBuffer(bytes: clip)).adding("b", ByteBuffer(bytes: clip)).buffer,
          "malformed_multipart"
        ),
      ] {
        let sent = try await client.execute(uri: "/v1/video", method: .post, headers: [.contentType: type], body: body)
        #expect(sent.errorCode == code, "\(type)")
      }
      // What a part lacks is said if it is why there is no file.
      let nameless = "--\(Form.boundary)\r\nContent-Disposition: form-data\r\n\r\nx\r\n--\(Form.boundary)--\r\n"
      let sent = try await client.execute(
        uri: "/v1/video", method: .post, headers: [.contentType: Form.contentType], body: ByteBuffer(string: nameless))
      #expect(sent.status == .badRequest)
      #expect(try sent.json(ErrorBody.self).error.message.hasSuffix("Part 1 has neither a name nor a file name."))
    }
  }

  /// The bytes that hexadecimal digits stand for.
  private static func bytes(_ digits: String) -> [UInt8] {
    let digits = digits.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
  }

  private struct List: Decodable { let videos: [VideoBody] }

  @Test(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
  func clientsHaveTheirVideosReadInTurns() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) { $0.tokens = try AccessTokens(tokens) }
    let (long, short) = (try Sample.clip(mirrored: 300), try Sample.clip())
    try await server.application().test(.live) { client in
      var ids: [String] = []
      for _ in 0..<3 { ids.append(try await send(client, long, headers: headers[0]).json(VideoBody.self).id) }
      let other = try await send(client, short, headers: headers[1]).json(VideoBody.self).id
      #expect(try await wait(for: other, client, headers: headers[1]).state == "done")
      let last = try await client.execute(uri: "/v1/video/\(ids[2])", method: .get, headers: headers[0])
      #expect(try last.json(VideoBody.self).state != "done")
      for id in ids {
        #expect(
          try await client.execute(uri: "/v1/video/\(id)", method: .delete, headers: headers[0]).status == .noContent)
      }
    }
  }

  @Test func whatIsWrongWithAVideoThatWasReadIsSaid() async throws {
    let damaged = try DrawnClip.hiddenFrames(3, width: 64, height: 32, isDamaged: true)
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url)
    try await server.application().test(.live) { client in
      let id = try await send(client, damaged).json(VideoBody.self).id
      let done = try await wait(for: id, client)
      #expect(done.state == "done" && done.frames == 2)
      #expect(done.warning?.contains("3 frames could not be decoded and are missing") == true, "\(done)")
    }
  }

  /// Frames of 8K that are not shown take seconds, and their reader gives none meanwhile.
  @Test func aTurnEndsThoughNoFrameComes() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) { options in
      options.tokens = try AccessTokens(tokens)
      options.limits.videoTurnSeconds = 0.1
    }
    let slow = try DrawnClip.hiddenFrames(900, width: 7680, height: 4320)
    let short = DrawnClip.y4m(width: 64, height: 64, rate: 4, frames: [[UInt8](repeating: 0, count: 64 * 64 * 3)])
    try await server.application().test(.live) { client in
      func video(_ id: String) async throws -> VideoBody {
        try await client.execute(uri: "/v1/video/\(id)", method: .get, headers: headers[0]).json(VideoBody.self)
      }
      let id = try await send(client, slow, headers: headers[0]).json(VideoBody.self).id
      try #require(await eventually { try await video(id).frames == 1 })
      let other = try await send(client, short, headers: headers[1]).json(VideoBody.self).id
      #expect(try await wait(for: other, client, headers: headers[1]).state == "done")
      let found = try await video(id)
      #expect(found.state == "running" && found.frames == 1)
      #expect(
        try await client.execute(uri: "/v1/video/\(id)", method: .delete, headers: headers[0]).status == .noContent)
      // A client's videos are read one after another: the decoder of the removed one has ended.
      let next = try await send(client, short, headers: headers[0]).json(VideoBody.self).id
      #expect(try await wait(for: next, client, headers: headers[0]).state == "done")
    }
  }

  @Test func aVideoWhoseRecordIsDamagedIsPutAside() async throws {
    let folder = try TemporaryFolder()
    let id = try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let id = try await send(client, Data("no video".utf8)).json(VideoBody.self).id
      _ = try await wait(for: id, client)
      return id
    }
    try Data("{\"id\":".utf8).write(to: folder.file("videos/\(id)/job.json"))
    try Data("the upload".utf8).write(to: folder.file("videos/\(id)/upload"))
    for _ in 0..<2 {
      try await TestServer.make(folder: folder.url).application().test(.live) { client in
        let list = try await client.execute(uri: "/v1/video", method: .get).json(List.self)
        #expect(list.videos.isEmpty)
      }
      #expect(try String(contentsOf: folder.file("videos/\(id).damaged/upload"), encoding: .utf8) == "the upload")
    }
  }

  @Test func aClientsVideosAreListed() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) { $0.tokens = try AccessTokens(tokens) }
    try await server.application().test(.live) { client in
      var ids: [String] = []
      for owner in [0, 1, 0] {
        let id = try await send(client, Data("no video".utf8), headers: headers[owner]).json(VideoBody.self).id
        _ = try await wait(for: id, client, headers: headers[owner])
        if owner == 0 { ids.append(id) }
      }
      let list = try await client.execute(uri: "/v1/video", method: .get, headers: headers[0]).json(List.self)
      #expect(list.videos.map(\.id) == ids && list.videos.allSatisfy { $0.state == "failed" })
      #expect(list.videos.map(\.created) == list.videos.map(\.created).sorted())
      let metrics = try await client.execute(uri: "/metrics", method: .get, headers: headers[0])
      #expect(String(buffer: metrics.body).contains("mien_videos_total{outcome=\"failed\"} 3\n"))
      // Nobody else on the machine may look into the files.
      let rights = try FileManager.default.attributesOfItem(atPath: folder.file("videos/\(ids[0])/job.json").path)
      #expect(rights[.posixPermissions] as? Int == 0o600)
      #expect(try await client.execute(uri: "/v1/video", method: .get).status == .unauthorized)
    }
  }

  @Test func rowsAreWrittenAsCSV() async throws {
    let folder = try TemporaryFolder()
    let clip = DrawnClip.y4m(
      width: 64, height: 64, rate: 4,
      frames: [[UInt8]](repeating: [UInt8](repeating: 200, count: 64 * 64 * 3), count: 3))
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let sent = try await send(client, clip, query: "?detector=none").json(VideoBody.self)
      #expect(sent.model == "pixels" && sent.profile == nil)
      _ = try await wait(for: sent.id, client)
      let uri = "/v1/video/\(sent.id)/result"
      let asked = try await client.execute(uri: "\(uri)?format=csv", method: .get)
      let accepted = try await client.execute(uri: uri, method: .get, headers: [.accept: "text/csv"])
      #expect(asked.headers[.contentType]?.hasPrefix("text/csv") == true && asked.body == accepted.body)
      let lines = String(buffer: asked.body).components(separatedBy: "\r\n")
      #expect(lines.count == 5 && lines.last == "")
      #expect(lines[0].hasPrefix("frame,seconds,track,x,y,width,height,emotion,probability,anger,"))
      #expect(
        lines[1...3].map { String($0.prefix(20)) }
          == ["0,0.0,1,0,0,64,64,", "1,0.25,1,0,0,64,64,", "2,0.5,1,0,0,64,64,"].map {
            prefix in String(lines.first { $0.hasPrefix(prefix) }?.prefix(20) ?? "")
          })
      let rows = try await client.execute(uri: uri, method: .get)
      #expect(rows.headers[.contentType] == "application/x-ndjson")
      #expect(try await client.execute(uri: "\(uri)?format=json", method: .get).status == .badRequest)
    }
  }

  @Test func theRowsSoFarCanBeRead() async throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 3)
    let pixels = (0..<(320 * 240 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let clip = DrawnClip.y4m(width: 320, height: 240, rate: 1, frames: [[UInt8]](repeating: pixels, count: 60))
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let id = try await send(client, clip).json(VideoBody.self).id
      func rows() async throws -> [TrackedBody] {
        let answer = try await client.execute(uri: "/v1/video/\(id)/result?partial=true", method: .get)
        #expect(answer.status == .ok && answer.headers[.contentType] == "application/x-ndjson")
        return try String(buffer: answer.body).split(separator: "\n").map {
          try JSONDecoder().decode(TrackedBody.self, from: Data($0.utf8))
        }
      }
      var some: [TrackedBody] = []
      try #require(
        await eventually(every: 5) {
          some = try await rows()
          return !some.isEmpty
        })
      #expect(some.first?.frame == 0 && some.count < 60)
      let early = try await client.execute(uri: "/v1/video/\(id)/result", method: .get)
      #expect(early.status == .conflict || some.count == 60)
      _ = try await wait(for: id, client)
      #expect(try await rows().count == 60)
    }
  }

  @Test func theRowsOfAVideoThatBreaksOffAreKept() async throws {
    let folder = try TemporaryFolder()
    let clip = DrawnClip.y4m(
      width: 64, height: 64, rate: 4, frames: [[UInt8]](repeating: [UInt8](repeating: 9, count: 64 * 64 * 3), count: 8))
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let id = try await send(client, clip.dropLast(64 * 64 * 2)).json(VideoBody.self).id
      let video = try await wait(for: id, client)
      let partial = try await client.execute(uri: "/v1/video/\(id)/result?partial=true", method: .get)
      let count = String(buffer: partial.body).split(separator: "\n").count
      #expect(count >= 6 && count < 8, "\(video.state)")
    }
  }

  @Test func aVideoThatIsDeletedWhileItIsReadIsReadNoFurther() async throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 3)
    let frame =
      Data("FRAME\n".utf8) + Data((0..<(320 * 240 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) })
    // Frames a second apart are searched each for itself, which takes a while.
    let count = 120
    var clip = Data("YUV4MPEG2 W320 H240 F1:1 Ip A1:1 C444\n".utf8)
    for _ in 0..<count { clip += frame }
    try await TestServer.make(folder: folder.url).application().test(.live) { [clip] client in
      let id = try await send(client, clip).json(VideoBody.self).id
      for _ in 0..<2000 {
        let video = try await client.execute(uri: "/v1/video/\(id)", method: .get).json(VideoBody.self)
        if video.frames > 0 { break }
        try await Task.sleep(for: .milliseconds(5))
      }
      // Another name of the rows, by which what is written after the deletion can be seen.
      let kept = folder.file("kept.jsonl")
      try FileManager.default.linkItem(at: folder.file("videos/\(id)/result.jsonl"), to: kept)
      #expect(try await client.execute(uri: "/v1/video/\(id)", method: .delete).status == .noContent)
      // When the next one has had its turn, this one's is over.
      let next = try await send(client, Data("no video".utf8)).json(VideoBody.self).id
      _ = try await wait(for: next, client)
      let last = try #require(try String(contentsOf: kept, encoding: .utf8).split(separator: "\n").last)
      let row = try JSONDecoder().decode(TrackedBody.self, from: Data(last.utf8))
      #expect(try #require(row.frame) < count - 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("videos").path) == [next])
    }
  }

  /// More than the buffers of two sockets hold.
  private static let largeBytes = 32 << 20

  /// Reads a video and puts zeros, ``largeBytes`` of them, in the place of what came of it.
  private func largeResult(
    _ client: any TestClientProtocol, in folder: TemporaryFolder
  ) async throws -> (id: String, url: URL) {
    let clip = DrawnClip.y4m(
      width: 64, height: 64, rate: 4, frames: [[UInt8](repeating: 0, count: 64 * 64 * 3)])
    let id = try await send(client, clip).json(VideoBody.self).id
    #expect(try await wait(for: id, client).state == "done")
    let url = folder.file("videos/\(id)/result.jsonl")
    try Data(count: Self.largeBytes).write(to: url)
    return (id, url)
  }

  /// Asks for a result on a connection of its own, and waits until the server has begun to answer.
  private func ask(for id: String, port: Int) async throws -> RawClient {
    func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" }
    let raw = try RawClient(port: port)
    try await raw.send(Data(request("/v1/video/\(id)/result").utf8))
    try #require(
      await eventually {
        try await RawClient.exchange(port: port, request("/metrics")).contains("/result\",status=\"200\"} 1")
      })
    return raw
  }

  @Test func resultsAreReadWhileTheyAreSent() async throws {
    let folder = try TemporaryFolder()
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let port = try #require(client.port)
      let (id, url) = try await largeResult(client, in: folder)
      let raw = try await ask(for: id, port: port)
      // Nothing is taken yet, so the end of the file is not read.
      let file = try FileHandle(forWritingTo: url)
      try file.seek(toOffset: UInt64(Self.largeBytes - 3))
      try file.write(contentsOf: Data("end".utf8))
      try file.close()
      let answer = try await raw.receive()
      let head = String(decoding: answer.utf8.prefix(500), as: UTF8.self).lowercased()
      #expect(head.hasPrefix("http/1.1 200 ") && head.contains("content-type: application/x-ndjson\r\n"))
      #expect(head.contains("content-length: \(Self.largeBytes)\r\n"))
      #expect(answer.utf8.count > Self.largeBytes && answer.utf8.suffix(3).elementsEqual("end".utf8))
    }
  }

  @Test func clientsThatTakeNothingOfAResultAreCutOff() async throws {
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) { $0.limits.idleSeconds = 4 }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      let (id, url) = try await largeResult(client, in: folder)
      let raw = try await ask(for: id, port: port)
      #expect(try await eventually { !Self.isOpen(url) })
      #expect(try await raw.receive().utf8.count < Self.largeBytes)
    }
  }

  /// A connection counts as waiting once its client takes nothing of the answer, however much of it waits in the server.
  @Test func clientsThatTakeNothingOfAResultMakeRoom() async throws {
    let folder = try TemporaryFolder()
    let places = 4
    let server = try TestServer.make(folder: folder.url) {
      ($0.limits.connections, $0.limits.idleSeconds) = (places, 3600)
    }
    try await server.application().test(.live) { client in
      let port = try #require(client.port)
      let (id, url) = try await largeResult(client, in: folder)
      func answer(_ path: String) async throws -> String {
        try await RawClient.exchange(
          port: port, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
      }
      var takers: [RawClient] = []
      for number in 1...places {
        // With the last, all places are taken, and one may be made free at once.
        if number == places { try #require(Self.isOpen(url)) }
        let taker = try RawClient(port: port)
        takers.append(taker)
        try await taker.send(Data("GET /v1/video/\(id)/result HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        if number == places { break }
        // Each has its place before the next request.
        try #require(
          await eventually { try await answer("/metrics").contains("/result\",status=\"200\"} \(number)") })
      }
      // More connections than are kept open: in the end all of them have left, and the file is closed.
      var idle: [RawClient] = []
      func isServed() async throws -> Bool {
        idle.append(try RawClient(port: port))
        return try await answer("/v1/models").hasPrefix("HTTP/1.1 200")
      }
      #expect(try await eventually(every: 50) { try await isServed() })
      #expect(
        try await eventually(every: 50) {
          let isServed = try await isServed()
          return isServed && !Self.isOpen(url)
        })
      withExtendedLifetime((takers, idle)) {}
    }
  }

  @Test func aVideoWhoseProfileWasDeletedFailsWithItsName() async throws {
    let folder = try TemporaryFolder()
    let id = String(repeating: "a", count: 32)
    let record = """
      {"id": "\(id)", "client": "", "created": \(Date().timeIntervalSinceReferenceDate), "state": "queued", "frames": 0,
       "options": {"every": 1, "reading": {"minConfidence": 0, "smoothing": true}, "choice": {"profile": "hall"}}}
      """
    let job = folder.file("videos/\(id)")
    try FileManager.default.createDirectory(at: job, withIntermediateDirectories: true)
    try Data(record.utf8).write(to: job.appendingPathComponent("job.json"))
    let clip = DrawnClip.y4m(width: 64, height: 64, rate: 4, frames: [[UInt8](repeating: 0, count: 64 * 64 * 3)])
    try clip.write(to: job.appendingPathComponent("upload"))
    try await TestServer.make(folder: folder.url).application().test(.live) { client in
      let video = try await wait(for: id, client)
      #expect(video.state == "failed" && video.profile == "hall" && video.frames == 0)
      #expect(video.error == "The profile hall was deleted before the video was read.")
      #expect(video.errorCode == "no_profile")
    }
  }

  /// Whether this process, which the server is a part of, has a file open.
  private static func isOpen(_ url: URL) -> Bool {
    let folder = "/proc/self/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      return target == url.resolvingSymlinksInPath().path
    }
  }

  @Test func whatIsNoJobsStaysInTheFolder() throws {
    let folder = try TemporaryFolder()
    func name(_ digit: Character) -> String { String(repeating: digit, count: 32) }
    let kept = [
      "notes.txt", "holiday/beach.mp4", name("a"), "\(name("b"))/upload", "\(name("b"))/mine.txt",
      "\(name("c"))/upload/mine.txt",
    ]
    for path in kept + ["\(name("d"))/upload", "\(name("d"))/job.json", "\(name("d"))/.job.json.7.tmp"] {
      let url = folder.file("videos/\(path)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: url)
    }
    _ = try TestServer.make(folder: folder.url)
    let left = Set(try FileManager.default.subpathsOfDirectory(atPath: folder.file("videos").path))
    #expect(left.isSuperset(of: kept) && !left.contains(name("d")))
  }

  @Test func aFolderIsOneServers() throws {
    let folder = try TemporaryFolder()
    var first: StateFolder? = try StateFolder(folder.file("state"))
    #expect(throws: (any Error).self) { try StateFolder(folder.file("state")) }
    let next = try StateFolder.first(environment: ["MIEN_CACHE": folder.url.path])
    let after = try StateFolder.first(environment: ["MIEN_CACHE": folder.url.path])
    #expect(next.url.path.hasSuffix("server/1") && after.url.path.hasSuffix("server/2"))
    #expect(first != nil)
    first = nil
    _ = try StateFolder(folder.file("state"))
  }
}
