import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienServer
import MienTestSupport
import Testing

@Suite struct VideoRouteTests {
  /// Waits until the video is read.
  private func wait(
    for id: String, _ client: any TestClientProtocol, headers: HTTPFields = [:]
  ) async throws -> VideoBody {
    for _ in 0..<400 {
      let video = try await client.execute(uri: "/v1/video/\(id)", method: .get, headers: headers).json(VideoBody.self)
      if video.state == "done" || video.state == "failed" { return video }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TimedOut()
  }

  private struct TimedOut: Error {}

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
      #expect(done.state == "done" && done.frames == 3 && done.progress == 1 && done.error == nil)
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
      #expect(video.state == "failed" && video.error?.contains("no video that is known") == true)
      #expect(video.error?.contains(folder.url.path) == false)
      let result = try await client.execute(uri: "/v1/video/\(id)/result", method: .get)
      #expect(result.status == .conflict && result.errorCode == "failed")
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
      #expect(!names.contains { $0.hasSuffix("upload") || $0.hasSuffix("result.jsonl") })
    }
  }

  @Test func uploadsAreBoundedAndJobsBelongToOneToken() async throws {
    let tokens = ["the-first-token-0001", "the-other-token-0002"]
    let headers: [HTTPFields] = tokens.map { [.authorization: "Bearer \($0)"] }
    let folder = try TemporaryFolder()
    let server = try TestServer.make(folder: folder.url) {
      $0.tokens = try AccessTokens(tokens)
      $0.limits.videoBytes = 1000
      $0.limits.resultSeconds = 0.5
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
      try await Task.sleep(for: .seconds(0.7))
      let expired = try await client.execute(uri: "/v1/video/\(id)", method: .get, headers: headers[0])
      #expect(expired.status == .notFound)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("videos").path).isEmpty)
    }
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
