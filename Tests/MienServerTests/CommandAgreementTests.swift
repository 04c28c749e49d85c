import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienInference
import MienServer
import MienTestSupport
import Testing

/// CSV of the server is that of the commands, byte for byte.
@Suite(
  .enabled(if: Sample.exists, "the sample photo is not there; run make setup"),
  .enabled(
    if: FileManager.default.isExecutableFile(atPath: CommandProgram.path), "needs the built mien"))
struct CommandAgreementTests {
  private func output(_ arguments: String...) throws -> String {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: CommandProgram.path)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  private func server() throws -> MienServer { try TestServer.make(models: [ServerModel(BuiltInModels.model())]) }

  @Test func photos() async throws {
    let photo = ByteBuffer(bytes: try Data(contentsOf: Sample.url))
    let expected = try output("detect", Sample.url.path, "--landmarks", "--csv", "-")
    #expect(expected.components(separatedBy: "\r\n").count == 3)
    try await server().application().test(.router) { client in
      let response = try await client.execute(
        uri: "/v1/detect?landmarks=six&format=csv", method: .post, headers: [.contentType: Form.contentType],
        body: Form().adding(Sample.url.path, photo).buffer)
      #expect(String(buffer: response.body) == expected)
    }
  }

  @Test func videos() async throws {
    let folder = try TemporaryFolder()
    let clip = try Sample.clip()
    try clip.write(to: folder.file("clip.y4m"))
    let expected = try output("video", folder.file("clip.y4m").path, "--every", "3", "--csv", "-")
    #expect(expected.components(separatedBy: "\r\n").count > 3)
    try await server().application().test(.live) { client in
      struct Job: Decodable { let id, state: String }
      var job = try await client.execute(
        uri: "/v1/video?every=3", method: .post, body: ByteBuffer(bytes: clip)
      ).json(Job.self)
      try #require(
        await eventually {
          job = try await client.execute(uri: "/v1/video/\(job.id)", method: .get).json(Job.self)
          return ["done", "failed"].contains(job.state)
        })
      let response = try await client.execute(uri: "/v1/video/\(job.id)/result?format=csv", method: .get)
      #expect(String(buffer: response.body) == expected)
    }
  }
}

/// The `mien` that was built beside the tests.
private enum CommandProgram {
  static let path = URL(fileURLWithPath: ServerProcess.program).deletingLastPathComponent()
    .appendingPathComponent("mien").path
}
