import Foundation
import MienCore
import MienTestSupport
import Testing

@Suite struct DatasetCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A CSV of `rows` grey faces, and one that is too short where asked for.
  func csv(rows: Int, hasBadRow: Bool = false) -> String {
    let pixels = [String](repeating: "9", count: 2304).joined(separator: " ")
    let good = (0..<rows).map { "\($0 % 7),\(pixels),\($0 % 2 == 0 ? "Training" : "PublicTest")\n" }.joined()
    return "emotion,pixels,Usage\n" + good + (hasBadRow ? "0,1 2 3,Training\n" : "")
  }

  func path(_ name: String) -> String { folder.file(name).path }

  @Test func importAndInspectWorkTogether() throws {
    try Data(csv(rows: 14).utf8).write(to: folder.file("faces.csv"))
    let made = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces"))
    #expect(made.status == 0 && made.output.isEmpty)
    #expect(
      made.errors.hasPrefix(
        """
        labels (fer2013) by the column emotion, by FER2013's numbers: 0 = anger (2), 1 = disgust (2), 2 = fear (2), \
        3 = happiness (2), 4 = sadness (2), 5 = surprise (2), 6 = neutral (2)
        parts: Training = train (7), PublicTest = validation (7)
        \(path("faces")): 14 faces (7 train, 7 validation)
        wrote \(path("faces")) (
        """), "\(made.errors)")
    let shown = try Command.mien("dataset", "inspect", path("faces"), "--svg", path("chart.svg"))
    #expect(shown.status == 0 && shown.errors.hasPrefix("wrote \(path("chart.svg")) ("), "\(shown.errors)")
    #expect(shown.output.contains("happiness                 1           1      2\n"))
    #expect(try String(contentsOf: folder.file("chart.svg"), encoding: .utf8).hasPrefix("<svg"))
  }

  @Test func aFullStandardOutputIsSaid() throws {
    try Data(csv(rows: 14).utf8).write(to: folder.file("faces.csv"))
    #expect(try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces")).status == 0)
    for arguments in [["dataset", "inspect", path("faces")], ["models", "mien-s"]] {
      let full = try Command.run("/bin/sh", ["-c", "exec \"$@\" > /dev/full", "sh", Command.mien.path] + arguments)
      #expect(full.status == 1 && full.errors.contains("standard output: could not be written"), "\(full)")
      let silent = try Command.run(
        "/bin/sh", ["-c", "exec \"$@\" 2> /dev/full", "sh", Command.mien.path, "models", "no"])
      #expect(silent.status == 64 || silent.status == 1)
    }
  }

  @Test func inputsAreNotWrittenOver() throws {
    let text = Data(csv(rows: 14).utf8)
    try text.write(to: folder.file("faces.csv"))
    let made = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("./faces.csv"))
    #expect(made.status == 64 && made.errors.contains("is the input, expected another file"), "\(made.errors)")
    #expect(try Data(contentsOf: folder.file("faces.csv")) == text)
    #expect(try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces")).status == 0)
    let faces = try Data(contentsOf: folder.file("faces"))
    #expect(try Command.mien("dataset", "inspect", path("faces"), "--svg", path("faces")).status == 64)
    #expect(try Command.mien("evaluate", "--data", path("faces"), "--json", path("faces")).status == 64)
    #expect(try Data(contentsOf: folder.file("faces")) == faces)
    let both = try Command.mien("evaluate", "--data", path("faces"), "--json", path("a"), "--report", path("a"))
    #expect(both.status == 64 && both.errors.contains("is what --json writes"), "\(both.errors)")
    // A device takes both.
    let devices = try Command.mien("dataset", "audit", path("faces"), "--json", "/dev/null", "--html", "/dev/null")
    #expect(devices.status == 0, "\(devices.errors)")
  }

  @Test func standardInputGivesTheSameFile() throws {
    let text = Data(csv(rows: 40).utf8)
    try text.write(to: folder.file("faces.csv"))
    #expect(try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("a")).status == 0)
    #expect(try Command.mien("dataset", "import", "fer2013", "-", "-o", path("b"), input: text).status == 0)
    #expect(try Data(contentsOf: folder.file("a")) == Data(contentsOf: folder.file("b")))
  }

  @Test func badRowsFailOrAreSkipped() throws {
    try Data(csv(rows: 2, hasBadRow: true).utf8).write(to: folder.file("faces.csv"))
    let refused = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces"))
    #expect(refused.status == 1)
    #expect(
      refused.errors.hasSuffix(
        "mien: error: \(path("faces.csv")), line 4: expected 2,304 pixels, found 3 (--skip-bad leaves out what cannot be used)\n"
      ))
    #expect(!FileManager.default.fileExists(atPath: path("faces")))
    let skipped = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces"), "--skip-bad")
    #expect(skipped.status == 0)
    #expect(skipped.errors.contains("skipped: \(path("faces.csv")), line 4: "))
    #expect(skipped.errors.contains("2 faces (1 train, 1 validation); 1 bad left out\n"))
    #expect(try FaceSet(contentsOf: folder.file("faces")).count == 2)
  }

  @Test(arguments: [
    ["dataset", "import", "fer2013"], ["dataset", "import", "fer2013", "a.csv"], ["dataset", "import", "jaffe", "a"],
    ["dataset", "import", "kaggle", "a", "-o", "b"],
    ["dataset", "import", "folders", "a", "-o", "b", "--size", "0"],
    ["dataset", "import", "folders", "a", "-o", "b", "--labels", "moods"],
    ["dataset", "import", "folders", "a", "-o", "b", "--votes", "v"], ["dataset", "inspect"], ["nothing"],
    ["dataset", "inspect", "a", "--what"],
  ])
  func wrongUsageExitsWith64(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.output.isEmpty && outcome.errors.contains("mien: error: "))
  }

  @Test func filesThatAreNoFaceSetAreNamed() throws {
    try Data("{}".utf8).write(to: folder.file("no"))
    let outcome = try Command.mien("dataset", "inspect", path("no"))
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("mien: error: \(path("no")): not a valid safetensors file"))
    #expect(
      try Command.mien("dataset", "inspect", path("missing")).errors
        == "mien: error: \(path("missing")): no such file\n")
  }

  @Test func allThatIsBadIsNamedAtOnce() throws {
    try Data((csv(rows: 2, hasBadRow: true) + "9,1,Training\n").utf8).write(to: folder.file("faces.csv"))
    let refused = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces"))
    #expect(refused.status == 1 && !FileManager.default.fileExists(atPath: path("faces")))
    #expect(refused.errors.contains("bad: \(path("faces.csv")), line 4: expected 2,304 pixels"))
    #expect(refused.errors.contains("bad: \(path("faces.csv")), line 5: expected a label"))
    #expect(refused.errors.contains("mien: error: 2 rows or files cannot be used, so that nothing was written"))
  }

  @Test func filesAreNamedAsTheyWereTyped() throws {
    let faces = folder.file("faces/happy")
    try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
    try Data("no picture".utf8).write(to: faces.appendingPathComponent("a.png"))
    try Data(csv(rows: 2, hasBadRow: true).utf8).write(to: folder.file("faces.csv"))
    func errors(_ arguments: String...) throws -> String {
      let script = "cd \"$0\" && exec \"$@\""
      return try Command.run("/bin/sh", ["-c", script, folder.url.path, Command.mien.path] + arguments).errors
    }
    let pictures = try errors("dataset", "import", "folders", "faces", "-o", "faces.safetensors")
    #expect(pictures.contains("mien: error: faces: has no usable picture: faces/happy/a.png: "), "\(pictures)")
    let rows = try errors("dataset", "import", "fer2013", "faces.csv", "-o", "faces.safetensors")
    #expect(rows.contains("mien: error: faces.csv, line 4: "), "\(rows)")
  }

  @Test func aMissingFormatIsExplained() throws {
    let unknown = try Command.mien("dataset", "import", "kaggle", "x", "-o", "y")
    #expect(unknown.status == 64 && unknown.errors.contains("expected fer2013, folders, ckplus48"), "\(unknown.errors)")
    try Data(csv(rows: 2).utf8).write(to: folder.file("faces.csv"))
    let missing = try Command.mien("dataset", "import", path("faces.csv"), "-o", "y")
    #expect(missing.status == 64)
    #expect(missing.errors.contains("mien dataset import fer2013 \(path("faces.csv")) -o y"), "\(missing.errors)")
    let help = try Command.mien("dataset", "import")
    #expect(help.status == 0 && help.output.contains("ckplus48") && !help.output.contains("without-format"))
  }

  @Test func aFileOfFacesNeedsNoImport() throws {
    try Data(csv(rows: 2).utf8).write(to: folder.file("faces.csv"))
    let made = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces.safetensors"))
    #expect(made.status == 0, "\(made.errors)")
    for (format, words) in [("fer2013", "is a file of faces already;"), ("folders", "it is imported already:")] {
      let again = try Command.mien("dataset", "import", format, path("faces.safetensors"), "-o", path("x.safetensors"))
      #expect(again.status == 1 && again.errors.contains(words), "\(again.errors)")
      #expect(again.errors.contains("`mien dataset inspect") && !again.errors.contains("import fer2013"))
    }
    // A damaged one is not refused as what it should be.
    let cut = try Data(contentsOf: folder.file("faces.safetensors")).dropLast(100)
    try cut.write(to: folder.file("cut.safetensors"))
    let shown = try Command.mien("dataset", "inspect", path("cut.safetensors"))
    #expect(shown.status == 1 && !shown.errors.contains("is a file of faces"), "\(shown.errors)")
  }

  @Test func otherFilesThanFaceSetsAreNamed() throws {
    try Data(csv(rows: 2).utf8).write(to: folder.file("faces.csv"))
    try Data([0xFF, 0xD8, 0xFF, 0xE0] + [UInt8](repeating: 7, count: 100)).write(to: folder.file("face.jpg"))
    try Data("notes on the faces, not the faces\n".utf8).write(to: folder.file("notes.txt"))
    for (name, words) in [
      ("notes.txt", "is not a safetensors file; `mien dataset import` makes a file of faces from a data set"),
      ("faces.csv", "is a table (CSV), expected a file of faces; make one with `mien dataset import fer2013"),
      ("face.jpg", "is a JPEG picture, expected a file of faces; `mien dataset import folders`"),
      (".", "is a folder, expected a file of faces; make one with `mien dataset import folders"),
    ] {
      let shown = try Command.mien("dataset", "inspect", path(name))
      #expect(shown.status == 1 && shown.errors.contains(words), "\(shown.errors)")
    }
  }

  @Test func oneFaceIsNotPlural() throws {
    try Data(csv(rows: 1).utf8).write(to: folder.file("faces.csv"))
    let made = try Command.mien("dataset", "import", "fer2013", path("faces.csv"), "-o", path("faces"))
    #expect(made.errors.contains(": 1 face (1 train)\nwrote "), "\(made.errors)")
    #expect(try Command.mien("dataset", "inspect", path("faces")).output.hasPrefix("1 face of 48x48"))
    #expect(try Command.mien("dataset", "audit", path("faces")).output.hasPrefix("1 face of 48x48"))
  }

  @Test(.enabled(if: Shared.has("data/fer2013/fer2013.csv.xz"), "FER2013 is not here"))
  func majorityCountsOfFER2013AreThePublishedOnes() throws {
    let script = #"xz -dc "$1" | "$0" dataset import fer2013 - --votes "$2" -o "$3""#
    let outcome = try Command.run(
      "/bin/sh",
      [
        "-c", script, Command.mien.path, Shared.url("data/fer2013/fer2013.csv.xz").path,
        Shared.url("data/fer2013/fer2013new.csv").path, path("faces"),
      ])
    #expect(outcome.errors.contains("\n\(path("faces")): 32,298 faces (28,709 train, 3,589 validation)\nwrote "))
    let faces = try FaceSet(contentsOf: folder.file("faces"))
    #expect(faces.labelled(.ferplus, in: .train).count == 25_060)
    #expect(faces.labelled(.ferplus, in: .validation).count == 3_199)
    #expect(faces.labelled(.own, in: .train).count == 28_709)
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aFullDiskKeepsTheOldFile() throws {
    try Data(csv(rows: 60).utf8).write(to: folder.file("faces.csv"))
    try FileManager.default.createDirectory(at: folder.file("disk"), withIntermediateDirectories: true)
    // 60 faces take 138 kB; the disk has 64 kB, and is seen by this shell alone.
    let script = """
      mount -t tmpfs -o size=64k tmpfs "$2" && printf old > "$2/faces" || exit 99
      "$0" dataset import fer2013 "$1" -o "$2/faces"; echo "status $?"; cat "$2/faces"; echo; ls -A "$2"
      """
    let outcome = try Command.run(
      "/usr/bin/unshare", ["-m", "sh", "-c", script, Command.mien.path, path("faces.csv"), path("disk")])
    #expect(outcome.output == "status 1\nold\nfaces\n")
    #expect(
      outcome.errors.hasSuffix("mien: error: \(path("disk/faces")): could not be written: No space left on device\n"))
  }
}
