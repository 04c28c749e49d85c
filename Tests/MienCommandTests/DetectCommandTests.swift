import Foundation
import Glibc
import MienCore
import MienTestSupport
import MienVision
import Testing

/// `mien detect` as users run it, on faces that `PixelGraph` reads.
@Suite struct DetectCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("pixels.onnx").path
    try PixelGraph.model().write(to: folder.file("pixels.onnx"))
  }

  /// Writes a face of class `index` in `ferplus` order; sub-folders are made.
  @discardableResult
  private func picture(_ name: String, _ index: Int) throws -> String {
    let url = folder.file(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(index)).write(to: url)
    return url.path
  }

  /// Runs `mien detect` without a detector.
  private func detect(_ arguments: String...) throws -> Command.Outcome {
    try Command.run(Command.mien.path, ["detect", "--model", model, "--detector", "none"] + arguments)
  }

  private func array(_ text: String) throws -> [[String: Any]] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
  }

  private func path(_ name: String) -> String { folder.file(name).path }

  @Test func jsonOnStandardOutputIsPureAndFollowsTheContract() throws {
    let good = try picture("a.png", 1)
    let outcome = try detect("--json", "-", good, path("missing.png"))
    #expect(outcome.status == 1)
    #expect(outcome.errors == "mien: \(path("missing.png")): no such file\n")
    let photos = try array(outcome.output)
    #expect(photos.map { $0["file"] as? String } == [good, path("missing.png")])
    #expect(photos.allSatisfy { Set($0.keys) == ["file", "width", "height", "faces", "error"] })
    #expect(photos[0]["width"] as? Int == 48 && photos[0]["error"] is NSNull)
    let face = try #require((photos[0]["faces"] as? [[String: Any]])?.first)
    #expect(Set(face.keys) == ["box", "emotion", "probability", "scores"])
    #expect(face["box"] as? [String: Int] == ["x": 0, "y": 0, "width": 48, "height": 48])
    #expect(face["emotion"] as? String == "happiness")
    let scores = try #require(face["scores"] as? [String: Double])
    #expect(Set(scores.keys) == Set(Emotion.allCases.map(\.rawValue)))
    #expect(abs(scores.values.reduce(0, +) - 1) < 1e-5)
    #expect(photos[1]["width"] is NSNull && photos[1]["height"] is NSNull)
    #expect((photos[1]["faces"] as? [Any])?.isEmpty == true)
    #expect(photos[1]["error"] as? String == "no such file")
  }

  @Test func lowProbabilitiesAreMarked() throws {
    let unsure = folder.file("grey.png")
    try Image(width: 48, height: 48, channels: 1, pixels: [UInt8](repeating: 9, count: 2304)).write(to: unsure)
    let clear = try picture("clear.png", 1)
    let outcome = try detect("--json", "-", "--min-confidence", "0.5", unsure.path, clear)
    let faces = try array(outcome.output).map { try #require(($0["faces"] as? [[String: Any]])?.first) }
    #expect(faces.map { $0["confident"] as? Bool } == [false, nil])
    #expect(try detect("--min-confidence", "0.5", unsure.path).output.contains("?"))
  }

  @Test func foldersAreSearchedSortedAndNamedByTheArgument() throws {
    try picture("photos/b.png", 1)
    try picture("photos/a/z.png", 2)
    try picture("photos/a/c.png", 3)
    try picture("photos/.hidden.png", 3)
    try Data("notes".utf8).write(to: folder.file("photos/readme.txt"))
    for argument in [path("photos"), path("photos") + "/"] {
      let outcome = try detect("--json", "-", argument)
      #expect(outcome.status == 0)
      let names = try array(outcome.output).compactMap { $0["file"] as? String }
      #expect(names == ["a/c.png", "a/z.png", "b.png"].map { path("photos") + "/" + $0 })
    }
  }

  @Test func patternsAreExpandedWhereTheShellDidNot() throws {
    try picture("x1.png", 1)
    try picture("x2.png", 2)
    try picture("y.png", 2)
    // A name that holds a pattern's signs is that file.
    try picture("y[1].png", 3)
    let outcome = try detect("--json", "-", path("x*.png"), path("y[1].png"), path("none*.jpg"))
    #expect(outcome.status == 1)
    let photos = try array(outcome.output)
    #expect(photos.compactMap { $0["file"] as? String } == ["x1.png", "x2.png", "y[1].png", "none*.jpg"].map(path))
    #expect(photos[3]["error"] as? String == "matches no file")
  }

  @Test func folderWithoutPicturesFailsAndTheRestGoesOn() throws {
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: true)
    let good = try picture("a.png", 1)
    let outcome = try detect("--json", "-", path("empty"), good)
    #expect(outcome.status == 1)
    #expect(outcome.errors == "mien: \(path("empty")): is a folder without pictures\n")
    #expect(try array(outcome.output).map { $0["error"] is NSNull } == [false, true])
  }

  /// Root reads everything, unless it gives that capability up.
  @Test func theFolderOfResultsIsSaidNotToBeSearched() throws {
    try FileManager.default.createDirectory(at: folder.file("same"), withIntermediateDirectories: true)
    let outcome = try Command.mien("detect", path("same"), "--annotate", path("same"))
    #expect(outcome.status == 1 && outcome.errors.contains("the folder that results go to"), "\(outcome.errors)")
  }

  @Test func unreadablePathsAreNamed() throws {
    let closed = try picture("closed/a.png", 1)
    let single = try picture("single.png", 1)
    let open = try picture("open.png", 1)
    for name in ["single.png", "closed"] {
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path(name))
    }
    defer { chmod(path("closed"), 0o755) }
    let command = [
      Command.mien.path, "detect", "--model", model, "--detector", "none", "--json", "-", path("closed"), single, open,
    ]
    let outcome =
      getuid() == 0
      ? try Command.run("/usr/bin/setpriv", ["--bounding-set", "-dac_override,-dac_read_search"] + command)
      : try Command.run(command[0], Array(command.dropFirst()))
    #expect(outcome.status == 1, "\(outcome.errors)")
    let photos = try array(outcome.output)
    #expect(photos.compactMap { $0["file"] as? String } == [path("closed"), single, open])
    #expect((photos[0]["error"] as? String)?.contains("Permission denied") == true)
    #expect((photos[1]["error"] as? String)?.contains("Permission denied") == true)
    #expect(photos[2]["error"] is NSNull)
    #expect(!outcome.output.contains(closed))
  }

  @Test func csvHasARowAFace() throws {
    try picture("with, comma.png", 1)
    let outcome = try detect("--csv", "-", path("with, comma.png"), path("missing.png"))
    let lines = outcome.output.split(separator: "\r\n").map(String.init)
    #expect(lines.count == 3)
    #expect(
      lines[0] == "file,face,x,y,width,height,emotion,probability,confident,anger,contempt,disgust,fear,happiness,"
        + "neutral,sadness,surprise,error")
    #expect(lines[1].hasPrefix("\"\(path("with, comma.png"))\",1,0,0,48,48,happiness,1.0,true,"))
    #expect(lines[2] == path("missing.png") + String(repeating: ",", count: 17) + "no such file")
  }

  @Test func filesAndTableComeTogether() throws {
    let good = try picture("a.png", 1)
    let outcome = try detect("--json", path("out.json"), "--csv", path("out.csv"), good)
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 2 && lines[0].hasPrefix("file") && lines[0].contains("next best"))
    #expect(lines[1].hasPrefix(good) && lines[1].contains("happiness"))
    #expect(try array(String(contentsOfFile: path("out.json"), encoding: .utf8)).count == 1)
    #expect(try String(contentsOfFile: path("out.csv"), encoding: .utf8).hasPrefix("file,face"))
  }

  @Test func annotatedPicturesMirrorTheFolderAndReplaceNothing() throws {
    let first = try picture("photos/one/a.png", 1)
    try picture("photos/two/a.png", 2)
    try picture("other/a.png", 3)
    try picture("third/a.png", 3)
    let before = try Data(contentsOf: URL(fileURLWithPath: first))
    let out = path("photos/out")
    let arguments = ["--annotate", out, path("photos"), path("other/a.png"), path("third/a.png")]
    for _ in 0..<2 {
      // The second run must not take the first one's results for photos.
      let outcome = try detect(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
      #expect(outcome.status == 0)
      let written = try FileManager.default.subpathsOfDirectory(atPath: out).filter { $0.hasSuffix(".png") }.sorted()
      #expect(written == ["a-2.png", "a.png", "one/a.png", "two/a.png"])
    }
    #expect(try Image(contentsOf: folder.file("photos/out/one/a.png")).width >= 320)
    // Into the photos' own folder: they stay.
    #expect(try detect("--annotate", path("photos/one"), first).status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == before)
    #expect(FileManager.default.fileExists(atPath: path("photos/one/a-2.png")))
  }

  @Test(arguments: [
    ["detect"], ["detect", "--json", "-", "--csv", "-", "a.png"], ["detect", "--min-confidence", "2", "a.png"],
    ["detect", "--min-face", "3", "a.png"], ["detect", "--detector", "magic", "a.png"],
    ["detect", "--model", "no-such-model", "a.png"], ["detect", "--detector", "none", "--min-face", "40", "a.png"],
  ])
  func wrongUsageExitsWith64(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.output.isEmpty && outcome.errors.contains("Error: "))
  }

  @Test func modelsThatCannotBeUsedAreNamed() throws {
    let good = try picture("a.png", 1)
    let whole = try PixelGraph.model().data
    try whole.prefix(whole.count / 2).write(to: folder.file("cut.onnx"))
    try Data("text\n".utf8).write(to: folder.file("text.onnx"))
    var changed = whole
    changed[changed.startIndex + whole.count / 2] ^= 0x40
    try changed.write(to: folder.file("changed.onnx"))
    for (name, words) in [
      ("cut.onnx", "cut short"), ("text.onnx", "not an ONNX model"), ("changed.onnx", "SHA-256"),
      ("gone.onnx", "no such file"),
    ] {
      for arguments in [["detect", good], ["models", path(name)]] {
        let model = arguments[0] == "detect" ? ["--model", path(name)] : []
        let outcome = try Command.run(Command.mien.path, arguments + model)
        #expect(outcome.status == 1, "\(name)")
        #expect(outcome.errors.contains("\(path(name)): ") && outcome.errors.contains(words), "\(outcome.errors)")
      }
    }
  }

  @Test func resultsThatCannotBeWrittenAreRefusedFirst() throws {
    let good = try picture("a.png", 1)
    let outcome = try detect("--json", path("no/such/out.json"), good)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("no/such/out.json"))
  }

  @Test(.enabled(if: Shared.has("media/obama.jpg"), "needs ../shared/media"))
  func photosGiveTheFacesThatAreInThem() throws {
    let names = ["no-faces.jpg", "obama.jpg", "obama2.jpg", "two_people.jpg"]
    let outcome = try Command.mien("detect", "--json", "-", Shared.url("media").path)
    #expect(outcome.status == 0)
    let photos = try array(outcome.output)
    #expect(photos.compactMap { $0["file"] as? String } == names.map { Shared.url("media/\($0)").path })
    #expect(photos.map { ($0["faces"] as? [Any])?.count } == [0, 1, 1, 2])
  }
}
