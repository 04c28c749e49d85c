import Foundation
import MienServer
import MienTestSupport
import MienVision
import Testing

/// The web page of `mien serve`.
@Suite struct PageTests {
  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let page = sources.appendingPathComponent("Sources/CMienResources/page")
  private static let browser = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Browser")

  /// The path of the first of these programs that is installed.
  private static func program(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static let python = program("python3")
  private static let node = program("node", "nodejs")
  private static let hasBrowser = program("chromium", "chromium-browser", "google-chrome") != nil

  @Test func everyFileIsInsideTheProgram() throws {
    let served = Dictionary(uniqueKeysWithValues: WebPage.files().map { ($0.path, $0) })
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.page.path)
    #expect(names.count == served.count)
    for name in names {
      let file = try #require(
        served[name == "index.html" ? "/" : "/page/\(name)"], "\(name) is not in mien_resources.c")
      #expect(try file.data == Data(contentsOf: Self.page.appendingPathComponent(name)))
      #expect(file.contentType != "application/octet-stream")
    }
  }

  @Test(.enabled(if: node != nil, "needs node"))
  func modules() throws {
    // Node takes `.js` files for modules where a package says so.
    let folder = try TemporaryFolder()
    try Data(#"{"type": "module"}"#.utf8).write(to: folder.file("package.json"))
    try FileManager.default.copyItem(at: Self.page, to: folder.file("page"))
    try FileManager.default.copyItem(
      at: Self.browser.appendingPathComponent("modules.test.js"), to: folder.file("modules.test.js"))
    let outcome = try Command.run(try #require(Self.node), ["--test", folder.file("modules.test.js").path])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
  }

  @Test(
    .enabled(if: hasBrowser && python != nil, "needs chromium and python3"),
    .enabled(if: Sample.exists, "the sample photo is not here; run make setup"))
  func inABrowser() throws {
    let folder = try TemporaryFolder()
    try camera().write(to: folder.file("camera.mjpeg"))
    // The program skips the checks that need what is missing, and says so.
    let clip = "media/hamilton.mp4"
    let optional = [("--clip", Shared.has(clip) ? Shared.url(clip) : nil), ("--axe", Self.axe)]
    let outcome = try Command.run(
      try #require(Self.python),
      [
        "-B", Self.browser.appendingPathComponent("check_page.py").path,
        Command.folder.appendingPathComponent("mien-server").path, Sample.url.path, folder.file("camera.mjpeg").path,
      ] + optional.flatMap { name, file in file.map { [name, $0.path] } ?? [] })
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
  }

  /// axe-core, which `scripts/setup.sh test` installs.
  private static let axe: URL? = {
    let folder = sources.appendingPathComponent(".native/python/lib")
    return (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil))?
      .map { $0.appendingPathComponent("site-packages/axe_playwright_python/axe.min.js") }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }()

  /// What the browser takes for its camera: the sample photo, a little to the left from frame to frame.
  private func camera() throws -> Data {
    let photo = try Image(contentsOf: Sample.url)
    return try (0..<16).reduce(into: Data()) { clip, index in
      let frame = try photo.crop(centerX: 240 + Double(index), centerY: 200, side: 400, size: 480)
      clip += try frame.encoded(as: .jpeg(quality: 85))
    }
  }
}
