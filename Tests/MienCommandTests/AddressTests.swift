import Foundation
import Glibc
import MienCore
import MienTestSupport
import MienVision
import Testing

/// Addresses, cameras and standard input, against servers on this machine.
@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct AddressTests {
  let folder: TemporaryFolder
  let server: MediaServer

  init() throws {
    folder = try TemporaryFolder()
    server = try MediaServer(folder: folder.url)
  }

  static let ffmpeg = VideoCommandTests.ffmpeg
  static let secret = "top-secret"

  /// `media_server.py`, until the test ends.
  final class MediaServer {
    private let process = Process()
    private let input = Pipe()
    let web: String
    let camera: String

    init(folder: URL) throws {
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Servers/media_server.py")
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["python3", script.path, folder.path, "user", AddressTests.secret]
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      var line = Data()
      while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
        line += byte
      }
      let ports = String(decoding: line, as: UTF8.self).split(separator: " ")
      try #require(ports.count == 2, "media_server.py did not start")
      (web, camera) = ("127.0.0.1:\(ports[0])", "127.0.0.1:\(ports[1])")
    }

    deinit {
      try? input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
  }

  func frames(_ lines: String) throws -> [VideoCommandTests.Row] { try VideoCommandTests.rows(lines) }

  @Test func aClipIsReadFromAWebServer() throws {
    try Sample.clip().write(to: folder.file("clip.y4m"))
    let page = folder.file("page.html")
    let address = "http://user:\(Self.secret)@\(server.web)/secret/clip.y4m?key=\(Self.secret)"
    let made = try Command.mien("video", address, "--json", "-", "--timeline", page.path)
    #expect(made.status == 0, "\(made.errors)")
    let file = try Command.mien("video", folder.file("clip.y4m").path, "--json", "-")
    #expect(try frames(made.output).map(\.track) == frames(file.output).map(\.track))
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(text.contains("http://\(server.web)/secret/clip.y4m") && !text.contains(Self.secret))
  }

  @Test(arguments: [
    ("http://user:top-secret@WEB/none.mp4", "404"), ("http://user:wrong@WEB/secret/clip.y4m", "401"),
    ("http://user:top-secret@WEB/page.html", "no video"), ("rtsp://user:wrong@CAMERA/live", "401"),
    ("rtsp://user:top-secret@127.0.0.1:1/live?key=top-secret", "refused"),
    ("ftp://user:top-secret@WEB/clip.y4m", "expected an address of http, https, rtsp"),
    ("http://user:top-secret@WEB/list.m3u8", ""),
  ])
  func whatCannotBeReadIsNamedWithoutItsPassword(address: String, words: String) throws {
    try Data("<!doctype html><html></html>".utf8).write(to: folder.file("page.html"))
    // A playlist must not lead to this machine's files.
    try Sample.clip().write(to: folder.file("clip.y4m"))
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\nfile://\(folder.file("clip.y4m").path)\n#EXT-X-ENDLIST\n"
    try Data(list.utf8).write(to: folder.file("list.m3u8"))
    let full = address.replacingOccurrences(of: "WEB", with: server.web)
      .replacingOccurrences(of: "CAMERA", with: server.camera)
    for command in [["video", full, "--json", "-"], ["camera", full, "--headless"]] {
      let made = try Command.run(Command.mien.path, command)
      #expect(made.status != 0 && made.output.isEmpty, "\(made.output)")
      #expect((words.isEmpty || made.errors.contains(words)) && made.errors.contains("://127.0.0.1:"), "\(made.errors)")
      for word in [Self.secret, "wrong", "user"] { #expect(!made.errors.contains(word), "\(made.errors)") }
    }
  }

  @Test(.enabled(if: ffmpeg != nil, "needs ffmpeg"))
  func aNetworkCameraIsRead() throws {
    try Sample.clip().write(to: folder.file("clip.y4m"))
    let coded = try Command.run(
      #require(Self.ffmpeg),
      ["-v", "error", "-nostdin", "-i", folder.file("clip.y4m").path, "-r", "12", "-c:v", "mpeg2video", "-q:v", "3"]
        + ["-f", "mpegts", folder.file("clip.ts").path])
    try #require(coded.status == 0, "\(coded.errors)")
    let address = "rtsp://user:\(Self.secret)@\(server.camera)/live"
    let made = try Command.mien("video", address, "--json", "-")
    let rows = try frames(made.output)
    #expect(rows.count > 10 && rows.contains { $0.emotion == .happiness }, "\(made.errors)")
    let live = try Command.mien("camera", address, "--headless")
    #expect(try frames(live.output).contains { $0.track == 1 }, "\(live.errors)")
    #expect(!live.errors.contains(Self.secret) && !made.errors.contains(Self.secret))
  }

  @Test func aWebcamsPicturesAreReadUntilTheyAreEnough() throws {
    try Image(contentsOf: Sample.url).resized(width: 256, height: 256).write(to: folder.file("a.jpg"))
    let process = Process()
    process.executableURL = Command.mien
    process.arguments = ["camera", "http://\(server.web)/camera.mjpg", "--headless"]
    let output = folder.file("rows.jsonl")
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    let lines = { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    process.wait { lines().split(separator: "\n").count >= 5 }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let rows = try frames(lines())
    #expect(rows.count >= 5 && rows.allSatisfy { $0.emotion == .happiness && $0.track == 1 })
  }

  @Test func photosComeFromStandardInput() throws {
    let picture = try Data(contentsOf: Sample.url)
    let marked = folder.file("marked")
    let made = try Command.mien("detect", "-", "--json", "-", "--annotate", marked.path, input: picture)
    #expect(made.status == 0 && made.output.contains(#""file":"standard input""#), "\(made.errors)")
    #expect(made.output.contains("happiness"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: marked.path) == ["standard-input.png"])
    let text = try Command.mien("detect", "-", input: Data("hello\n".utf8))
    #expect(text.status == 1 && text.errors.contains("standard input: expected a picture"), "\(text.errors)")
    let nothing = try Command.mien("detect", "-")
    #expect(nothing.status == 1 && nothing.errors.contains("standard input: is empty"), "\(nothing.errors)")
  }

  @Test func photosAreNotFetched() throws {
    let made = try Command.mien(
      "detect", "https://user:\(Self.secret)@example.org/a.jpg?key=\(Self.secret)", Sample.url.path)
    #expect(made.status == 1 && made.output.contains("happiness"))
    #expect(made.errors.contains("https://example.org/a.jpg?…: is an address") && made.errors.contains("curl -fL"))
    #expect(!made.errors.contains(Self.secret))
  }

  @Test(arguments: [
    ("978", "there is no such camera"), ("/dev/video978", "there is no such camera"), ("/dev/null", "is no camera"),
  ])
  func camerasThatAreNoneAreNamed(camera: String, words: String) throws {
    let made = try Command.mien("camera", camera, "--headless")
    #expect(made.status == 1 && made.errors.contains("camera \(camera): \(words)"), "\(made.errors)")
  }
}

@Suite struct NetworkAddressTests {
  @Test(arguments: [
    ("rtsp://host/live", "rtsp://host/live"), ("RTSP://u:p@host:554/live", "rtsp://host:554/live"),
    ("http://u:p/1@host/a", "http://host/a"), ("http://u:p?1#2@host/a?b=c", "http://host/a?…"),
    ("http://host/a@b?c=d@e", "http://host/a@b?…"), ("http://[::1]:80/a", "http://[::1]:80/a"),
    ("http://u:p@w@host/", "http://host/"), ("http://host", "http://host"),
  ])
  func passwordsAreNotShown(text: String, shown: String) { #expect(NetworkAddress(text)?.shown == shown) }

  @Test(arguments: ["clip.mp4", "file:///clip.mp4", "a/b://c", "://host", "http://", ""])
  func filesAreNone(text: String) { #expect(NetworkAddress(text) == nil) }
}
