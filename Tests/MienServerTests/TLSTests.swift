import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienCore
import MienServer
import MienTestSupport
import Testing

@Suite struct TLSTests {
  /// A key and its certificate, made by openssl.
  private static func files(_ folder: TemporaryFolder, _ name: String) throws -> ServerOptions.TLSFiles {
    let files = ServerOptions.TLSFiles(
      certificate: folder.file("\(name).pem"), key: folder.file("\(name)-key.pem"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: openssl)
    process.arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", files.key.path, "-out",
      files.certificate.path,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return files
  }

  private static let openssl = "/usr/bin/openssl"
  private static let curl = "/usr/bin/curl"
  private static let hasTools = [openssl, curl].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  @Test(.enabled(if: hasTools, "needs openssl and curl")) func requestsAreServedOverTLS() async throws {
    let folder = try TemporaryFolder()
    let files = try Self.files(folder, "own")
    try await TestServer.make { $0.tls = files }.application().test(.ahc(.http)) { client in
      let port = try #require(client.port)
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: Self.curl)
      process.arguments = [
        "-sS", "--noproxy", "*", "--max-time", "60", "--cacert", files.certificate.path,
        "https://localhost:\(port)/healthz",
      ]
      process.standardOutput = output
      try process.run()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      #expect(text == "{\"status\":\"alive\"}")
      // Without TLS there is no answer.
      let plain = try await RawClient.exchange(port: port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(!plain.contains("alive"))
    }
  }

  @Test(.enabled(if: hasTools, "needs openssl and curl"), arguments: ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"])
  func onlyVersionsThatAreNotDeprecatedAreSpoken(version: String) async throws {
    let folder = try TemporaryFolder()
    let files = try Self.files(folder, "own")
    try await TestServer.make { $0.tls = files }.application().test(.ahc(.http)) { client in
      let port = try #require(client.port)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Self.openssl)
      // The client itself would speak them.
      process.arguments = [
        "s_client", "-connect", "localhost:\(port)", version, "-cipher", "ALL:@SECLEVEL=0", "-CAfile",
        files.certificate.path,
      ]
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      #expect((process.terminationStatus == 0) == ["-tls1_2", "-tls1_3"].contains(version))
    }
  }

  @Test(.enabled(if: hasTools, "needs openssl and curl")) func keysAndCertificatesThatDoNotFitAreNamed() throws {
    let folder = try TemporaryFolder()
    let (own, other) = (try Self.files(folder, "own"), try Self.files(folder, "other"))
    for (files, named) in [
      (ServerOptions.TLSFiles(certificate: own.certificate, key: other.key), other.key),
      (.init(certificate: own.key, key: own.key), own.key),
      (.init(certificate: own.certificate, key: own.certificate), own.certificate),
      (.init(certificate: folder.file("none"), key: own.key), folder.file("none")),
    ] {
      let error = #expect(throws: MienError.self) { try TestServer.make { $0.tls = files }.application() }
      #expect(error?.subject == named.path)
    }
  }
}
