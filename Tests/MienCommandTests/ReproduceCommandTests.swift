import Foundation
import MienCore
import MienTestSupport
import Testing

/// `mien reproduce` on a few hundred real faces and two epochs.
@Suite(.serialized) struct ReproduceCommandTests {
  private static let hasData = Shared.has("data/fer2013/fer2013.csv.xz") && Shared.has("data/ck48/CK+48")

  /// FER2013's first faces, the last of them as PublicTest, and one frame a sequence of CK+48.
  private func faceSets(in folder: TemporaryFolder) throws -> [String] {
    let csv = Shared.url("data/fer2013/fer2013.csv.xz").path
    let pictures = Shared.url("data/ck48/CK+48").path
    let (fer, ck) = (folder.file("fer.safetensors").path, folder.file("ck.safetensors").path)
    let (few, frames) = (folder.file("few.csv").path, folder.file("frames").path)
    let script = """
      set -e
      { xz -dc '\(csv)' 2>/dev/null || true; } | head -n 451 | sed '352,$ s/Training/PublicTest/' > '\(few)'
      cd '\(pictures)'
      for class in *; do
        mkdir -p "\(frames)/$class"
        ls "$class" | sort -t_ -k1,2 -u | while read -r file; do cp "$class/$file" "\(frames)/$class/"; done
      done
      """
    let made = try Command.run("/bin/bash", ["-c", script])
    try #require(made.status == 0, "\(made.errors)")
    for arguments in [["fer2013", few, "-o", fer], ["ckplus48", frames, "-o", ck]] {
      let imported = try Command.run(Command.mien.path, ["dataset", "import"] + arguments)
      try #require(imported.status == 0, "\(imported.errors)")
    }
    return [fer, ck]
  }

  private func columns(_ file: URL) throws -> [String: [Double]] {
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    let header = try #require(lines.first)
    return Dictionary(
      uniqueKeysWithValues: header.enumerated().map { column, name in
        (String(name), lines.dropFirst().map { Double($0[column]) ?? .nan })
      })
  }

