import Foundation
import MienServer
import MienTestSupport
import Testing

/// A server whose folder is removed while it runs, as by an update.
@Suite struct RemovedFolderTests {
  private static let libraries = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".native/openvino").resolvingSymlinksInPath()

  @Test func picturesOfNewSizesAreRead() async throws {
    let (folder, files) = (try TemporaryFolder(), FileManager.default)
    // The program finds OpenVINO's libraries by a path through its own folder.
    let bin = folder.file("build/machine/release")
    for url in [bin, folder.file(".native")] { try files.createDirectory(at: url, withIntermediateDirectories: true) }
    try files.createSymbolicLink(at: folder.file(".native/openvino"), withDestinationURL: Self.libraries)
    let program = bin.appendingPathComponent("mien-server")
    try files.copyItem(atPath: ServerProcess.program, toPath: program.path)
    let server = try await ServerProcess(
      ["--state-dir", folder.file("state").path], program: program.path,
      environment: ["MIEN_CACHE": folder.file("cache").path])
    try files.removeItem(at: folder.file("build"))
    for side in [200, 700] {
      let picture = Data(try TestServer.noise(side: side).readableBytesView)
      let answer = try await server.request("POST", "/v1/detect", picture, type: "image/png")
      #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer) \(server.allLines)")
    }
  }
}
