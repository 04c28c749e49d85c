import Foundation
import Glibc
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite(.enabled(if: Sample.exists, "needs the sample photo that scripts/setup.sh fetches"))
struct VideoCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let ffmpeg: String? =
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/ffmpeg" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  struct Row: Decodable {
    let frame: Int
    let seconds: Double
    let track: Int?
    let box: Box?
    let emotion: Emotion?
    let probability: Double?
    let scores: [Emotion: Double]?
    let smoothed: [Emotion: Double]?
  }

  static func rows(_ lines: String) throws -> [Row] {
    try lines.split(separator: "\n").map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
  }

  func path(_ name: String) -> String { folder.file(name).path }

  func text(_ name: String) throws -> String { try String(contentsOf: folder.file(name), encoding: .utf8) }

  func clip(_ name: String = "clip.y4m") throws -> String {
    try Sample.clip().write(to: folder.file(name))
    return path(name)
  }

  /// A long clip of few pixels: grey, without a face.
  func longClip(_ count: Int) throws -> String {
    let grey = [UInt8](repeating: 90, count: 32 * 32 * 3)
    var clip = DrawnClip.y4m(width: 32, height: 32, rate: 25, frames: [grey])
    let frame = clip.suffix(32 * 32 * 3 + 6)
    for _ in 1..<count { clip += frame }
    try clip.write(to: folder.file("long.y4m"))
    return path("long.y4m")
  }

  func make(_ name: String, _ arguments: [String]) throws -> String {
    let made = try Command.run(
      #require(Self.ffmpeg), ["-v", "error", "-nostdin", "-y"] + arguments + [path(name)])
    try #require(made.status == 0, "\(made.errors)")
    return path(name)
  }

  /// Results of before stay if nothing of the video can be read.
  @Test func aVideoWithoutAFrameLeavesOlderResults() throws {
    try Data("YUV4MPEG2 W48 H48 F25:1 Ip A1:1 C444\nFRAM".utf8).write(to: folder.file("cut.y4m"))
    for name in ["rows.jsonl", "rows.csv", "page.html"] { try Data("older".utf8).write(to: folder.file(name)) }
    let outcome = try Command.mien(
      "video", path("cut.y4m"), "--json", path("rows.jsonl"), "--csv", path("rows.csv"), "--timeline", path("page.html")
    )
    #expect(outcome.status == 1 && !outcome.errors.contains("wrote"), "\(outcome.errors)")
    for name in ["rows.jsonl", "rows.csv", "page.html"] { #expect(try text(name) == "older", "\(name)") }
  }

  @Test func everyOutputOfAClip() throws {
    let made = try Command.mien(
      "video", try clip(), "--json", path("a.jsonl"), "--csv", path("a.csv"), "--annotate", path("a.mp4"), "--timeline",
      path("a.html"), "--timings")
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.hasPrefix("person  first") && made.output.split(separator: "\n").count == 3, "\(made.output)")
    #expect(made.errors.contains("x real time") && made.errors.contains("classify"))
    let rows = try Self.rows(text("a.jsonl"))
    #expect(rows.map(\.frame) == Array(0..<12))
    #expect(rows.map(\.track) == (0..<12).map { $0 < 8 ? 1 : 2 })
    for row in rows {
      #expect(abs(row.seconds - Double(row.frame) / 4) < 1e-3 && row.box != nil)
      let (scores, smoothed) = (try #require(row.scores), try #require(row.smoothed))
      #expect(scores.count == 8 && abs(scores.values.reduce(0, +) - 1) < 1e-4)
      #expect(abs(smoothed.values.reduce(0, +) - 1) < 1e-4)
      #expect(row.emotion.flatMap { smoothed[$0] } == row.probability)
    }
    #expect(rows[0].emotion == .happiness)

    let table = try text("a.csv").components(separatedBy: "\r\n").map { $0.components(separatedBy: ",") }
    #expect(table.count == 14 && table[0].prefix(9).joined(separator: " ").hasSuffix("emotion probability"))
    #expect(
      table.dropLast().allSatisfy { $0.count == 29 }
        && table[0].suffix(5) == ["smoothed_surprise", "score", "yaw", "pitch", "roll"])
    #expect(table[1][7] == "happiness" && table[1][3] == rows[0].box.map { "\($0.x)" })

    let copy = try VideoReader(contentsOf: folder.file("a.mp4"))
    // 256 pixels are enlarged, so that the text can be read.
    #expect(copy.width == 512 && copy.height == 512)
    let original = try #require(try VideoReader(contentsOf: folder.file("clip.y4m")).next()?.image)
    let marked = try #require(try copy.next()?.image.resized(width: 256, height: 256))
    let box = try #require(rows[0].box)
    let edge = (box.x..<(box.x + box.width)).map { 3 * (box.y * 256 + $0) }
    let changed = edge.count { abs(Int(original.pixels[$0]) - Int(marked.pixels[$0])) > 20 }
    #expect(changed > edge.count / 2, "no box at \(box)")

    // The last frame that is read stands for the rest of the clip.
    let few = try Command.mien("video", path("clip.y4m"), "--every", "4", "--annotate", path("few.mp4"))
    #expect(few.status == 0, "\(few.errors)")
    let end = try VideoReader(contentsOf: folder.file("few.mp4"))
    #expect(abs(Double(end.frameCount ?? 0) / (end.framesPerSecond ?? 1) - 3) < 0.05)

    // Frames at 0, 1.25 and 2.5 s: a reading counts until the next, and none beyond the end of the clip.
    let rare = try Command.mien("video", path("clip.y4m"), "--every", "5").output.split(separator: "\n").dropFirst()
    let times = rare.map { $0.matches(of: /[0-9.]+ s/).prefix(3).map { String($0.output) } }
    #expect(times == [["0.0 s", "2.5 s", "2.5 s"], ["2.5 s", "3.0 s", "0.5 s"]])

    let page = try text("a.html")
    #expect(page.contains("Person 2") && page.contains("data:image/jpeg;base64,") && page.contains("<polygon"))
  }

  @Test func rowsOnStandardOutputAreAllThatIsThere() throws {
    let black = [UInt8](repeating: 0, count: 256 * 256 * 3)
    let photo = try Image(contentsOf: Sample.url).resized(width: 256, height: 256).pixels
    try DrawnClip.y4m(width: 256, height: 256, rate: 10, frames: [photo, photo, black, black])
      .write(to: folder.file("gone.y4m"))
    let made = try Command.mien("video", path("gone.y4m"), "--json", "-")
    #expect(made.status == 0, "\(made.errors)")
    let rows = try Self.rows(made.output)
    #expect(rows.map(\.track) == [1, 1, nil, nil])
    #expect(made.output.split(separator: "\n").last?.contains("\"box\":null,\"emotion\":null,\"frame\":3") == true)
    let table = try Command.mien("video", path("gone.y4m"), "--csv", "-", "--every", "3")
    #expect(table.output.components(separatedBy: "\r\n").dropFirst().map { $0.prefix(2) } == ["0,", "3,", ""])
    let unsure = try Command.mien("video", path("gone.y4m"), "--json", "-", "--min-confidence", "1", "--min-face", "40")
    #expect(try Self.rows(unsure.output)[0].emotion == nil && Self.rows(unsure.output)[0].track == 1)
    let none = try Command.mien("video", path("gone.y4m"), "--json", "-", "--min-face", "250")
    #expect(try Self.rows(none.output).allSatisfy { $0.track == nil })
    let raw = try Command.mien("video", path("gone.y4m"), "--json", "-", "--no-smooth")
    #expect(try Self.rows(raw.output).allSatisfy { $0.scores == $0.smoothed })
  }

  @Test func aClipWithoutFacesIsSaidToHaveNone() throws {
    let black = [UInt8](repeating: 0, count: 64 * 64 * 3)
    try DrawnClip.y4m(width: 64, height: 64, rate: 10, frames: [black, black, black]).write(to: folder.file("b.y4m"))
    let made = try Command.mien("video", path("b.y4m"))
    #expect(made.status == 0 && made.output == "no face in 3 frames\n", "\(made)")
  }

  @Test func badFilesAreNamed() throws {
    try Data().write(to: folder.file("empty.mp4"))
    try DrawnClip.mp4(handler: "soun", codec: "mp4a").write(to: folder.file("sound.mp4"))
    try DrawnClip.mp4(handler: "vide", codec: "zzzz").write(to: folder.file("codec.mp4"))
    for (name, words) in [
      ("none.mp4", "no such file"), ("empty.mp4", "is empty"), ("sound.mp4", "has no video stream"),
      ("codec.mp4", "its codec is zzzz"),
    ] {
      let made = try Command.mien("video", path(name), "--json", path("a.jsonl"))
      #expect(made.status == 1 && made.output.isEmpty, "\(name)")
      #expect(made.errors.contains(name) && made.errors.contains(words), "\(made.errors)")
      #expect(!FileManager.default.fileExists(atPath: path("a.jsonl")), "\(name)")
    }
    for arguments in [
      ["a.mp4", "--every", "0"], ["a.mp4", "--annotate", "a.avi"], ["a.mp4", "--json", "-", "--csv", "-"],
      ["a.mp4", "--min-confidence", "2"], ["a.mp4", "--json", "x", "--csv", "./x"], [],
    ] {
      #expect(try Command.run(Command.mien.path, ["video"] + arguments).status == 64, "\(arguments)")
    }
    let whole = try Command.mien("video", folder.url.path)
    #expect(
      whole.status == 1 && whole.errors.contains("is a folder, expected one video; `mien video"), "\(whole.errors)")
    let itself = try Command.mien("video", try clip("own.mp4"), "--annotate", path("own.mp4"))
    #expect(itself.status == 64 && itself.errors.contains("is the input"))
    let unwritable = try Command.mien("video", try clip(), "--json", path("none/a.jsonl"))
    #expect(unwritable.status == 1 && unwritable.errors.contains("cannot be written"))
  }

  @Test func aTruncatedClipGivesWhatItHas() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: clip()))
    try whole.prefix(whole.count * 6 / 10).write(to: folder.file("cut.y4m"))
    let made = try Command.mien("video", path("cut.y4m"), "--json", path("a.jsonl"), "--annotate", path("a.mp4"))
    let rows = try Self.rows(text("a.jsonl"))
    #expect((6...8).contains(rows.count))
    #expect(try VideoReader(contentsOf: folder.file("a.mp4")).next() != nil && made.output.contains("happiness"))
    let one = folder.file("one.y4m")
    try whole.prefix(whole.count / 12 + 60).write(to: one)
    let single = try Command.mien("video", one.path, "--json", "-", "--timeline", path("one.html"))
    #expect(try Self.rows(single.output).map(\.frame) == [0] && text("one.html").contains("Person 1"))
  }

  @Test(.enabled(if: ffmpeg != nil, "needs ffmpeg"))
  func odditiesOfContainersAreUnderstood() throws {
    let source = ["-i", try clip()]
    let whole = try make("whole.mp4", source + ["-c:v", "mpeg4", "-q:v", "2", "-movflags", "+faststart"])
    let data = try Data(contentsOf: URL(fileURLWithPath: whole))
    try data.prefix(data.count * 7 / 10).write(to: folder.file("cut.mp4"))
    let cut = try Command.mien("video", path("cut.mp4"), "--json", path("cut.jsonl"))
    #expect(
      cut.status == 1 && cut.errors.contains("mien: error: \(path("cut.mp4")): is a truncated file"), "\(cut.errors)")
    #expect(try Self.rows(text("cut.jsonl")).count >= 3)

    // Filmed on its side: the face is found upright, and the copy is upright without the note. (ffmpeg's `rotate=90`
    // writes a matrix that turns against the clock.)
    let turned = try make(
      "side.mp4",
      ["-i", try make("raw.mp4", source + ["-vf", "transpose=1", "-c:v", "mpeg4", "-q:v", "2"])]
        + ["-c", "copy", "-metadata:s:v:0", "rotate=90"])
    let upright = try Command.mien("video", turned, "--json", "-", "--annotate", path("upright.mp4"))
    #expect(try Self.rows(upright.output).filter { $0.track == 1 }.count == 8, "\(upright.output)")

    // Frames of a quarter of a second, then of a half: times stay, and so does the sound.
    let slow = try make(
      "slow.mp4",
      source + ["-f", "lavfi", "-i", "sine=duration=4", "-filter_complex"]
        + [
          "[0:v]setpts='if(lt(N,6),N,6+(N-6)*2)/4/TB'[v]", "-map", "[v]", "-map", "1:a", "-vsync", "vfr", "-c:v",
          "mpeg4",
        ])
    let paced = try Command.mien("video", slow, "--json", "-", "--annotate", path("paced.mp4"))
    let times = try Self.rows(paced.output).map(\.seconds)
    for (found, expected) in zip(times, (0..<6).map { Double($0) / 4 } + (0..<6).map { 1.5 + Double($0) / 2 }) {
      #expect(abs(found - expected) < 0.01, "\(times)")
    }
    let probe = try Command.run(
      "/bin/sh",
      ["-c", "ffprobe -v error -show_entries stream=codec_name,duration -of csv=p=0 \"$0\"", path("paced.mp4")])
    let streams = probe.output.split(separator: "\n").map { $0.split(separator: ",") }
    #expect(streams.map { $0[0] } == ["h264", "aac"], "\(probe.output)")
    // The last frame is shown from 4 s on, for as long as a frame of this clip is on average.
    for stream in streams { #expect(abs((Double(stream[1]) ?? 0) - 4.35) < 0.2, "\(probe.output)") }
  }

  @Test(.enabled(if: ffmpeg != nil, "needs ffmpeg"))
  func a4KClipIsRead() throws {
    let large = try make(
      "large.mp4",
      ["-i", try clip(), "-vf", "scale=2160:2160,pad=3840:2160:840:0", "-frames:v", "2", "-c:v", "mpeg4", "-q:v", "3"])
    let made = try Command.mien("video", large, "--json", "-")
    let boxes = try Self.rows(made.output).compactMap(\.box)
    #expect(boxes.count == 2 && boxes.allSatisfy { $0.width > 400 }, "\(made.output)\(made.errors)")
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aFullDiskLeavesWholeLines() throws {
    let clip = try longClip(400)
    let script = """
      mkdir "$2/disk" && mount -t tmpfs -o size=16k tmpfs "$2/disk" || exit 1
      "$0" video "$1" --json "$2/disk/a.jsonl"; echo "status $?"
      cp "$2/disk/a.jsonl" "$2/a.jsonl"; umount "$2/disk"; mount -t tmpfs -o size=8k tmpfs "$2/disk"
      "$0" video "$1" --annotate "$2/disk/a.mp4"; echo "status $?"; ls -A "$2/disk"
      """
    let made = try Command.run(
      "/usr/bin/unshare", ["-m", "/bin/sh", "-c", script, Command.mien.path, clip, folder.url.path])
    #expect(made.errors.contains("a.jsonl: could not be written: No space left on device"), "\(made.errors)")
    #expect(!made.errors.contains("wrote ") && !made.errors.contains(".tmp.mp4"), "\(made.errors)")
    #expect(made.errors.contains("a.mp4: ") && made.output.components(separatedBy: "status 1").count == 3)
    #expect(!made.output.contains(".mp4"), "a file that is not whole was left")
    let lines = try text("a.jsonl")
    #expect(lines.hasSuffix("}\n"))
    #expect(try Self.rows(lines).map(\.frame) == Array(0..<lines.split(separator: "\n").count))
  }

  @Test(arguments: [SIGKILL, SIGINT]) func whatIsDoneIsKept(number: Int32) throws {
    let clip = try longClip(12_000)
    let process = Process()
    process.executableURL = Command.mien
    process.arguments = ["video", clip, "--json", path("a.jsonl"), "--annotate", path("a.mp4")]
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let lines = { try Data(contentsOf: folder.file("a.jsonl")) }
    process.wait { ((try? lines().count) ?? 0) >= 20_000 }
    kill(process.processIdentifier, number)
    process.waitUntilExit()
    let rows = try Self.rows(String(decoding: lines(), as: UTF8.self))
    #expect(rows.count > 100 && rows.count < 12_000 && rows.map(\.frame) == Array(0..<rows.count))
    #expect(try lines().last == UInt8(ascii: "\n"))
    guard number == SIGINT else { return }
    #expect(process.terminationStatus == 1)
    let words = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(words.contains("stopped after \(rows.count) frames, which are kept"), "\(words)")
    let copy = try VideoReader(contentsOf: folder.file("a.mp4"))
    #expect(abs((copy.frameCount ?? 0) - rows.count) <= 1)
  }

  @Test func whatIsStoppedBeforeItsFirstFrameWritesNothing() throws {
    // The search for the smallest faces in one large frame takes far longer than a signal.
    let (width, height) = (3840, 2160)
    let frame = Data(repeating: 128, count: width * height * 3 / 2)
    try (Data("YUV4MPEG2 W\(width) H\(height) F25:1 Ip A1:1 C420jpeg\nFRAME\n".utf8) + frame).write(
      to: folder.file("large.y4m"))
    try Data("older rows".utf8).write(to: folder.file("a.jsonl"))
    let process = Process()
    process.executableURL = Command.mien
    process.arguments = [
      "video", path("large.y4m"), "--min-face", "12", "--json", path("a.jsonl"), "--csv", path("a.csv"),
      "--timeline", path("a.html"),
    ]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // The command listens for Ctrl-C from the moment at which it waits for the first frame.
    let status = URL(fileURLWithPath: "/proc/\(process.processIdentifier)/status")
    process.wait {
      let line = (try? String(contentsOf: status, encoding: .utf8))?.split(separator: "\n").first {
        $0.hasPrefix("SigCgt:")
      }
      let caught = line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
      return caught & (1 << (UInt64(SIGINT) - 1)) != 0
    }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1 && process.terminationReason == .exit)
    let words = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(words == "mien: error: \(path("large.y4m")): stopped; no frame was read\n", "\(words)")
    #expect(try output.fileHandleForReading.readToEnd() ?? Data() == Data())
    #expect(try text("a.jsonl") == "older rows")
    for name in ["a.csv", "a.html"] { #expect(!FileManager.default.fileExists(atPath: path(name)), "\(name)") }
  }

  @Test func aFileStandsInForTheCamera() throws {
    // The last frame waits for who is late.
    try Sample.clip(mirrored: 0).write(to: folder.file("photo.y4m"))
    let made = try Command.mien("camera", path("photo.y4m"), "--headless")
    #expect(made.status == 0, "\(made.errors)")
    let rows = try Self.rows(made.output)
    #expect(rows.contains { $0.emotion == .happiness } && rows.map(\.frame) == rows.map(\.frame).sorted())
    #expect(made.errors.contains("left out to keep up"))
    let missing = try Command.mien("camera", "978", "--headless")
    #expect(missing.status == 1 && missing.errors.contains("camera 978"), "\(missing.errors)")
    let blind = try Command.run(
      "/usr/bin/env", ["-u", "DISPLAY", "-u", "WAYLAND_DISPLAY", Command.mien.path, "camera"])
    #expect(blind.status == 1 && blind.errors.contains("there is no display"), "\(blind.errors)")
  }

  @Test func theExamplePackagesCodeReadsAClip() throws {
    let made = try Command.run(Command.folder.appendingPathComponent("FaceTimeline").path, [clip()])
    #expect(made.status == 0, "\(made.errors)")
    let lines = made.output.split(separator: "\n")
    #expect(lines.first == "frame 0, person 1: happiness" && lines.contains { $0.hasPrefix("frame 8, person 2: ") })
  }

  @Test func theTutorialEndsInTheExamplePackage() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let (steps, example) = (root.appendingPathComponent("docs/Mien.docc/Resources"), "Examples/FaceTimeline")
    for (step, file) in [
      ("faces-1-package.swift", "Package.swift"),
      ("faces-5-timeline.swift", "Sources/FaceTimeline/FaceTimeline.swift"),
    ] {
      let written = try String(contentsOf: steps.appendingPathComponent(step), encoding: .utf8)
      let built = try String(contentsOf: root.appendingPathComponent("\(example)/\(file)"), encoding: .utf8)
      #expect(written == built, "\(step) and \(file) differ")
    }
  }
}
