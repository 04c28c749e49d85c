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
    #expect(outcome.errors == "mien: error: \(path("missing.png")): no such file\n")
    let photos = try array(outcome.output)
    #expect(photos.map { $0["file"] as? String } == [good, path("missing.png")])
    #expect(photos.allSatisfy { Set($0.keys) == ["file", "width", "height", "faces", "error"] })
    #expect(photos[0]["width"] as? Int == 48 && photos[0]["error"] is NSNull)
    let face = try #require((photos[0]["faces"] as? [[String: Any]])?.first)
    #expect(Set(face.keys) == ["box", "score", "pose", "emotion", "probability", "scores"])
    #expect(face["score"] is NSNull && face["pose"] is NSNull)
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

  /// The first picture that was taken as a face but hardly is one, and pictures that are too small.
  @Test func picturesThatAreNoFacesAreSaidToBeNone() throws {
    func grey(_ name: String, _ width: Int, _ height: Int) throws -> String {
      let pixels = [UInt8](repeating: 90, count: width * height)
      try Image(width: width, height: height, channels: 1, pixels: pixels).write(to: folder.file(name))
      return path(name)
    }
    let (face, photo, other) = (try grey("face.png", 96, 100), try grey("photo.png", 96, 64), try grey("b.png", 96, 60))
    let outcome = try detect(face, photo, other)
    let hint = "\(photo): has 96x64 pixels and was taken as one face, as --detector none says"
    #expect(outcome.status == 0 && outcome.errors.contains(hint), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    let tiny = try Command.mien("detect", "--model", model, try grey("tiny.png", 8, 8))
    #expect(
      tiny.status == 0 && tiny.output.contains("no face") && tiny.errors.contains("has 8x8 pixels, which is too small"),
      "\(tiny)")
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
    #expect(outcome.errors == "mien: error: \(path("empty")): is a folder without pictures\n")
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
        + "neutral,sadness,surprise,score,yaw,pitch,roll,reason,error")
    #expect(lines[1].hasPrefix("\"\(path("with, comma.png"))\",1,0,0,48,48,happiness,1.0,true,"))
    #expect(lines[2] == path("missing.png") + String(repeating: ",", count: 22) + "no such file")
  }

  @Test func filesAndTableComeTogether() throws {
    let good = try picture("a.png", 1)
    let outcome = try detect("--json", path("out.json"), "--csv", path("out.csv"), good)
    let written = outcome.errors.split(separator: "\n").map {
      $0.split(separator: " ").prefix(2).joined(separator: " ")
    }
    #expect(outcome.status == 0 && written == ["wrote \(path("out.json"))", "wrote \(path("out.csv"))"])
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

  @Test func aCopyThatCannotBeWrittenIsNamedAndTheReadingStays() throws {
    let photo = try picture("photos/a.png", 1)
    let other = try picture("photos/b.png", 2)
    // A folder stands in the copy's place.
    try FileManager.default.createDirectory(at: folder.file("marked/a.png/x"), withIntermediateDirectories: true)
    let outcome = try detect("--annotate", path("marked"), "--json", path("out.json"), photo, other)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("mien: error: \(path("marked/a.png")): could not be written: "), "\(outcome.errors)")
    #expect(!outcome.errors.contains("error: \(photo)"))
    #expect(outcome.output.contains("happiness") && !outcome.output.contains("failed"), "\(outcome.output)")
    let photos = try array(String(contentsOfFile: path("out.json"), encoding: .utf8))
    #expect(photos.map { $0["error"] is NSNull } == [true, true])
    #expect(FileManager.default.fileExists(atPath: path("marked/b.png")))
    // Into a folder with -o the photo is not done, and the same command finishes it.
    let first = try detect("-o", path("rows"), "--annotate", path("marked"), photo, other)
    #expect(
      first.status == 1 && first.errors.contains("\(path("marked/a.png")): could not be written"), "\(first.errors)")
    try FileManager.default.removeItem(at: folder.file("marked/a.png"))
    #expect(try detect("-o", path("rows"), "--annotate", path("marked"), photo, other).status == 0)
    #expect(FileManager.default.fileExists(atPath: path("marked/a.png")))
  }

  @Test func theCopyOfOnePhotoGoesToTheFileNamed() throws {
    let photo = try picture("photos/a.png", 1)
    let before = try Data(contentsOf: URL(fileURLWithPath: photo))
    let outcome = try detect("--annotate", path("marked.jpg"), photo)
    #expect(outcome.status == 0 && outcome.errors.contains("wrote \(path("marked.jpg")) ("), "\(outcome.errors)")
    #expect(try Data(contentsOf: folder.file("marked.jpg")).starts(with: [0xFF, 0xD8]))
    // Not to the photo itself, not for several photos, and in no other format.
    let itself = try detect("--annotate", photo, photo)
    #expect(itself.status == 64 && itself.errors.contains("is the input, expected another file"), "\(itself.errors)")
    let several = try detect("--annotate", path("m.png"), photo, try picture("photos/b.png", 2))
    #expect(
      several.status == 64
        && several.errors.contains("is the name of one picture, and there are 2 photos: expected a folder"),
      "\(several.errors)")
    let format = try detect("--annotate", path("m.heic"), photo)
    #expect(
      format.status == 64 && format.errors.contains("expected a name that ends in .jpg or .png, or a folder"),
      "\(format.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: photo)) == before)
    #expect(!FileManager.default.fileExists(atPath: path("m.png")))
    // A folder may have such a name.
    try FileManager.default.createDirectory(at: folder.file("f.png"), withIntermediateDirectories: true)
    #expect(try detect("--annotate", path("f.png"), photo).status == 0)
    #expect(FileManager.default.fileExists(atPath: path("f.png/a.png")))
  }

  @Test func aFolderThatCannotBeMadeSaysWhy() throws {
    let photo = try picture("a.png", 1)
    let plain = folder.file("notes").path
    try Data("x".utf8).write(to: URL(fileURLWithPath: plain))
    let file = try detect("--annotate", plain, photo)
    #expect(
      file.status == 1 && file.errors.contains("a file of this name exists and is not a folder"), "\(file.errors)")
    let below = try detect("--annotate", photo + "/x/y", photo)
    #expect(below.status == 1 && below.errors.contains("\(photo) exists and is not a folder"), "\(below.errors)")
    let kernel = try detect("--annotate", "/proc/mien/maps", photo)
    #expect(
      kernel.status == 1 && kernel.errors.contains("cannot be made: No such file or directory"), "\(kernel.errors)")
  }

  @Test(arguments: [
    ["detect"], ["detect", "--json", "-", "--csv", "-", "a.png"], ["detect", "--min-confidence", "2", "a.png"],
    ["detect", "--min-face", "3", "a.png"], ["detect", "--detector", "magic", "a.png"],
    ["detect", "--model", "no-such-model", "a.png"], ["detect", "--detector", "none", "--min-face", "40", "a.png"],
  ])
  func wrongUsageExitsWith64(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.output.isEmpty && outcome.errors.contains("mien: error: "))
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
    let paths = names.map { Shared.url("media/\($0)").path }
    let outcome = try Command.run(Command.mien.path, ["detect", "--json", "-"] + paths)
    #expect(outcome.status == 0)
    let photos = try array(outcome.output)
    #expect(photos.compactMap { $0["file"] as? String } == paths)
    #expect(photos.map { ($0["faces"] as? [Any])?.count } == [0, 1, 1, 2])
  }

  // MARK: - Names

  /// Copies a picture to a path of any bytes.
  private func copy(_ picture: String, to name: [UInt8]) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: picture))
    let path = FilePath(folder.url.path).appending(FilePath(bytes: name))
    let descriptor = path.withCString { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o644) }
    try #require(descriptor >= 0, "\(String(cString: strerror(errno)))")
    try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: data)
  }

  @Test func namesAreBytes() throws {
    let (first, second) = (try picture("first.png", 1), try picture("second.png", 2))
    try FileManager.default.createDirectory(at: folder.file("names"), withIntermediateDirectories: true)
    let prefix = Array("names/".utf8)
    let names: [[UInt8]] = [
      Array("caf\u{E9}.png".utf8), Array("cafe\u{301}.png".utf8), Array("caf".utf8) + [0xE9] + Array(".png".utf8),
      Array("caf".utf8) + [0xE8] + Array(".png".utf8), Array("new\nline.png".utf8), Array("%d-%s %20.png".utf8),
      Array("-dash.png".utf8), Array("--json.png".utf8), Array("=1+2.png".utf8), Array("double\"quote.png".utf8),
      [UInt8](repeating: 120, count: 251) + Array(".png".utf8),
      [UInt8](repeating: 121, count: 251) + Array(".gif".utf8),
      Array("blank-at-end.png ".utf8), Array("no extension".utf8),
    ]
    for (index, name) in names.enumerated() { try copy(index % 2 == 0 ? first : second, to: prefix + name) }
    let outcome = try detect(
      "--json", path("out.json"), "--csv", path("out.csv"), "--annotate", path("marked"), path("names"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let photos = try array(String(contentsOfFile: path("out.json"), encoding: .utf8))
    #expect(photos.count == names.count)
    // Of the same bytes' order as the folder's; bytes that are not UTF-8 are replaced.
    let expected = names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    let found = photos.compactMap { ($0["file"] as? String)?.split(separator: "/").last.map { Array($0.utf8) } }
    #expect(found == expected.map { Array($0.utf8) })
    for (index, name) in names.enumerated() {
      let read = photos.filter { photo in
        (photo["file"] as? String).map { Array($0.utf8).suffix(name.count).elementsEqual(name) } == true
      }
      let emotion = (read.first?["faces"] as? [[String: Any]])?.first?["emotion"] as? String
      // Two names of the list are not UTF-8, and so are read and stand under another one.
      #expect(read.isEmpty == [2, 3].contains(index))
      #expect(read.isEmpty || emotion == (index % 2 == 0 ? "happiness" : "surprise") || read.count > 1)
    }
    let lines = try String(contentsOfFile: path("out.csv"), encoding: .utf8)
    #expect(lines.unicodeScalars.filter { $0 == "\r" }.count == names.count + 1)
    let copies = try FileManager.default.contentsOfDirectory(atPath: path("marked"))
    #expect(copies.count == names.count, "\(copies)")
    #expect(copies.allSatisfy { $0.utf8.count <= 255 && $0.hasSuffix(".png") })
  }

  @Test func aNameThatIsNotUTF8CanBeAnArgument() throws {
    try copy(try picture("first.png", 1), to: Array("caf".utf8) + [0xE9] + Array(".png".utf8))
    // A shell hands the bytes over as they are.
    let command =
      "cd \"$1\" && exec \"$2\" detect --model \"$3\" --detector none --json - \"$(printf 'caf\\351.png')\" caf?.png"
    let outcome = try Command.run("/bin/sh", ["-c", command, "sh", folder.url.path, Command.mien.path, model])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try array(outcome.output).first?["file"] as? String == "caf\u{FFFD}.png")
  }

  @Test(arguments: ["-dash.jpg", "--json.jpg", "-h.png"])
  func namesThatStartWithADashAreToldFromOptions(name: String) throws {
    let outcome = try Command.mien("detect", name)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("./\(name)") && outcome.errors.contains("--"))
    let given = try Command.mien("detect", "--", name)
    #expect(given.status == 1 && given.errors.contains("no such file"))
  }

  @Test func textThatASpreadsheetWouldRunIsMarkedAsText() throws {
    let plain = try picture("plain.png", 1)
    try copy(plain, to: Array("=1+2.png".utf8))
    let command = "cd \"$1\" && exec \"$2\" detect --model \"$3\" --detector none --csv - =1+2.png plain.png"
    let outcome = try Command.run("/bin/sh", ["-c", command, "sh", folder.url.path, Command.mien.path, model])
    let lines = outcome.output.split(separator: "\r\n").map(String.init)
    #expect(lines[1].hasPrefix("'=1+2.png,1,0,0,48,48,") && lines[2].hasPrefix("plain.png,1,"))
  }

  /// Memory is taken for samples that are there, not for those that a header claims.
  @Test func aFileThatClaimsAHugeRowTakesLittleMemory() throws {
    let row = folder.file("row.pam")
    try (Data("P7\nWIDTH 100000000\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nENDHDR\n".utf8) + Data(count: 64)).write(to: row)
    let command = "ulimit -v 2500000 && exec \"$1\" detect --model \"$2\" --detector none --json - \"$3\""
    let outcome = try Command.run("/bin/sh", ["-c", command, "sh", Command.mien.path, model, row.path])
    #expect(
      outcome.status == 1 && outcome.errors.contains("row.pam: is a damaged or truncated PNM"), "\(outcome.errors)")
  }

  // MARK: - What is in a folder

  @Test func nothingThatLooksLikeAPictureIsPassedOverInSilence() throws {
    let good = try picture("photos/a.png", 1)
    let data = try Data(contentsOf: URL(fileURLWithPath: good))
    try data.write(to: folder.file("photos/without-extension"))
    try data.write(to: folder.file("photos/odd.jpg_large"))
    try Data("%PDF-1.7 and so on, many bytes".utf8).write(to: folder.file("photos/scan.pdf"))
    try Data("<svg xmlns='http://www.w3.org/2000/svg'></svg>".utf8).write(to: folder.file("photos/logo.svg"))
    for name in ["one.mp4", "two.mp4"] {
      try DrawnClip.mp4(handler: "vide", codec: "avc1").write(to: folder.file("photos/\(name)"))
    }
    try Data("some notes that are text".utf8).write(to: folder.file("photos/readme.txt"))
    try Data("\0\0\0\u{0C}JXL \r\n and many more bytes".utf8).write(to: folder.file("photos/new.jxl"))
    let outcome = try detect("--json", "-", path("photos"))
    let photos = try array(outcome.output)
    #expect(
      photos.compactMap { ($0["file"] as? String)?.split(separator: "/").last } == [
        "a.png", "new.jxl", "odd.jpg_large", "without-extension",
      ])
    #expect(outcome.status == 1 && outcome.errors.contains("new.jxl: is a JPEG XL picture"))
    let summary = try #require(outcome.errors.split(separator: "\n").last)
    #expect(summary.contains("1 PDF document (scan.pdf") && summary.contains("1 SVG drawing (logo.svg"))
    #expect(summary.contains("2 videos (one.mp4 and others") && !summary.contains("readme"))
  }

  @Test func twoFoldersAreCountedTogetherAndToldApart() throws {
    try picture("first/a.png", 1)
    try Data("%PDF-1.7 and so on, many bytes".utf8).write(to: folder.file("first/scan.pdf"))
    try FileManager.default.createDirectory(at: folder.file("second"), withIntermediateDirectories: true)
    try Data("%PDF-1.7 and so on, many bytes".utf8).write(to: folder.file("second/other.pdf"))
    try picture("third/a.png", 1)
    try Data("%PDF-1.7 and so on, many bytes".utf8).write(to: folder.file("third/third.pdf"))
    let outcome = try detect(path("first"), path("second"), path("third"))
    let lines = outcome.errors.split(separator: "\n")
    #expect(outcome.status == 1 && lines.count == 2, "\(outcome.errors)")
    #expect(lines[0].contains("second: is a folder without pictures; not read: 1 PDF document (other.pdf"))
    #expect(lines[1].contains("not read: 2 PDF documents (scan.pdf and others"))
  }

  @Test(.enabled(if: Sample.exists, "needs the sample photo of `make setup`"))
  func decodersPrintNothingThemselves() throws {
    // libpng has a word to say about this file's colour profile.
    let outcome = try Command.mien("detect", "--json", "-", Sample.url.path)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
  }

  @Test func aFolderOfVideosSaysSo() throws {
    try FileManager.default.createDirectory(at: folder.file("clips"), withIntermediateDirectories: true)
    try DrawnClip.mp4(handler: "vide", codec: "avc1").write(to: folder.file("clips/one.mp4"))
    let outcome = try detect(path("clips"))
    #expect(outcome.status == 1 && outcome.errors.contains("without pictures") && outcome.errors.contains("mien video"))
  }

  // MARK: - Warnings and sizes

  @Test func warningsStandInTheResultsAndOnStandardError() throws {
    let file = folder.file("cut.jpg")
    let flat = try Image(width: 64, height: 64, channels: 3, pixels: [UInt8](repeating: 90, count: 64 * 64 * 3))
    let jpeg = try flat.encoded(as: .jpeg(quality: 90))
    try jpeg.dropLast(20).write(to: file)
    let outcome = try detect("--json", "-", file.path)
    #expect(outcome.status == 0)
    let photo = try #require(try array(outcome.output).first)
    let warning = try #require(photo["warning"] as? String)
    #expect(photo["error"] is NSNull && warning.contains("truncated"))
    #expect(outcome.errors == "mien: warning: \(file.path): \(warning)\n")
  }

  @Test func boxesAndSizesAreOfTheWholePicture() throws {
    // Over the 32 million pixels that are kept.
    let flat = try Image(width: 7001, height: 5000, channels: 1, pixels: [UInt8](repeating: 200, count: 7001 * 5000))
    let file = folder.file("large.jpg")
    try flat.encoded(as: .jpeg(quality: 50)).write(to: file)
    let outcome = try detect("--json", "-", "--annotate", path("marked"), file.path)
    let photo = try #require(try array(outcome.output).first)
    #expect(photo["width"] as? Int == 7001 && photo["height"] as? Int == 5000 && photo["warning"] == nil)
    let face = try #require((photo["faces"] as? [[String: Any]])?.first)
    #expect(face["box"] as? [String: Int] == ["x": 0, "y": 0, "width": 7001, "height": 5000])
    let copy = try Image(contentsOf: folder.file("marked/large.jpg"))
    #expect(copy.width == 3501 && copy.height == 2500)
  }
}

