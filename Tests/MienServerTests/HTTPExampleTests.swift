import Foundation
import MienCore
import MienServer
import MienTestSupport
import Testing

/// The programs of `Examples/http` and the client that a public generator makes of the OpenAPI document, run against a
/// server.
@Suite(.enabled(if: Sample.exists, "the sample photo is not there; run make setup"))
struct HTTPExampleTests {
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let token = "a-token-of-the-examples"
  private static let node = program("node", "nodejs")
  private static let bash = program("bash")
  private static let hasCurl = program("curl") != nil

  /// The path of the first of these programs that is installed.
  private static func program(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// A Python with the packages: the one that `scripts/check-api.sh` makes, or the user's.
  private static func python(with packages: String) -> String? {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["MIEN_CACHE"] ?? FileManager.default.homeDirectoryForCurrentUser.path + "/.cache/mien"
    return ["\(cache)/python-api/bin/python3", program("python3")].compactMap { $0 }
      .first { (try? run($0, ["-c", "import \(packages)"]))?.status == 0 }
  }

  private static let pythonWithRequests = python(with: "requests")
  private static let pythonWithHTTPX = python(with: "httpx")
  private static let pythonWithGenerator = python(with: "openapi_python_client, httpx, attrs")

  private struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  private static func run(
    _ program: String, _ arguments: [String], _ environment: [String: String] = [:]
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    // Files take any amount, whichever of the two is read first.
    let places = ["output", "errors"].map { folder.file($0) }
    for place in places { _ = FileManager.default.createFile(atPath: place.path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: places[0])
    process.standardError = try FileHandle(forWritingTo: places[1])
    try process.run()
    process.waitUntilExit()
    let texts = try places.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  /// A server that asks for a token, and the files that examples are given.
  private final class Stage {
    let server: ServerProcess
    let folder: TemporaryFolder
    let photo: String
    let text: String
    /// A picture without a face.
    let wall: String
    /// Where no file is.
    var missing: String { folder.file("missing.jpg").path }
    var environment: [String: String] { ["MIEN_URL": url, "MIEN_TOKEN": HTTPExampleTests.token] }
    var url: String { "http://127.0.0.1:\(server.port)" }

    init() async throws {
      folder = try TemporaryFolder()
      try Data("\(HTTPExampleTests.token)\n".utf8).write(to: folder.file("tokens"))
      // A name as people have them.
      photo = folder.file("my photo.png").path
      try FileManager.default.copyItem(atPath: Sample.url.path, toPath: photo)
      text = folder.file("notes.txt").path
      try Data("some text".utf8).write(to: folder.file("notes.txt"))
      wall = folder.file("wall.pgm").path
      try (Data("P5 64 64 255\n".utf8) + Data(repeating: 128, count: 64 * 64)).write(to: folder.file("wall.pgm"))
      server = try await ServerProcess([
        "--state-dir", folder.file("state").path, "--token-file", folder.file("tokens").path,
      ])
    }

    func run(_ program: String?, _ example: String, _ arguments: String..., token: Bool = true) throws -> Outcome {
      let path = HTTPExampleTests.repository.appendingPathComponent(example).path
      let environment = token ? environment : ["MIEN_URL": url, "MIEN_TOKEN": ""]
      return try HTTPExampleTests.run(try #require(program), [path] + arguments, environment)
    }
  }

  @Test(.enabled(if: hasCurl && bash != nil, "needs curl and bash"))
  func photosByCurl() async throws {
    let stage = try await Stage()
    let one = try stage.run(Self.bash, "Examples/http/detect.sh", stage.photo, stage.photo)
    #expect(one.status == 0 && one.errors.isEmpty, "\(one.errors)")
    let answers = try one.output.split(separator: "\n").map {
      try JSONDecoder().decode(PictureBody.self, from: Data($0.utf8))
    }
    #expect(answers.count == 2 && answers.allSatisfy { $0.width == 512 && $0.faces.count == 1 })
    // What curl's --form gives a meaning to.
    let quoted = stage.folder.file("a\"b\\c;type=x,y\\\".png").path
    try FileManager.default.copyItem(atPath: stage.photo, toPath: quoted)
    let table = try stage.run(Self.bash, "Examples/http/detect.sh", "--csv", stage.photo, stage.text, quoted)
    let lines = table.output.components(separatedBy: "\r\n")
    try #require(table.status == 0 && lines.count == 5, "\(table.output)\(table.errors)")
    #expect(lines[1].hasPrefix("my photo.png,1,") && lines[2].hasPrefix("notes.txt,,"))
    // New versions of curl send %22 for the quotation mark.
    #expect(lines[3].contains("b\\c;type=x,y\\") && lines[3].contains(".png\",1,"), "\(lines[3])")
    let failed = try stage.run(Self.bash, "Examples/http/detect.sh", stage.text)
    #expect(failed.status != 0 && failed.output.contains("unsupported_type"))
    #expect(try stage.run(Self.bash, "Examples/http/detect.sh", stage.photo, token: false).status != 0)
    // curl alone sends an empty body in place of a missing file.
    let missing = try stage.run(Self.bash, "Examples/http/detect.sh", stage.missing, stage.photo)
    #expect(missing.status == 1 && missing.errors.contains("missing.jpg: cannot be read"), "\(missing.errors)")
    #expect(missing.output.split(separator: "\n").count == 1)
    let form = try stage.run(Self.bash, "Examples/http/detect.sh", "--csv", stage.photo, stage.missing)
    #expect(form.status == 1 && form.output.isEmpty && form.errors.contains("missing.jpg: cannot be read"))
    let usage = try stage.run(Self.bash, "Examples/http/detect.sh")
    #expect(usage.status == 64 && usage.errors.hasPrefix("Usage: detect.sh"), "\(usage.errors)")
  }

  @Test(.enabled(if: hasCurl && bash != nil, "needs curl and bash"))
  func aVideoByCurl() async throws {
    let stage = try await Stage()
    let clip = stage.folder.file("clip.y4m")
    try Sample.clip().write(to: clip)
    let read = try stage.run(Self.bash, "Examples/http/video.sh", clip.path, "4")
    #expect(read.status == 0 && read.errors.isEmpty, "\(read.errors)")
    let lines = read.output.components(separatedBy: "\r\n").dropLast()
    #expect(lines.first?.hasPrefix("frame,seconds,track,") == true)
    #expect(lines.dropFirst().map { $0.prefix { $0 != "," } } == ["0", "4", "8"])
    let failed = try stage.run(Self.bash, "Examples/http/video.sh", stage.text)
    #expect(failed.status == 1 && failed.errors.contains("notes.txt: "), "\(failed.errors)")
    let refused = try stage.run(Self.bash, "Examples/http/video.sh", stage.photo)
    #expect(refused.status != 0 && refused.output.isEmpty)
    #expect(refused.errors.contains("unsupported_type"), "\(refused.errors)")
    let missing = try stage.run(Self.bash, "Examples/http/video.sh", stage.missing)
    #expect(missing.status == 1 && missing.errors.contains("missing.jpg: cannot be read"), "\(missing.errors)")
    let usage = try stage.run(Self.bash, "Examples/http/video.sh")
    #expect(usage.status == 64 && usage.errors.hasPrefix("Usage: video.sh"), "\(usage.errors)")
  }

  @Test(.enabled(if: pythonWithRequests != nil, "needs a python3 with requests"))
  func photosByRequests() async throws {
    let stage = try await Stage()
    let read = try stage.run(Self.pythonWithRequests, "Examples/http/detect.py", stage.photo, stage.text)
    let columns = read.output.split(separator: "\n").first?.split(separator: "\t").map(String.init) ?? []
    #expect(columns.count == 4 && columns[0] == stage.photo && Emotion(rawValue: columns[2]) != nil, "\(read.errors)")
    #expect(read.status == 1 && read.errors.contains("notes.txt: ") && read.errors.contains("found text"))
    #expect(try stage.run(Self.pythonWithRequests, "Examples/http/detect.py", stage.photo).status == 0)
    let wall = try stage.run(Self.pythonWithRequests, "Examples/http/detect.py", stage.wall)
    #expect(wall.status == 0 && wall.output == "\(stage.wall)\tno face\n", "\(wall.output)\(wall.errors)")
    let usage = try stage.run(Self.pythonWithRequests, "Examples/http/detect.py")
    #expect(usage.status == 64 && usage.errors.hasPrefix("usage: detect.py"), "\(usage.errors)")
  }

  @Test(.enabled(if: pythonWithHTTPX != nil, "needs a python3 with httpx; scripts/check-api.sh makes one"))
  func aSessionByAsyncio() async throws {
    let stage = try await Stage()
    let read = try stage.run(
      Self.pythonWithHTTPX, "Examples/http/session.py", stage.photo, stage.text, stage.photo, stage.photo)
    #expect(read.status == 0, "\(read.errors)")
    let rows = read.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.map { $0.first } == ["0.0", "0.2", "0.3"] && rows.allSatisfy { $0.count == 4 && $0[1] == "1" })
    #expect(read.errors.contains("notes.txt: ") && read.errors.contains("found text"))
    let usage = try stage.run(Self.pythonWithHTTPX, "Examples/http/session.py")
    #expect(usage.status == 64 && usage.errors.hasPrefix("usage: session.py"), "\(usage.errors)")
  }

  @Test(.enabled(if: node != nil, "needs node"))
  func photosByJavaScript() async throws {
    let stage = try await Stage()
    let read = try stage.run(Self.node, "Examples/http/detect.mjs", stage.photo, stage.text)
    let columns = read.output.split(separator: "\n").first?.split(separator: "\t").map(String.init) ?? []
    #expect(columns.count == 3 && columns[0] == "my photo.png", "\(read.output)\(read.errors)")
    #expect(read.status == 1 && read.errors.contains("notes.txt: "))
    #expect(try stage.run(Self.node, "Examples/http/detect.mjs", stage.photo, token: false).status != 0)
    let wall = try stage.run(Self.node, "Examples/http/detect.mjs", stage.wall)
    #expect(wall.status == 0 && wall.output == "wall.pgm\tno face\n", "\(wall.output)\(wall.errors)")
    let missing = try stage.run(Self.node, "Examples/http/detect.mjs", stage.missing)
    #expect(missing.status == 1 && missing.errors.hasSuffix("missing.jpg: cannot be read\n"), "\(missing.errors)")
    let usage = try stage.run(Self.node, "Examples/http/detect.mjs")
    #expect(usage.status == 64 && usage.errors.hasPrefix("usage: node detect.mjs"), "\(usage.errors)")
  }

  @Test(
    .enabled(
      if: pythonWithGenerator != nil,
      "needs a python3 with openapi-python-client and httpx; scripts/check-api.sh makes one"))
  func aGeneratedClient() async throws {
    let stage = try await Stage()
    let used = try stage.run(
      Self.pythonWithGenerator, "scripts/check-client.py", stage.url, stage.photo, Self.token)
    #expect(used.status == 0 && used.output.contains("works"), "\(used.output)\(used.errors)")
  }
}