  @Test(.enabled(if: hasData, "needs FER2013 and CK+48 in MIEN_SHARED"))
  func everySystemIsTrainedMeasuredAndReported() throws {
    let folder = try TemporaryFolder()
    let sets = try faceSets(in: folder)
    let (out, page) = (folder.file("out"), folder.file("published.md"))
    let arguments = ["--data"] + sets + ["--epochs", "2", "--folds", "2", "-o"]
    let outcome = try Command.run(
      Command.mien.path, ["reproduce", "all"] + arguments + [out.path, "--markdown", page.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let markdown = try String(contentsOf: page, encoding: .utf8)
    let measurements = [
      "chen/random-split", "chen/grouped-by-person", "javier/official", "gao/official", "le-shallow/official",
      "le-deep/official", "yousaf/fer2013-as-written", "yousaf/fer2013-leaky", "yousaf/fer2013-clean",
      "yousaf/ckplus48-leaky", "yousaf/ckplus48-clean",
    ]
    for name in measurements {
      // A quick look has a folder of its own, named by what shortens it.
      let isRepeated = name.hasPrefix("chen") || name == "yousaf/ckplus48-clean"
      let place = out.appendingPathComponent(name + ".quick-2-epochs" + (isRepeated ? "-2-runs" : ""))
      let summary = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: place.appendingPathComponent("reproduction.json")))
          as? [String: Any])
      let standing = try #require(summary["standing"] as? String)
      let run = standing.isEmpty ? place : place.appendingPathComponent(standing)
      let metrics = try columns(run.appendingPathComponent("metrics.csv"))
      let losses = try #require(metrics["train_loss"])
      // The network of yousaf as written does not learn.
      if !name.hasSuffix("as-written") { #expect(try #require(losses.last) < losses[0], "\(name)") }

      let evaluation = try #require(summary["evaluation"] as? [String: Any])
      let accuracy = try #require(evaluation["accuracy"] as? Double)
      let labels = try #require(evaluation["labels"] as? String)
      // Figures of a part set aside are not in metrics.csv.
      if !name.hasPrefix("chen") && name != "yousaf/ckplus48-clean" {
        let best = try #require(metrics["validation_\(labels)_accuracy"]?.max())
        #expect(abs(accuracy - best) < 1e-5, "\(name)")
      }
      // Copies that were made before the split stand on both sides.
      let copies = try #require(summary["copies"] as? Int)
      if name.hasSuffix("leaky") { #expect(copies > 0, "\(name)") }
      if name.hasPrefix("chen") || name.hasPrefix("yousaf/ck") && name.hasSuffix("clean") { #expect(copies == 0) }
      #expect((copies > 0) == markdown.contains("\(copies) of the \(evaluation["count"] as? Int ?? 0) measured faces"))
      let html = try String(contentsOf: place.appendingPathComponent("report.html"), encoding: .utf8)
      let percent = String(format: "%.2f", accuracy * 100)
      #expect(html.contains("<data value=\"\(accuracy)\">") || html.contains(percent), "\(name)")
      #expect(markdown.contains("\(percent) %") || markdown.contains("\(percent)%"), "\(name): \(percent)")
      #expect(html.contains("Protocol and recipe") && html.contains("Confusion"), "\(name)")
      // Every protocol of the system, and the command with what shortened it.
      let siblings = measurements.filter { $0.hasPrefix(name.prefix { $0 != "/" } + "/") }
      #expect(siblings.allSatisfy { html.contains($0.drop { $0 != "/" }.dropFirst()) }, "\(name)")
      #expect(html.contains("mien reproduce all") && html.contains("--epochs 2 --folds 2"), "\(name)")
      #expect(html.contains("(quick look)</h1>") && html.contains("do not measure the system"), "\(name)")

      let hash = try #require(evaluation["weightsSHA256"] as? String)
      #expect(html.contains(hash), "\(name)")
      #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent("model.onnx").path), "\(name)")
    }
    #expect(outcome.output.contains("own-videos: needs a FaceSet of your own faces\n"))
    // A system and its recipe may have one name, which is said once.
    #expect(outcome.errors.contains("chen random-split fold-1: ") && !outcome.errors.contains("chen chen"))
    #expect(outcome.output.contains("random-split (quick look: 2 of 200 epochs, 2 instead of 5 runs)"))
    #expect(
      markdown.contains("## chen, random-split (quick look)")
        && markdown.contains(
          "`mien reproduce chen --only random-split --data ckplus48.safetensors --epochs 2 --folds 2`")
    )

    // What is finished is read again, not trained, measured or exported again, and gives the same table.
    let model = out.appendingPathComponent("chen/random-split.quick-2-epochs-2-runs/model.onnx")
    try FileManager.default.removeItem(at: model)
    let show = ["reproduce", "all", "--show", "-o", out.path]
    let again = try Command.run(Command.mien.path, show)
    #expect(again.status == 0 && again.output.trimmed == outcome.output.trimmed, "\(again.errors)")
    #expect(!FileManager.default.fileExists(atPath: model.path))
    try Data("{}".utf8).write(
      to: out.appendingPathComponent("chen/random-split.quick-2-epochs-2-runs/reproduction.json"))
    let damaged = try Command.run(Command.mien.path, show)
    #expect(damaged.status == 1 && damaged.errors.contains("holds no figures of a reproduction"))
    // Another quick look does not disturb this one.
    let other = try Command.run(
      Command.mien.path, ["reproduce", "javier", "--data"] + sets + ["--epochs", "1", "-o", out.path])
    #expect(other.status == 0, "\(other.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: out.appendingPathComponent("javier").path)
    #expect(names.sorted() == ["official.quick-1-epochs", "official.quick-2-epochs"])
  }

  @Test(.enabled(if: hasData, "needs FER2013 and CK+48 in MIEN_SHARED"))
  func aStoppedReproductionGoesOnToTheSameTable() throws {
    let folder = try TemporaryFolder()
    let sets = try faceSets(in: folder)
    let (whole, stopped) = (folder.file("whole"), folder.file("stopped"))
    let arguments = ["reproduce", "chen", "--data"] + sets + ["--epochs", "3", "--folds", "2", "-o"]
    let expected = try Command.run(Command.mien.path, arguments + [whole.path])
    #expect(expected.status == 0, "\(expected.errors)")

    let process = Process()
    process.executableURL = Command.mien
    let page = folder.file("published.md")
    try Data("earlier figures".utf8).write(to: page)
    process.arguments = arguments + [stopped.path, "--markdown", page.path]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let file = stopped.appendingPathComponent("chen/random-split.quick-3-epochs-2-runs/fold-1/metrics.csv")
    process.wait { FileManager.default.fileExists(atPath: file.path) }
    process.interrupt()
    process.waitUntilExit()
    let finished = stopped.appendingPathComponent("chen/grouped-by-person.quick-3-epochs-2-runs/reproduction.json")
    #expect(process.terminationStatus == 1 && !FileManager.default.fileExists(atPath: finished.path))
    #expect(try String(contentsOf: page, encoding: .utf8) == "earlier figures")

    let shown = try Command.run(Command.mien.path, arguments + [stopped.path, "--show"])
    #expect(shown.status == 0, "\(shown.errors)")
    let row = try #require(shown.output.split(separator: "\n").first { $0.contains("random-split") })
    #expect(row.contains("random-split (quick look)") && row.contains("not finished"))

    let resumed = try Command.run(Command.mien.path, arguments + [stopped.path])
    #expect(resumed.status == 0, "\(resumed.errors)")
    for name in ["random-split", "grouped-by-person"] {
      func figures(_ folder: URL) throws -> [[String: Double]] {
        let file = folder.appendingPathComponent("chen/\(name).quick-3-epochs-2-runs/reproduction.json")
        let summary = try #require(
          try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        return try #require(summary["runs"] as? [[String: Any]]).map { run in
          var figures = run.compactMapValues { $0 as? Double }
          figures["seconds"] = nil
          return figures
        }
      }
      #expect(try figures(stopped) == figures(whole))
      #expect(try figures(whole).count == 2)
    }
  }

  @Test func whatIsNotThereIsNamed() throws {
    let folder = try TemporaryFolder()
    let faces = try TrainingFiles.faces(in: folder)
    let unknown = try Command.mien("reproduce", "resnet", "--data", faces)
    #expect(unknown.status == 64)
    #expect(unknown.errors.contains("javier"))
    let missing = try Command.mien("reproduce", "chen", "--data", faces, "-o", folder.file("out").path)
    #expect(missing.status == 1 && missing.output.contains("needs a FaceSet of ckplus48"))
    #expect(
      missing.errors
        == "mien: error: chen needs CK+48: `mien dataset import ckplus48 CK+48/ -o ck48.safetensors`\n")
    let none = try Command.mien("reproduce", "chen", "-o", folder.file("out").path)
    #expect(none.status == 64 && none.errors.contains("--data"))
    let page = folder.file("none/published.md").path
    let unwritable = try Command.mien("reproduce", "chen", "--data", faces, "--markdown", page)
    #expect(unwritable.status == 1 && unwritable.errors.contains(page), "\(unwritable.errors)")
  }
}

extension String {
  /// Its words a line, whatever the columns' widths.
  fileprivate var trimmed: [[Substring]] { split(separator: "\n").map { $0.split(separator: " ") } }
}