/// The pictures that users report, read with the built-in model: `../shared/cases/README.md` says what is right.
@Suite(.enabled(if: PictureCase.exist, "needs ../shared/cases"))
struct PictureCaseCommandTests {
  /// Those in which no face need be found: viewers show a negative, or nothing, or next to nothing.
  private static let faceless = ["cmyk-unmarked-plain.jpg", "all-transparent.png", "rgb-12-bits-in-16.png"]

  @Test(arguments: ["image-jpeg", "image-formats", "image-formats-only-gifs", "orientation"])
  func everyPictureOfAFolderIsReadOrNamed(name: String) throws {
    let folder = try TemporaryFolder()
    let cases = try PictureCase.all(in: name)
    let root = Shared.url("cases/\(name)")
    let outcome = try Command.mien(
      "detect", root.path, "--json", folder.file("o.json").path, "--annotate", folder.file("m").path)
    let data = try Data(contentsOf: folder.file("o.json"))
    let photos = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    for photo in photos {
      let file = try #require(photo["file"] as? String)
      if let words = photo["error"] as? String ?? photo["warning"] as? String {
        #expect(outcome.errors.contains("\(file): \(words)"))
      }
      guard let picture = cases.first(where: { root.path + "/" + $0.name == file }) else {
        #expect(photo["error"] is String, "\(file)")
        continue
      }
      #expect(photo["width"] as? Int == picture.width && photo["height"] as? Int == picture.height, "\(file)")
      let boxes = (photo["faces"] as? [[String: Any]] ?? []).compactMap { $0["box"] as? [String: Int] }.map { box in
        Box(x: box["x"] ?? 0, y: box["y"] ?? 0, width: box["width"] ?? 0, height: box["height"] ?? 0)
      }
      if Self.faceless.contains(picture.name), boxes.isEmpty { continue }
      #expect(boxes.count == picture.faces.count, "\(file)")
      for (box, face) in zip(boxes, picture.faces) { #expect(box.overlap(face) >= 0.6, "\(file): \(box)") }
      let emotions = (photo["faces"] as? [[String: Any]] ?? []).compactMap { $0["emotion"] as? String }
      #expect(emotions.allSatisfy { $0 == "happiness" }, "\(file)")
    }
    let named = Set(photos.compactMap { ($0["file"] as? String)?.split(separator: "/").last.map(String.init) })
    for file in try FileManager.default.contentsOfDirectory(atPath: root.path) where !named.contains(file) {
      #expect(outcome.errors.contains(file), "\(file) is passed over in silence")
    }
    let copies = try FileManager.default.contentsOfDirectory(atPath: folder.file("m").path)
    #expect(copies.count == photos.count { $0["error"] is NSNull })
    #expect(outcome.status == (photos.contains { $0["error"] is String } ? 1 : 0))
  }
}
