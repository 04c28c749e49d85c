import Foundation
import GRDB
import MienAdaptation
import MienCore
import MienInference
import MienONNX
import MienServer
import MienTestSupport
import MienVision
import Testing

/// `mien reference`, `mien adapt` and `--profile` as users run them.
@Suite struct AdaptCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.file(name).path }

  /// Runs `mien` with profiles in the test's folder.
  private func mien(_ arguments: String...) throws -> Command.Outcome {
    try Command.run("/usr/bin/env", ["MIEN_PROFILES=\(path("profiles"))", Command.mien.path] + arguments)
  }

  /// Noise of a mean brightness.
  private func pixels(_ brightness: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<2304).map { _ in UInt8(clamping: brightness + Int.random(in: -40...40, using: &random)) }
  }

  /// A model with averages over dark faces.
  private func model() throws -> ONNXModel {
    try TinyGraph.model().write(to: folder.file("plain.onnx"))
    let set = try FaceSet(
      source: "drawn", labelSet: .ferplus, height: 48, width: 48, channels: 1,
      rows: (0..<120).map { .init(label: nil, split: .train, sourceRow: $0) },
      pixels: Data((0..<120).flatMap { pixels(40 + $0 % 30, seed: UInt64($0)) }))
    try set.write(to: folder.file("faces.safetensors"))
    let outcome = try mien(
      "reference", "--model", path("plain.onnx"), "--data", path("faces.safetensors"), "-o", path("tiny.onnx"))
    #expect(outcome.status == 0 && outcome.output.contains("120 faces of the set `drawn`, train"), "\(outcome.errors)")
    return try ONNXModel(contentsOf: folder.file("tiny.onnx"))
  }

  /// Corrections: what is bright is disgust.
  private func correct(_ model: ONNXModel, _ emotions: [Emotion], weights: String? = nil) async throws {
    let classifier = try EmotionClassifier(model: model)
    let store = try CorrectionStore(url: folder.file("profiles/corrections.sqlite"))
    for (index, emotion) in emotions.enumerated() {
      let input = try Preprocessing().input(pixels: pixels(200, seed: UInt64(1000 + index)), sourceChannels: 1)
      let output = try classifier.predictions(for: input, count: 1)
      let read = try #require(try output.distributions(.ferplus).first).top
      _ = try await store.add(
        Correction(
          profile: ProfileName("me"), emotion: emotion, readEmotion: read.emotion, readProbability: read.probability,
          labels: "ferplus", weightsSHA256: weights ?? classifier.card.weightsSHA256,
          embedding: try #require(output["embedding"]).values))
    }
  }

  private func emotion(_ outcome: Command.Outcome) throws -> String? {
    #expect(outcome.status == 0, "\(outcome.errors)")
    let photos = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    return (photos?.first?["faces"] as? [[String: Any]])?.first?["emotion"] as? String
  }

  @Test func aProfileChangesTheReading() async throws {
    let model = try model()
    try await correct(model, [Emotion](repeating: .disgust, count: 12))
    try await correct(model, [.fear, .fear], weights: "of another model")
    let made = try mien("adapt", "--profile", "me", "--model", path("tiny.onnx"), "--budget", "1")
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.contains("2 corrections were made with other weights"))
    #expect(made.output.contains("12 corrections, 12 disgust") && made.output.contains("0 of 12 before, 12 after"))
    #expect(!made.errors.contains("no gain"), "\(made.errors)")

    try Image(width: 48, height: 48, channels: 1, pixels: pixels(200, seed: 7)).write(to: folder.file("bright.png"))
    let detect = ["detect", "--detector", "none", "--json", "-", "--model", path("tiny.onnx"), path("bright.png")]
    let plain = try mien(detect[0], detect[1], detect[2], detect[3], detect[4], detect[5], detect[6], detect[7])
    let adapted = try mien(
      detect[0], detect[1], detect[2], detect[3], detect[4], detect[5], detect[6], detect[7], "--profile", "me")
    #expect(try emotion(plain) != "disgust")
    #expect(try emotion(adapted) == "disgust")

    // Another model's weights, a profile that is not there, and a name that is a path.
    try TinyGraph.model(seed: 2).write(to: folder.file("other.onnx"))
    let other = try mien("detect", "--model", path("other.onnx"), "--profile", "me", path("bright.png"))
    #expect(other.status == 1 && other.errors.contains("profile me: was fitted to tiny"))
    let command = "`mien adapt --profile me --model \(path("other.onnx"))`"
    #expect(
      other.errors.contains(
        "; take the profile's model, or collect corrections with \(path("other.onnx")): \(command)\n"))
    let builtIn = try mien("detect", "--profile", "me", path("bright.png"))
    #expect(
      builtIn.errors.contains("; take the profile's model with --model, or collect corrections with the built-in one: ")
    )
    let stale = try mien("adapt", "--profile", "me", "--model", path("other.onnx"))
    let weights = try model.card().weightsSHA256.prefix(16)
    #expect(stale.status == 1, "\(stale.output)")
    #expect(
      stale.errors.contains("none of its 14 corrections was made with tiny; they were made with the weights ")
        && stale.errors.contains(weights), "\(stale.errors)")
    let missing = try mien("detect", "--model", path("tiny.onnx"), "--profile", "you", path("bright.png"))
    #expect(missing.status == 1 && missing.errors.contains("profile you: not found"))
    #expect(
      missing.errors.contains("; `mien adapt --profile you --model \(path("tiny.onnx"))` makes one from corrections\n"))
    let wrong = try mien("detect", "--model", path("tiny.onnx"), "--profile", "../me", path("bright.png"))
    #expect(wrong.status == 64)

    let profiles = try mien("profiles")
    let row = profiles.output.split(separator: "\n").last?.split(separator: " ").prefix(3).map(String.init)
    #expect(profiles.status == 0 && row == ["me", "tiny", "12"], "\(profiles)")
    for command in [["detect", "--profile"], ["profiles", "delete"]] {
      #expect(try CommandLineTests.completions(["mien"] + command + ["m"], in: folder) == ["me"])
      #expect(try CommandLineTests.completions(["mien"] + command + ["x"], in: folder).isEmpty)
    }
    try Data("no profile".utf8).write(to: folder.file("profiles/broken.safetensors"))
    let broken = try mien("profiles", "list")
    #expect(broken.status == 1 && broken.output == profiles.output)
    #expect(broken.errors.hasPrefix("mien: error: \(path("profiles/broken.safetensors")): "))

    let listed = try mien("corrections")
    #expect(listed.output == "profile  corrections\nme                14\n")
    let export = try mien("corrections", "export", "--profile", "me", "--json", "-")
    #expect((try JSONSerialization.jsonObject(with: Data(export.output.utf8)) as? [Any])?.count == 14)
    let deleted = try mien("corrections", "delete", "--profile", "me")
    #expect(deleted.output.contains("deleted 14 corrections of me") && deleted.output.contains("me.safetensors stays"))
    #expect(try mien("adapt", "--profile", "me", "--model", path("tiny.onnx")).errors.contains("has no corrections"))
    let none = try mien("corrections")
    #expect(none.status == 0 && none.output.isEmpty && none.errors.contains("no corrections in "), "\(none)")
    let gone = try mien("profiles", "delete", "me", "broken")
    #expect(gone.status == 0 && gone.output == "deleted profile me\ndeleted profile broken\n", "\(gone.errors)")
    let noProfile = try mien("profiles")
    #expect(
      noProfile.status == 0 && noProfile.output.isEmpty
        && noProfile.errors.contains("no profile in \(path("profiles"))"))
    #expect(try mien("profiles", "delete", "me").status == 1)
    #expect(try mien("profiles", "delete", "../me").status == 64)
  }

  /// Of one correction nothing is left to fit to while it is read.
  @Test func aProfileWithoutAGainIsWarnedOf() async throws {
    try await correct(try model(), [.disgust])
    let made = try mien("adapt", "--profile", "me", "--model", path("tiny.onnx"))
    #expect(made.status == 0 && made.output.contains("0 of 1 before, 0 after (leave-one-out)"), "\(made)")
    #expect(made.errors.contains("mien: warning: profile me: cross-validation shows no gain"), "\(made.errors)")
  }

  @Test func profilesWithoutCorrectionsAreRefused() async throws {
    try await correct(try model(), [.disgust])
    let commands = [
      ["corrections", "list"], ["corrections", "export", "--json", path("out.json")], ["corrections", "delete"],
      ["adapt"],
    ]
    for command in commands {
      let outcome = try Command.run(
        "/usr/bin/env", ["MIEN_PROFILES=\(path("profiles"))", Command.mien.path] + command + ["--profile", "mee"])
      #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)")
      #expect(
        outcome.errors.contains("profile mee: has no corrections in ")
          && outcome.errors.contains("there are corrections of me"), "\(outcome)")
    }
    #expect(!FileManager.default.fileExists(atPath: path("out.json")))
  }

  @Test func correctionsAreNotLookedForInOtherFiles() throws {
    let photo = Data([0xFF, 0xD8, 0xFF, 0xE0]) + Data(repeating: 1, count: 999)
    try photo.write(to: folder.file("me.jpg"))
    for command in [["corrections"], ["corrections", "delete", "--id", "1"], ["adapt", "--profile", "me"]] {
      let outcome = try Command.run(Command.mien.path, command + ["--corrections", path("me.jpg")])
      #expect(
        outcome.status == 1 && outcome.errors.contains("me.jpg: is a JPEG picture, expected a file of corrections"),
        "\(outcome)")
    }
    #expect(try Data(contentsOf: folder.file("me.jpg")) == photo)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["me.jpg"])
  }

  @Test func correctionsThatCannotBeReadAreNamedAndLeftOut() async throws {
    let model = try model()
    try await correct(model, [Emotion](repeating: .disgust, count: 14))
    // What an earlier version's table takes, this one takes as well where types agree.
    let file = path("profiles/corrections.sqlite")
    let database = try DatabaseQueue(path: file)
    try await database.write { db in
      try db.execute(sql: "UPDATE correction SET emotion = 'secret' WHERE id = 3")
      try db.execute(sql: "UPDATE correction SET embedding = x'0000803F' WHERE id = 5")
    }
    try database.close()
    let made = try mien("adapt", "--profile", "me", "--model", path("tiny.onnx"), "--budget", "1")
    #expect(made.status == 0 && made.output.contains("12 corrections, 12 disgust"), "\(made.errors)")
    for id in [3, 5] {
      #expect(made.errors.contains("mien corrections delete --id \(id) --corrections \(file)"))
    }
    let listed = try mien("corrections")
    #expect(listed.status == 0 && listed.output.hasSuffix("\nme                13\n"), "\(listed)")
    #expect(listed.errors.contains("correction 3 "))
    let rows = try mien("corrections", "list", "--profile", "me")
    #expect(rows.status == 0 && rows.output.split(separator: "\r\n").count == 14)
    let export = try mien("corrections", "export", "--json", "-")
    #expect((try JSONSerialization.jsonObject(with: Data(export.output.utf8)) as? [Any])?.count == 13)
    for outcome in [made, listed, rows, export] { #expect(!(outcome.output + outcome.errors).contains("secret")) }
    #expect(try mien("corrections", "delete", "--id", "3").status == 0)
    #expect(try mien("corrections").errors.isEmpty)
  }

  @Test func evaluationSaysThatAProfileIsUsed() async throws {
    let model = try model()
    try await correct(model, [Emotion](repeating: .disgust, count: 8))
    let made = try mien("adapt", "--profile", "me", "--model", path("tiny.onnx"), "--budget", "1")
    #expect(made.status == 0, "\(made.errors)")
    let set = try FaceSet(
      source: "bright", labelSet: .ferplus, height: 48, width: 48, channels: 1,
      rows: (0..<10).map { .init(label: .disgust, split: .test, sourceRow: $0) },
      pixels: Data((0..<10).flatMap { pixels(200, seed: UInt64(50 + $0)) }))
    try set.write(to: folder.file("bright.safetensors"))
    let outcome = try mien(
      "evaluate", "--data", path("bright.safetensors"), "--model", path("tiny.onnx"), "--profile", "me", "--json",
      path("figures.json"))
    #expect(outcome.output.contains("Read with the profile me, fitted to 8 corrections."), "\(outcome.errors)")
    let figures = try JSONDecoder().decode(
      EvaluationReport.self, from: Data(contentsOf: folder.file("figures.json")))
    #expect(figures.accuracy == 1 && figures.profile == "me")
  }

  /// Profiles change one output; labels of other sets are measured on another.
  @Test func aProfileThatPlaysNoPartIsWarnedOfFirst() async throws {
    try await correct(try BuiltInModels.model(), [Emotion](repeating: .disgust, count: 2))
    let made = try mien("adapt", "--profile", "me", "--force")
    #expect(made.status == 0, "\(made.errors)")
    let rows = (0..<4).map { FaceSet.Row(label: .disgust, split: .test, sourceRow: $0) }
    try FaceSet(
      source: "bright", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows,
      pixels: Data((0..<4).flatMap { pixels(200, seed: UInt64($0)) })
    ).write(to: folder.file("own.safetensors"))
    let outcome = try mien("evaluate", "--data", path("own.safetensors"), "--profile", "me")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let warning =
      "mien: warning: profile me: it changes the output ferplus only, and \(path("own.safetensors")) is measured"
    #expect(outcome.errors.hasPrefix(warning) && outcome.errors.contains("--labels ferplus`"), "\(outcome.errors)")
    #expect(outcome.output.contains("The profile me does not change the output fer2013: the figures are those of"))
    // The same faces with labels that the profile speaks.
    try FaceSet(
      source: "bright", labelSet: .ferplus, height: 48, width: 48, channels: 1, rows: rows,
      pixels: Data((0..<4).flatMap { pixels(200, seed: UInt64($0)) })
    ).write(to: folder.file("ferplus.safetensors"))
    let used = try mien("evaluate", "--data", path("ferplus.safetensors"), "--profile", "me")
    #expect(used.status == 0 && !used.errors.contains("profile"), "\(used.errors)")
  }

  @Test func aProfileThatHarmsIsNotWritten() async throws {
    let model = try model()
    // Of faces that look alike, half are said to show what the model reads, half are dealt out over the others.
    let classifier = try EmotionClassifier(model: model)
    let input = try Preprocessing().input(pixels: pixels(200, seed: 1000), sourceChannels: 1)
    let read = try #require(try classifier.distributions(for: input, count: 1).first).top.emotion
    let others = LabelSet.ferplus.emotions.filter { $0 != read }
    try await correct(model, (0..<24).map { $0 < 9 ? read : others[$0 % 2] })
    let arguments = ["--profile", "me", "--model", path("tiny.onnx"), "--budget", "50"]
    let refused = try mien("adapt", arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
    let file = folder.file("profiles/me.safetensors")
    #expect(refused.status == 1 && refused.errors.contains("--force"), "\(refused.output)")
    #expect(refused.errors.contains("`mien corrections list --profile me` shows them"), "\(refused.errors)")
    // Every option that the command needs, as it was given.
    let store = path("profiles/corrections.sqlite")
    let named = try mien(
      "adapt", arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], "--corrections",
      store)
    #expect(
      named.errors.contains("`mien corrections list --corrections \(store) --profile me` shows them"), "\(named.errors)"
    )
    #expect(!FileManager.default.fileExists(atPath: file.path))
    let forced = try mien(
      "adapt", arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], "--force")
    #expect(forced.status == 0 && FileManager.default.fileExists(atPath: file.path))
  }

  @Test func averagesMayGoIntoTheModelsOwnFile() throws {
    let model = try model()
    let (faces, own) = (path("faces.safetensors"), path("plain.onnx"))
    let outcome = try mien("reference", "--model", own, "--data", faces, "-o", own)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try ONNXModel(contentsOf: folder.file("plain.onnx")).data == model.data)
  }

  @Test func modelsWithoutAveragesAreNamed() async throws {
    let model = try TinyGraph.model()
    try model.write(to: folder.file("plain.onnx"))
    try await correct(model, [.fear])
    let outcome = try mien("adapt", "--profile", "me", "--model", path("plain.onnx"))
    #expect(outcome.status == 1 && outcome.errors.contains("`mien reference`"), "\(outcome.errors)")
    #expect(try mien("adapt", "--profile", "../me").status == 64)
    #expect(try mien("adapt").status == 64)
    let none = try mien("adapt", "--profile", "me", "--corrections", path("none.sqlite"))
    #expect(none.status == 1 && none.errors.contains("no such file") && !none.errors.contains("or name the file"))
    let elsewhere = try Command.run(
      "/usr/bin/env", ["MIEN_PROFILES=\(path("elsewhere"))", Command.mien.path, "corrections"])
    #expect(
      elsewhere.status == 1
        && elsewhere.errors.contains("`mien serve --corrections FILE` makes it, or name the file with --corrections"),
      "\(elsewhere.errors)")
    #expect(!FileManager.default.fileExists(atPath: path("none.sqlite")))
  }

  @Test func theBuiltInModelCarriesItsAverages() throws {
    let model = try BuiltInModels.model()
    let reference = try #require(try model.embeddingReference())
    #expect(reference.count > 20_000)
    let head = try model.linearHead(for: .ferplus)
    #expect(reference.width == head.width)
    #expect(throws: Never.self) { try HeadAdaptation(original: head, reference: reference) }
  }

  @Test(.enabled(if: Shared.has("data/ck48/CK+48"), "needs ../shared/data/ck48"))
  func correctionsOfSomePeopleHelpWithOthers() throws {
    let set = path("ck48.safetensors")
    #expect(try mien("dataset", "import", "ckplus48", Shared.url("data/ck48/CK+48").path, "-o", set).status == 0)
    let outcome = try Command.run(
      Command.folder.appendingPathComponent("mien-bench").path,
      [
        "adaptation", "--data", set, "--keep", set, "--keep-split", "all", "--keep-limit", "20", "--draws", "2",
        "--counts", "25", "--json", "-",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    struct Series: Decodable {
      struct Outcome: Decodable {
        let before: Double
        let after: Double
      }
      let draws: [[Outcome]]
    }
    let series = try JSONDecoder().decode([Series].self, from: Data(outcome.output.utf8))
    for draw in try #require(series.first).draws { #expect(draw[0].after > draw[0].before + 0.03) }
  }
}
