import Foundation
import FoundationXML
import MienCore
import MienTestSupport
import Testing

/// `mien evaluate` and `mien models` as users run them.
@Suite struct EvaluateCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try PixelGraph.model().write(to: folder.file("pixels.onnx"))
  }

  private func path(_ name: String) -> String { folder.file(name).path }

  /// Writes faces as (truth, white pixel) in fer2013's order.
  private func faces(
    _ name: String, split: Split, size: Int = 48, labels: LabelSet = .fer2013, _ faces: [(truth: Emotion, pixel: Int)]
  ) throws -> String {
    try FaceSet(
      source: "pixels", labelSet: labels, height: size, width: size, channels: 1,
      rows: faces.enumerated().map { .init(label: $1.truth, split: split, sourceRow: $0) },
      pixels: Data(faces.flatMap { PixelGraph.face($0.pixel, size: size) })
    ).write(to: folder.file(name))
    return path(name)
  }

  @Test func figuresFollowTheContract() throws {
    let data = try faces("faces", split: .test, [(.anger, 0), (.happiness, 3), (.happiness, 0), (.neutral, 6)])
    let outcome = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"), "--json", "-")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let report = try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(report["count"] as? Int == 4)
    #expect(report["accuracy"] as? Double == 0.75)
    #expect(report["classes"] as? [String] == LabelSet.fer2013.emotions.map(\.rawValue))
    #expect((report["confusion"] as? [[Int]])?[3] == [1, 0, 0, 1, 0, 0, 0])
    #expect(report["split"] as? String == "test" && report["labels"] as? String == "fer2013")
    let hash = try PixelGraph.model().weightsSHA256
    #expect(report["weightsSHA256"] as? String == hash)
    let expected: Set = [
      "balancedAccuracy", "macroF1", "loss", "perClass", "calibration", "accuracyInterval", "missingClasses",
    ]
    #expect(expected.isSubset(of: report.keys))
    let anger = try #require((report["perClass"] as? [String: Any])?["anger"] as? [String: Any])
    #expect(anger["precision"] as? Double == 0.5 && anger["support"] as? Int == 1)
    let disgust = try #require((report["perClass"] as? [String: Any])?["disgust"] as? [String: Any])
    #expect(disgust["auc"] is NSNull)
    #expect(((report["calibration"] as? [String: Any])?["bins"] as? [Any])?.count == 15)
  }

  @Test func aSetToTrainOnAloneSaysHowToMeasureOnAll() throws {
    let data = try faces("faces", split: .train, [(.anger, 0), (.happiness, 3)])
    let outcome = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"))
    #expect(outcome.status == 1 && outcome.errors.contains(data) && outcome.errors.contains("--split all"))
    let all = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"), "--split", "all")
    #expect(all.status == 0, "\(all.errors)")
  }

  @Test func unseenFacesAreAskedForByName() throws {
    let data = try faces("faces", split: .test, [(.anger, 0), (.happiness, 3)])
    let wrong = try Command.mien("evaluate", "--data", data, "--unseen", "--split", "all")
    #expect(wrong.status == 64 && wrong.errors.contains("--unseen"))
    let right = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"), "--unseen")
    #expect(right.status == 0 && !right.output.contains("left out"), "\(right.errors)")
  }

  @Test func tableIsForPeople() throws {
    let data = try faces("faces", split: .validation, [(.anger, 0), (.happiness, 3), (.happiness, 0), (.neutral, 6)])
    let outcome = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"), "--tta", "flip")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "\(data): no test face has a label, measuring on validation\n")
    #expect(outcome.output.contains("accuracy           75.00 %, 95 % interval 30.06 to 95.44 %\n"))
    let hash = try PixelGraph.model().weightsSHA256
    #expect(outcome.output.contains("weights SHA-256    \(hash)\n"))
    #expect(outcome.output.contains("true \\ read"))
    #expect(outcome.output.contains("two: the face and its mirror image"))
  }

  @Test func reportSaysWhatTheJSONSays() throws {
    let data = try faces("faces", split: .test, [(.anger, 0), (.happiness, 3), (.happiness, 0), (.neutral, 6)])
    let outcome = try Command.mien(
      "evaluate", "--data", data, "--model", path("pixels.onnx"), "--json", path("r.json"), "--report",
      path("r.html"), "--predictions", path("p.csv"))
    #expect(outcome.status == 0 && outcome.output.contains("accuracy           75.00 %"), "\(outcome.errors)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: folder.file("r.json")))
    #expect(report.corruptions == nil)
    let page = try XMLDocument(data: Data(contentsOf: folder.file("r.html")))
    func values(_ path: String) throws -> [String] { try page.nodes(forXPath: path).compactMap(\.stringValue) }
    let figures = try values("//*[local-name()='data']/@value").compactMap { Double($0) }
    #expect(
      figures == [
        report.accuracy, report.balancedAccuracy, report.macroF1, report.loss, report.calibration.ece,
        Double(report.count),
      ])
    #expect(try values("//*[local-name()='dd']").contains(report.weightsSHA256))
    // The page names the file, and not only what it was imported from.
    let name = URL(fileURLWithPath: data).lastPathComponent
    #expect(try values("//*[local-name()='h1']") == ["\(report.model) on \(name)"])
    #expect(outcome.output.contains("data               \(name), test, 4 faces"))
    // The confusion matrix: each cell's tooltip holds its count.
    let cells = try values("//*[local-name()='rect']/*[local-name()='title']").filter { $0.contains(" read as ") }
    let counts = cells.compactMap { $0.split(separator: ": ").last?.split(separator: " ").first.flatMap { Int($0) } }
    #expect(counts == report.confusion.flatMap(\.self))
    #expect(try values("//*[local-name()='img']/@alt").contains("face 2: label happiness, read anger"))
    let rows = try String(contentsOf: folder.file("p.csv"), encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 5 && rows[3].hasPrefix("2,happiness,anger,"))
  }

  @Test func tableJSONAndReportSayWhichPriorWasUsed() throws {
    let data = try faces("faces", split: .test, [(.anger, 0), (.happiness, 3)])
    let outcome = try Command.mien(
      "evaluate", "--data", data, "--prior", "uniform", "--prior-strength", "0.5", "--json", path("r.json"), "--report",
      path("r.html"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sentence = "Read with the prior uniform, strength 0.5."
    #expect(outcome.output.contains("\n\(sentence)\n"), "\(outcome.output)")
    #expect(try String(contentsOf: folder.file("r.html"), encoding: .utf8).contains(sentence))
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: folder.file("r.json")))
    #expect(report.prior == "uniform" && report.priorStrength == 0.5)
  }

  @Test func corruptionsAreMeasuredOnRequest() throws {
    let data = try faces("faces", split: .test, [(.anger, 0), (.happiness, 3)])
    let outcome = try Command.mien(
      "evaluate", "--data", data, "--model", path("pixels.onnx"), "--corruptions", "--json", path("r.json"), "--report",
      path("r.html"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: folder.file("r.json")))
    let results = try #require(report.corruptions)
    #expect(results.count == 40 && Set(results.map(\.name)).count == 8)
    // A dim white pixel is still the brightest; where contrast is low, too.
    #expect(results.filter { $0.name == "low light" }.allSatisfy { $0.accuracy == 1 })
    #expect(outcome.output.contains("\nlow light   ") && outcome.output.contains("gain 0.7, 0.5, 0.35, 0.2, 0.1\n"))
    #expect(outcome.output.contains("  sigma 0.5, 1, 1.5, 2, 3 px\n"), "\(outcome.output)")
    #expect(outcome.output.contains("  deviation 8, 16, 24, 40, 64 of 255\n"))
    #expect(try String(contentsOf: folder.file("r.html"), encoding: .utf8).contains("Accuracy on corrupted faces"))
  }

  @Test func onlyOneResultGoesToStandardOutput() throws {
    let data = try faces("faces", split: .test, [(.anger, 0)])
    let both = try Command.mien("evaluate", "--data", data, "--json", "-", "--predictions", "-")
    #expect(both.status == 64)
    let one = try Command.mien("evaluate", "--data", data, "--model", path("pixels.onnx"), "--predictions", "-")
    #expect(
      one.status == 0 && one.output.hasPrefix("index,label,prediction,anger,") && one.output.count { $0 == "\n" } == 2)
    let folderAsFile = try Command.mien("evaluate", "--data", data, "--report", folder.url.path)
    #expect(folderAsFile.status == 1 && folderAsFile.errors.contains(folder.url.path))
  }

  @Test func missingClassesAreNamed() throws {
    let data = try faces("ck", split: .test, labels: .ckplus48, [(.contempt, 0), (.anger, 0)])
    try PixelGraph.model([.fer2013]).write(to: folder.file("seven.onnx"))
    let outcome = try Command.mien("evaluate", "--data", data, "--model", path("seven.onnx"))
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("The model lacks contempt: those faces count as wrong.\n"))
    #expect(outcome.output.contains("Measured on the output fer2013, restricted to the classes of ckplus48.\n"))
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let small = try faces("small", split: .test, size: 24, [(.anger, 0)])
    let size = try Command.mien("evaluate", "--data", small, "--model", path("pixels.onnx"))
    #expect(size.status == 1)
    #expect(size.errors.contains("\(small): faces of 24x24 pixels, pixels takes 48x48: import them with --size 48"))

    let good = try faces("faces", split: .test, [(.anger, 0)])
    let labels = try Command.mien("evaluate", "--data", good, "--labels", "ferplus")
    #expect(labels.status == 64 && labels.errors.contains("--labels ferplus"))
    let split = try Command.mien("evaluate", "--data", good, "--split", "train")
    #expect(split.status == 1 && split.errors.contains(good))
    let text = try Command.mien("evaluate", "--data", path("pixels.onnx"))
    #expect(text.status == 1 && text.errors.contains(path("pixels.onnx")))
    #expect(try Command.mien("evaluate", "--data", good, "--split", "some").status == 64)
    #expect(try Command.mien("evaluate").status == 64)
  }

  @Test func cardsWrapLongNamesAndMarkRows() throws {
    let measurement = { (split: String, note: String) in
      ModelCard.Measurement(
        source: "ckplus48", split: split, labels: "ckplus48", count: 65, accuracy: 0.5, balancedAccuracy: 0.25,
        note: note)
    }
    let fold = "validation (fold 1 of 5 in the rest of a grouped split by subject of seed 1)"
    try PixelGraph.model(measurements: [
      measurement(fold, "best epoch chosen on this split"), measurement("test", "once"),
    ])
    .write(to: folder.file("fold.onnx"))
    let shown = try Command.mien("models", path("fold.onnx"))
    let lines = shown.output.split(separator: "\n").map(String.init)
    let start = try #require(lines.firstIndex { $0.hasPrefix("measured on") }, "\(shown)")
    #expect(lines[start].hasSuffix("  note") && lines[start + 1].hasSuffix("  25.00 %     1"))
    #expect(lines[start + 1].hasPrefix("ckplus48 validation (fold 1 of 5 in the  ckplus48"))
    #expect(lines[start + 2] == "  rest of a grouped split by subject of" && lines[start + 3] == "  seed 1)")
    #expect(lines[start + 4].hasPrefix("ckplus48 test ") && lines[start + 4].hasSuffix("  25.00 %     2"))
    #expect(Array(lines[(start + 5)...]) == ["1: best epoch chosen on this split", "2: once"])
  }

  @Test func modelsListsTheBuiltInOneAndShowsCards() throws {
    let list = try Command.mien("models")
    #expect(list.status == 0 && list.output.contains("built in"))
    #expect(list.output.contains("mien-s  The built-in model, used without --model: "), "\(list.output)")
    let row = " faces of the set `fer2013`, validation, labels ferplus; these also chose the epoch\n"
    #expect(
      list.output.contains(row) && list.output.contains(" parameters; labels ferplus, fer2013\n"), "\(list.output)")
    #expect(list.output.split(separator: "\n").allSatisfy { $0.count <= 110 || $0.contains("/") }, "\(list.output)")
    // A file is named by a path.
    try FileManager.default.copyItem(at: folder.file("pixels.onnx"), to: folder.file("model.txt"))
    let code = "cd '\(folder.url.path)' && '\(Command.mien.path)' models model.txt"
    let file = try Command.run("/bin/sh", ["-c", code])
    let advice = "such as ./model.txt for the file that is here"
    #expect(file.status == 64 && file.errors.contains(advice), "\(file.errors)")
    #expect(try Command.mien("models", folder.file("model.txt").path).status == 0)
    try FileManager.default.createDirectory(at: folder.file("photos"), withIntermediateDirectories: true)
    try Data([0xFF, 0xD8, 0xFF, 0xE0]).write(to: folder.file("me.jpg"))
    for (name, words) in [("photos", "a folder"), ("me.jpg", "a JPEG picture")] {
      let code = "cd '\(folder.url.path)' && '\(Command.mien.path)' models \(name)"
      let other = try Command.run("/bin/sh", ["-c", code]).errors
      #expect(other.hasSuffix("./mine.onnx; \(name), which is here, is \(words)\n"), "\(other)")
    }
    let shown = try Command.mien("models", path("pixels.onnx"), "--json")
    #expect(shown.status == 0)
    let card = try ModelCard(json: Data(shown.output.utf8))
    #expect(card.name == "pixels")
    #expect(try card.weightsSHA256 == PixelGraph.model().weightsSHA256)
    let text = try Command.mien("models", "mien-s")
    #expect(text.status == 0 && text.output.hasPrefix("mien-s\n"), "\(text.errors)")
    #expect(
      text.output.contains("grey faces of 48x48") && text.output.contains("28,709 faces of the set `fer2013`, train"))
    #expect(text.output.contains("\n(calibration error: by cross-fitting in five parts; `mien evaluate` "))
    let own = try ModelCard(json: Data(try Command.mien("models", "mien-s", "--json").output.utf8))
    #expect(text.output.contains(own.weightsSHA256) && !text.output.contains("{"))
    #expect(try Command.mien("models", "--json").status == 64)
    let unknown = try Command.mien("models", "no-such-model")
    #expect(unknown.status == 64 && unknown.errors.contains("mien-s"))
  }
}
