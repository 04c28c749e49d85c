import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// `-o`, `--shard` and `mien merge`, on faces that `PixelGraph` reads.
@Suite(.serialized) struct ShardCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("pixels.onnx").path
    try PixelGraph.model().write(to: folder.file("pixels.onnx"))
  }

  private func path(_ name: String) -> String { folder.file(name).path }

  /// Writes a face of class `index`; sub-folders are made.
  private func picture(_ name: String, _ index: Int = 1) throws {
    let url = folder.file(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(index)).write(to: url)
  }

  /// `count` photos in two folders of `photos`.
  private func photos(_ count: Int, prefix: String = "p") throws {
    for index in 0..<count { try picture("photos/\(index % 2 == 0 ? "a" : "b/c")/\(prefix)\(index).png", index % 8) }
  }

  private var options: [String] { ["--model", model, "--detector", "none"] }

  private func detect(_ output: String, _ arguments: String...) throws -> Command.Outcome {
    try Command.run(
      Command.mien.path, ["detect", path("photos"), "-o", path(output)] + options + arguments)
  }

  private func results(_ output: String, _ shard: Int = 1, of count: Int = 1) -> URL {
    folder.file("\(output)/part-0000\(shard)-of-0000\(count).jsonl")
  }

  private func manifest(_ output: String, _ shard: Int = 1, of count: Int = 1) -> URL {
    folder.file("\(output)/_part-0000\(shard)-of-0000\(count).manifest")
  }

  /// The `file` of each line, below `photos`.
  private func names(_ url: URL) throws -> [String] {
    try lines(url).map { row in
      let name = try #require(row["file"] as? String)
      return String(name.dropFirst(path("photos").count + 1))
    }
  }

  private func lines(_ url: URL) throws -> [[String: Any]] {
    try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
      try #require(JSONSerialization.jsonObject(with: $0) as? [String: Any])
    }
  }

  @Test func shardsShareFilesByTheChecksumOfTheirPath() throws {
    try photos(40)
    var before: [String: Int] = [:]
    for shard in 1...3 {
      let made = try detect("out", "--shard", "\(shard)/3")
      #expect(made.status == 0 && made.output.isEmpty, "\(made.errors)")
      for name in try names(results("out", shard, of: 3)) {
        #expect(before.updateValue(shard, forKey: name) == nil, "\(name) is in two shards")
      }
    }
    #expect(before.count == 40 && Set(before.values) == [1, 2, 3])
    // Python: zlib.crc32(b"a/p0.png") % 3, and so on.
    #expect(before["a/p0.png"] == CRC.of("a/p0.png") % 3 + 1 && before["b/c/p39.png"] == CRC.of("b/c/p39.png") % 3 + 1)

    try photos(20, prefix: "added")
    for shard in 1...3 {
      #expect(try detect("out", "--shard", "\(shard)/3").status == 0)
      let now = try names(results("out", shard, of: 3))
      #expect(Set(now).count == now.count && now.filter { before[$0] != nil }.allSatisfy { before[$0] == shard })
    }
    let all = try (1...3).flatMap { try names(results("out", $0, of: 3)) }
    #expect(all.count == 60)
  }

  /// CRC-32 bit by bit, as the standard has it.
  private enum CRC {
    static func of(_ text: String) -> Int {
      var value: UInt32 = .max
      for byte in text.utf8 {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      }
      return Int(~value)
    }
  }

  @Test func aKilledShardGoesOnAndEndsAsOneThatWasNot() throws {
    try photos(300)
    #expect(try detect("whole").status == 0)
    var random = SeededRandom(seed: UInt64(getpid()))
    var killed = 0
    for _ in 0..<40 where killed < 6 {
      let process = Process()
      process.executableURL = Command.mien
      process.arguments = ["detect", path("photos"), "-o", path("broken")] + options
      process.standardError = FileHandle.nullDevice
      try process.run()
      let before = (try? Data(contentsOf: results("broken")).count) ?? 0
      let extra = Int(random.uniform(in: 0...12_000))
      process.wait { ((try? Data(contentsOf: results("broken")).count) ?? 0) > before + extra }
      guard process.isRunning else { break }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { killed += 1 }
      // What a write that was cut short leaves behind.
      for url in [results("broken"), manifest("broken")] {
        let file = try FileHandle(forWritingTo: url)
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"file":"half a li"#.utf8))
        try file.close()
      }
      #expect(try Command.mien("merge", path("broken")).status == 1)
    }
    try #require(killed > 1, "the run ended before it could be killed")
    let last = try detect("broken")
    #expect(last.status == 0, "\(last.errors)")
    #expect(try Data(contentsOf: results("broken")) == Data(contentsOf: results("whole")))
    #expect(try names(results("broken")).count == 300)
    #expect(try Command.mien("merge", path("broken")).status == 0)
    // Nothing is left to do.
    let again = try detect("broken")
    #expect(again.status == 0 && again.errors.contains("300 photos done, nothing left to do"))
  }

  @Test func resultsThatDoNotFitTheManifestAreDoneAgain() throws {
    try photos(20)
    #expect(try detect("out").status == 0)
    let whole = try Data(contentsOf: results("out"))
    var damaged = whole
    damaged[damaged.count / 2] ^= 1
    for contents in [damaged, whole.prefix(whole.count / 3), Data()] {
      try contents.write(to: results("out"))
      #expect(try Command.mien("merge", path("out")).errors.contains("is not done after"))
      #expect(try detect("out").status == 0)
      #expect(try Data(contentsOf: results("out")) == whole)
    }
    // Without its manifest, a file could be anything.
    try FileManager.default.removeItem(at: manifest("out"))
    let refused = try detect("out")
    #expect(refused.status == 1 && refused.errors.contains("has no manifest"))
    #expect(try Data(contentsOf: results("out")) == whole)
  }

  @Test func photosThatAreNotThereAreTriedAgainAndDamagedOnesAreNot() throws {
    try picture("photos/good.png")
    try Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1]).write(to: folder.file("photos/damaged.png"))
    let arguments = ["detect", path("photos"), path("later.png"), path("none*.png"), "-o", path("out")] + options
    let first = try Command.run(Command.mien.path, arguments)
    #expect(
      first.status == 1 && first.errors.contains("\(path("later.png")): no such file or folder"), "\(first.errors)")
    #expect(first.errors.contains("matches no file") && first.errors.contains("not all is done, see above"))
    #expect(try lines(results("out")).count == 2)
    #expect(try Command.mien("merge", path("out")).status == 1)

    try picture("later.png")
    try picture("none1.png")
    let second = try Command.run(Command.mien.path, arguments)
    #expect(second.status == 0 && second.errors.contains("4 photos done, 2 of them now; 1 failed, see \"error\""))
    let rows = try lines(results("out"))
    #expect(rows.count == 4 && rows.filter { !($0["error"] is NSNull) }.count == 1)
    let merged = try Command.mien("merge", path("out"))
    #expect(merged.status == 0 && merged.output == "1 shard of 1, 4 files, 1 failed, see \"error\"\n")
  }

  /// A link into a disk that is not there, as a file that goes after the folder was listed.
  @Test func aFileThatIsListedAndCannotBeOpenedIsTriedAgain() throws {
    try picture("photos/good.png")
    try FileManager.default.createSymbolicLink(
      at: folder.file("photos/link.png"), withDestinationURL: folder.file("disk/photo.png"))
    let first = try detect("out")
    #expect(first.status == 1 && first.errors.contains("link.png: no such file"), "\(first.errors)")
    #expect(try lines(results("out")).count == 1)
    try picture("disk/photo.png")
    let second = try detect("out")
    #expect(second.status == 0 && second.errors.contains("2 photos done, 1 of them now"), "\(second.errors)")
    #expect(try names(results("out")).sorted() == ["good.png", "link.png"])
  }

  @Test func aFolderThatIsNotMountedFailsInEveryShard() throws {
    for shard in 1...2 {
      let outcome = try detect("out", "--shard", "\(shard)/2")
      #expect(
        outcome.status == 1 && outcome.errors == "mien: error: \(path("photos")): no such file or folder\n",
        "\(outcome.errors)")
    }
    // Nothing was made for what is not there.
    #expect(!FileManager.default.fileExists(atPath: path("out")))
    #expect(try Command.mien("merge", path("out")).status == 1)
  }

  @Test func aShardIsFinishedAsItWasBegun() throws {
    try photos(4)
    #expect(try detect("out", "--shard", "1/2").status == 0)
    for (arguments, message) in [
      (["--shard", "1/2", "--min-confidence", "0.5"], "was begun with --min-confidence 0.4, found 0.5"),
      (["--shard", "2/2", "--landmarks"], "was begun with --landmarks not set, found landmarks"),
      (["--shard", "1/3"], "is one of 2 shards, found shard 1 of 3"),
    ] {
      let refused = try Command.run(
        Command.mien.path, ["detect", path("photos"), "-o", path("out")] + options + arguments)
      #expect(refused.status == 1 && refused.errors.contains(message), "\(refused.errors)")
    }
    try Data("no video".utf8).write(to: folder.file("clip.mp4"))
    let video = try Command.run(
      Command.mien.path, ["video", path("clip.mp4"), "-o", path("out"), "--shard", "1/2"] + options)
    #expect(video.status == 1 && video.errors.contains("holds results of mien detect, not video"))
  }

  @Test func whatIsInFilesThatDecideResultsIsHeldToo() throws {
    try photos(4)
    let prior = folder.file("prior.json")
    try Data(#"{"neutral": 1, "happiness": 2}"#.utf8).write(to: prior)
    let prepared = try detect("out", "--prior", prior.path)
    #expect(prepared.status == 0 || prepared.errors.contains("class shares"), "\(prepared.errors)")
    try Data(#"{"neutral": 2, "happiness": 1}"#.utf8).write(to: prior)
    if prepared.status == 0 {
      let refused = try detect("out", "--prior", prior.path)
      #expect(refused.status == 1 && refused.errors.contains("was begun with --prior happiness:2.0,neutral:1.0"))
    }
    // The same weights under another card.
    #expect(try detect("cards").status == 0)
    var card = try PixelGraph.model().card()
    card.summary += " Measured anew."
    try PixelGraph.model().replacingCard(card).write(to: folder.file("pixels.onnx"))
    let refused = try detect("cards")
    #expect(refused.status == 1 && refused.errors.contains("was begun with card "), "\(refused.errors)")
  }

  @Test func anotherSpellingOfANameIsNoOtherFile() throws {
    try photos(4)
    #expect(try detect("out").status == 0)
    let again = try Command.run(
      Command.mien.path, ["detect", path("./photos//"), "-o", path("out")] + options)
    #expect(again.status == 0 && again.errors.contains("4 photos done, nothing left to do"), "\(again.errors)")
  }

  @Test func videosThatFailHaveALineThatSaysSo() throws {
    try FileManager.default.createDirectory(at: folder.file("clips"), withIntermediateDirectories: true)
    let frame = Data("FRAME\n".utf8) + Data(repeating: 90, count: 48 * 48 * 3)
    try (Data("YUV4MPEG2 W48 H48 F25:1 Ip A1:1 C444\n".utf8) + frame + frame).write(to: folder.file("clips/good.y4m"))
    try Data("YUV4MPEG2 W48 H48 F25:1 Ip A1:1 C444\nFRAM".utf8).write(to: folder.file("clips/bad.y4m"))
    let outcome = try Command.run(
      Command.mien.path, ["video", path("clips"), "-o", path("rows")] + options)
    #expect(outcome.errors.contains("done; 1 failed, see"), "\(outcome.errors)")
    let failed = try lines(results("rows")).filter { $0["error"] is String }
    #expect(failed.count == 1 && (failed.first?["file"] as? String)?.hasSuffix("clips/bad.y4m") == true)
  }

  @Test func oneProcessIsAtWorkOnAShard() throws {
    try photos(2)
    #expect(try detect("out").status == 0)
    let lock = try #require(try FileLock(manifest("out"), mode: 0o644))
    let refused = try detect("out")
    #expect(refused.status == 1 && refused.errors.contains("another process is at work on this shard"))
    #expect(try Command.mien("merge", path("out")).errors.contains("a process is at work on this shard"))
    withExtendedLifetime(lock) {}
  }

  @Test(arguments: [
    (["SLURM_ARRAY_TASK_ID=3", "COUNT=4", "MIN=1", "MAX=4", "STEP=1"], "3 of 4"),
    (["SLURM_ARRAY_TASK_ID=0", "COUNT=4", "MIN=0", "MAX=3", "STEP=1"], "1 of 4"),
    (["SLURM_ARRAY_TASK_ID=14", "COUNT=3", "MIN=10", "MAX=14", "STEP=2"], "3 of 3"),
    (["SLURM_ARRAY_TASK_ID=7", "COUNT=1", "MIN=7", "MAX=7", "STEP=1", "MIEN_SHARDS=8"], "7 of 8"),
    (["JOB_COMPLETION_INDEX=0", "MIEN_SHARDS=5"], "1 of 5"),
    (["PARALLEL_SEQ=2", "MIEN_SHARDS=2"], "2 of 2"),
  ])
  func batchSystemsNameTheShard(variables: [String], shard: String) throws {
    try photos(6)
    let outcome = try automatic(variables)
    #expect(outcome.status == 0 && outcome.errors.contains("mien: shard \(shard), by "), "\(outcome.errors)")
  }

  @Test(arguments: [
    ([String](), "found none of them"),
    (["SLURM_ARRAY_TASK_ID=3", "COUNT=2", "MIN=3", "MAX=7", "STEP=1"], "expected a job array without gaps"),
    (["SLURM_ARRAY_TASK_ID=9", "MIEN_SHARDS=8"], "expected a shard from 1 to 8, found 9"),
    (["SLURM_ARRAY_TASK_ID=x", "MIEN_SHARDS=8"], "SLURM_ARRAY_TASK_ID: expected a whole number from 0, found x"),
    (["JOB_COMPLETION_INDEX=0"], "MIEN_SHARDS is not set"),
    (["JOB_COMPLETION_INDEX=2", "MIEN_SHARDS=2"], "expected a shard from 1 to 2, found 3"),
    (["JOB_COMPLETION_INDEX=0", "MIEN_SHARDS=0"], "expected 1 to 99,999 shards, found 0"),
    (["JOB_COMPLETION_INDEX=0", "MIEN_SHARDS=9223372036854775807"], "expected a whole number from 0"),
    (["SLURM_ARRAY_TASK_ID=1", "PARALLEL_SEQ=2", "MIEN_SHARDS=2"], "which may disagree"),
  ])
  func anEnvironmentThatNamesNoShardIsRefused(variables: [String], message: String) throws {
    let outcome = try automatic(variables)
    #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
  }

  /// `mien detect --shard auto` in an environment of Slurm's or others' variables.
  private func automatic(_ variables: [String]) throws -> Command.Outcome {
    let long = variables.map { variable in
      ["COUNT", "MIN", "MAX", "STEP"].contains { variable.hasPrefix($0 + "=") }
        ? "SLURM_ARRAY_TASK_" + variable : variable
    }
    let unset = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "PARALLEL_SEQ", "MIEN_SHARDS"].flatMap { ["-u", $0] }
    return try Command.run(
      "/usr/bin/env",
      unset + long + [Command.mien.path, "detect", path("photos"), "-o", path("out"), "--shard", "auto"] + options)
  }

  @Test(arguments: [
    ["--shard", "1/2"], ["--shard", "0/2", "-o", "x"], ["--shard", "3/2", "-o", "x"], ["--shard", "1", "-o", "x"],
    ["--shard", "1/100000", "-o", "x"], ["-o", "x", "--json", "-"], ["-o", "x", "--csv", "y"],
    ["-", "-o", "x"],
  ])
  func wrongUsageExitsWith64(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, ["detect", path("photos")] + arguments)
    #expect(outcome.status == 64 && outcome.errors.hasPrefix("mien: error: "), "\(outcome.errors)")
  }

  // MARK: - mien merge

  @Test func mergingJoinsShardsAndMissesNone() throws {
    try photos(12)
    for shard in [1, 3] { #expect(try detect("out", "--shard", "\(shard)/3").status == 0) }
    let incomplete = try Command.mien("merge", path("out"), "-o", path("all.jsonl"))
    #expect(incomplete.status == 1 && incomplete.errors.contains("error: shard 2 of 3 is missing: run it, or join "))
    #expect(!FileManager.default.fileExists(atPath: path("all.jsonl")))
    let partial = try Command.mien("merge", path("out"), "--partial", "-o", path("all.jsonl"))
    #expect(partial.status == 0, "\(partial.errors)")
    #expect(
      partial.errors.hasPrefix("mien: warning: shard 2 of 3 is missing; joined 2 of 3\nwrote "), "\(partial.errors)")
    let two = try [1, 3].map { try Data(contentsOf: results("out", $0, of: 3)) }
    #expect(try Data(contentsOf: folder.file("all.jsonl")) == two.reduce(Data(), +))

    // A shard may be on another disk.
    #expect(try detect("elsewhere", "--shard", "2/3").status == 0)
    let merged = try Command.mien("merge", path("out"), path("elsewhere"), "-o", path("all.jsonl"))
    #expect(merged.status == 0 && merged.output == "3 shards of 3, 12 files, none failed\n", "\(merged.errors)")
    let parts = try [("out", 1), ("elsewhere", 2), ("out", 3)].map { try Data(contentsOf: results($0.0, $0.1, of: 3)) }
    #expect(try Data(contentsOf: folder.file("all.jsonl")) == parts.reduce(Data(), +))
    #expect(try Set(names(folder.file("all.jsonl"))).count == 12)
    let piped = try Command.mien("merge", path("out"), path("elsewhere"), "-o", "-")
    #expect(Data(piped.output.utf8) == parts.reduce(Data(), +))

    #expect(try detect("elsewhere", "--shard", "1/3").status == 0)
    let twice = try Command.mien("merge", path("out"), path("elsewhere"))
    #expect(twice.status == 1 && twice.errors.contains("is the same shard as"))
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: true)
    for (name, message) in [("empty", "expected shards"), ("none", "no such folder")] {
      let refused = try Command.mien("merge", path(name))
      #expect(refused.status == 1 && refused.errors.contains("\(path(name)): \(message)"), "\(refused.errors)")
    }
  }

  // MARK: - Videos

  /// Two clips, of which one name is in two folders, and a text.
  private func clips(frames: Int) throws {
    for name in ["clips/one.y4m", "clips/sub/one.y4m", "clips/two.y4m"] {
      let url = folder.file(name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let face = PixelGraph.face(name.count % 8).flatMap { [$0, $0, $0] }
      try DrawnClip.y4m(width: 48, height: 48, rate: 25, frames: [[UInt8]](repeating: face, count: frames)).write(
        to: url)
    }
    try Data("notes".utf8).write(to: folder.file("clips/notes.txt"))
    try Data("words".utf8).write(to: folder.file("clips/words.mp4"))
  }

  @Test(.enabled(if: Cases.exist, "\(Cases.missing)"))
  func whatIsDamagedInAVideoIsSaid() throws {
    let clip = Cases.url("video-streams/lost-block.mp4").path
    let outcome = try Command.run(
      Command.mien.path, ["video", clip, "-o", path("rows"), "--model", model, "--detector", "none", "--every", "10"])
    #expect(
      outcome.status == 0 && outcome.errors.contains("lost-block.mp4: is damaged: of 72 frames"), "\(outcome.errors)")
  }

  @Test func videosOfAFolderAreReadAndAKilledRunGoesOn() throws {
    try clips(frames: 100)
    let arguments = ["video", path("clips"), "--model", model, "--detector", "none"]
    let whole = try Command.run(Command.mien.path, arguments + ["-o", path("whole")])
    #expect(whole.status == 0 && whole.errors.contains("words.mp4: is not a video"), "\(whole.errors)")
    let all = try lines(results("whole"))
    let rows = all.filter { $0["error"] == nil }
    #expect(all.count == 301 && rows.count == 300 && Set(rows.compactMap { $0["file"] as? String }).count == 3)
    #expect(rows.allSatisfy { $0["frame"] is Int && $0.keys.contains("smoothed") })

    let process = Process()
    process.executableURL = Command.mien
    process.arguments = arguments + ["-o", path("broken")]
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Within the second video.
    process.wait { ((try? lines(results("broken")).count) ?? 0) > 120 }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try Command.run(Command.mien.path, arguments + ["-o", path("broken")]).status == 0)
    #expect(try Data(contentsOf: results("broken")) == Data(contentsOf: results("whole")))
    let two = try Command.run(Command.mien.path, ["video", path("clips/one.y4m"), path("clips/two.y4m")])
    #expect(two.status == 64 && two.errors.contains("several need -o"))
  }

  @Test func foldersOfOtherFilesAreSaidWithTheCommandForThem() throws {
    try photos(2)
    let video = try Command.mien("video", path("photos"), "-o", path("rows"))
    #expect(video.status == 1 && video.errors.contains("is a folder without videos; `mien detect "), "\(video.errors)")
    let extracted = try Command.mien("dataset", "extract", path("photos"), "-o", path("faces"))
    #expect(extracted.status == 1 && extracted.errors.contains("add --shard 1/1 to the command"))
    #expect(!FileManager.default.fileExists(atPath: path("rows")))
  }

  @Test func extractedFacesOfShardsShareAFolder() throws {
    try clips(frames: 3)
    let arguments = ["dataset", "extract", path("clips"), "--model", model, "--detector", "none", "-o", path("faces")]
    for shard in 1...2 {
      let made = try Command.run(Command.mien.path, arguments + ["--shard", "\(shard)/2"])
      #expect(made.status == 0, "\(made.errors)")
    }
    let merged = try Command.mien("merge", path("faces"), "-o", path("faces.jsonl"))
    #expect(merged.status == 0 && merged.output.contains("2 shards of 2, 4 files, 1 failed"))
    let rows = try lines(folder.file("faces.jsonl")).filter { $0["error"] == nil }
    #expect(rows.count == 3 && Set(rows.compactMap { $0["video"] as? String }).count == 3)
    for row in rows {
      let file = try #require(row["file"] as? String)
      #expect(FileManager.default.fileExists(atPath: path("faces/\(file)")))
    }
  }

  /// A video that was begun and not done leaves pictures behind, which are replaced.
  @Test func picturesOfAVideoThatWasNotDoneAreRemoved() throws {
    try clips(frames: 3)
    let arguments = ["dataset", "extract", path("clips"), "--model", model, "--detector", "none", "-o", path("faces")]
    #expect(try Command.run(Command.mien.path, arguments + ["--shard", "1/1"]).status == 0)
    // As if the program had been killed in the last video.
    let text = try String(contentsOf: manifest("faces"), encoding: .utf8)
    let kept = text.components(separatedBy: "\n")
    let begun = try #require(kept.lastIndex { $0.contains("begun") })
    try kept[...begun].joined(separator: "\n").appending("\n").write(
      to: manifest("faces"), atomically: false, encoding: .utf8)
    let entry = try #require(JSONSerialization.jsonObject(with: Data(kept[begun].utf8)) as? [String: String])
    let stray = folder.file("faces/\(try #require(entry["begun"]))/stray.png")
    try FileManager.default.createDirectory(
      at: stray.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data().write(to: stray)
    #expect(try Command.run(Command.mien.path, arguments + ["--shard", "1/1"]).status == 0)
    #expect(!FileManager.default.fileExists(atPath: stray.path))
    #expect(try lines(results("faces")).filter { $0["error"] == nil }.count == 3)
  }
}
