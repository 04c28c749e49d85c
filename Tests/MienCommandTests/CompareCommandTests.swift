import Foundation
import FoundationXML
import MienCore
import MienTestSupport
import Testing

/// `mien compare` as users run it.
@Suite struct CompareCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, accuracies) in [("one", [0.5, 0.8, 0.7]), ("two", [0.6, 0.65])] {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
      let rows = accuracies.enumerated().map { "\($0 + 1),\(10 * ($0 + 1)),2.5,1.5,\($1),0.4,\(30 * ($0 + 1))\n" }
      let header =
        "epoch,step,train_loss,validation_fer2013_loss,validation_fer2013_accuracy,"
        + "validation_fer2013_balanced_accuracy,seconds\n"
      try Data((header + rows.joined()).utf8).write(to: folder.file("\(name)/metrics.csv"))
    }
    try PixelGraph.model().write(to: folder.file("one/model.onnx"))
    // 12 faces of two classes; one of them lies: its pixel says neutral.
    try FaceSet(
      source: "pixels", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: (0..<12).map { .init(label: $0 % 2 == 0 ? .anger : .happiness, split: .test, sourceRow: $0) },
      pixels: Data((0..<12).flatMap { PixelGraph.face($0 == 11 ? 6 : $0 % 2 == 0 ? 0 : 3) })
    ).write(to: folder.file("faces"))
  }

  private func path(_ name: String) -> String { folder.file(name).path }

  @Test func runsAreComparedByTheirCurves() throws {
    let outcome = try Command.mien("compare", path("one"), path("two"), "--report", path("c.html"))
    #expect(outcome.status == 0 && outcome.errors.hasPrefix("wrote \(path("c.html")) ("), "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines[1] == "one 0 3 2 80.00 % 40.00 % 1.5000 1 min 30 s")
    #expect(lines[2] == "two - 2 2 65.00 % 40.00 % 1.5000 1 min 0 s")
    let page = try XMLDocument(data: Data(contentsOf: folder.file("c.html")))
    #expect(try page.nodes(forXPath: "//*[local-name()='svg'][@class='chart wide']").count == 4)
  }

  @Test func namesAreTheShortestThatDiffer() throws {
    for name in ["a/official", "b/official", "b/random"] {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: folder.file("one/metrics.csv"), to: folder.file("\(name)/metrics.csv"))
    }
    let outcome = try Command.mien("compare", path("a/official"), path("b/official"), path("b/random") + "/")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let names = outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names == ["run", "a/official", "b/official", "random"])
  }

  @Test func aRunWithoutAModelIsLeftOutOfTheTestAndNamed() throws {
    let outcome = try Command.mien(
      "compare", path("one"), path("two"), "--data", path("faces"), "--report", path("c.html"))
    #expect(outcome.status == 0)
    let command = "mien export \(path("two")) -o \(path("two"))/model.onnx"
    #expect(
      outcome.errors.hasPrefix(
        "mien: warning: two: no model.onnx: left out of McNemar's test; `\(command)` adds it\nwrote "),
      "\(outcome.errors)")
    let page = try String(contentsOf: folder.file("c.html"), encoding: .utf8)
    #expect(page.contains("two: no model.onnx"))
  }

  @Test func aFolderWithoutCurvesIsItsModel() throws {
    try FileManager.default.createDirectory(at: folder.file("folds"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: folder.file("one/model.onnx"), to: folder.file("folds/model.onnx"))
    let outcome = try Command.mien("compare", path("folds"), path("one"), "--data", path("faces"))
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(outcome.output.contains("folds, one"), "\(outcome.output)")
    let noData = try Command.mien("compare", path("folds"))
    #expect(noData.status == 64 && noData.errors.contains("--data"))
  }

  @Test func aFolderOfRunsNamesThem() throws {
    try FileManager.default.createDirectory(at: folder.file("series"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: folder.file("two"), to: folder.file("series/fold 1"))
    let outcome = try Command.mien("compare", path("series"))
    #expect(
      outcome.status == 1 && outcome.errors.contains("mien compare '\(path("series"))/fold 1'"), "\(outcome.errors)")
    try FileManager.default.removeItem(at: folder.file("series/fold 1"))
    #expect(try Command.mien("compare", path("series")).errors.contains("is not a run folder"))
  }

  @Test func predictionsOfOtherFacesAreRefused() throws {
    let header = "index,label,prediction,anger,fear\n"
    try Data((header + "0,anger,anger,1,0\n1,fear,fear,0,1\n").utf8).write(to: folder.file("pa.csv"))
    try Data((header + "1,anger,anger,1,0\n2,fear,fear,0,1\n").utf8).write(to: folder.file("pb.csv"))
    let outcome = try Command.mien("compare", path("pa.csv"), path("pb.csv"))
    #expect(outcome.status == 1)
    let expected = "\(path("pa.csv")) and \(path("pb.csv")): face 1 is labelled fear in the first, anger in the second"
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
  }

  @Test func modelsAreTestedOnSharedFaces() throws {
    // The other model's predictions: wrong on the faces 0 to 5, else right.
    let classes = LabelSet.fer2013.emotions.map(\.rawValue)
    let rows = (0..<12).map { index -> String in
      let label = index % 2 == 0 ? "anger" : "happiness"
      let read = index < 6 ? "fear" : label
      return "\(index),\(label),\(read)," + classes.map { $0 == read ? "1" : "0" }.joined(separator: ",") + "\n"
    }
    try Data(("index,label,prediction," + classes.joined(separator: ",") + "\n" + rows.joined()).utf8)
      .write(to: folder.file("other.csv"))
    let outcome = try Command.mien(
      "compare", path("one"), path("other.csv"), "--data", path("faces"), "--json", "-")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect((json["runs"] as? [[String: Any]])?.count == 1)
    let models = try #require(json["models"] as? [[String: Any]])
    #expect(models.map { $0["accuracy"] as? Double } == [11.0 / 12, 0.5])
    #expect(models[0]["weightsSHA256"] as? String == (try PixelGraph.model().weightsSHA256))
    let pair = try #require((json["mcnemar"] as? [[String: Any]])?.first)
    #expect(pair["onlyFirst"] as? Int == 6 && pair["onlySecond"] as? Int == 1 && pair["bothRight"] as? Int == 5)
    // 2 * (1 + 7) / 2^7.
    #expect(abs((pair["pValue"] as? Double ?? 0) - 0.125) < 1e-12)
  }

  @Test func predictionsOfEvaluateAreRead() throws {
    let evaluated = try Command.mien(
      "evaluate", "--data", path("faces"), "--model", path("one/model.onnx"), "--predictions", path("p.csv"))
    #expect(evaluated.status == 0)
    let outcome = try Command.mien("compare", path("p.csv"), path("one/model.onnx"), "--data", path("faces"))
    #expect(outcome.status == 0 && outcome.output.contains("p, model"), "\(outcome.errors)")
    #expect(outcome.output.contains("0.00 points  1.0000"))
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let noData = try Command.mien("compare", path("one/model.onnx"))
    #expect(noData.status == 64 && noData.errors.contains("--data"))
    let missing = try Command.mien("compare", path("none/"))
    #expect(missing.status == 1 && missing.errors.contains(path("none")))
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: true)
    let empty = try Command.mien("compare", path("empty"))
    #expect(empty.status == 1 && empty.errors.contains("is not a run folder: it has no metrics.csv"))
    try Data("name: x\n".utf8).write(to: folder.file("empty/recipe.yaml"))
    let stopped = try Command.mien("compare", path("empty"))
    #expect(
      stopped.status == 1
        && stopped.errors.contains(
          "has no finished epoch yet; continue it with `mien train --resume \(path("empty")) --data FACES`"),
      "\(stopped.errors)")
    try Data("a,b\n".utf8).write(to: folder.file("bad.csv"))
    let bad = try Command.mien("compare", path("bad.csv"))
    #expect(bad.status == 1 && bad.errors.contains("\(path("bad.csv")): expected the columns index"))
    #expect(try Command.mien("compare").status == 64)
  }
}
