import Foundation
import MienCore
import MienTestSupport
import Testing

/// `mien train`, `mien export` and `mien evaluate` as a user chains them.
@Suite(.serialized) struct TrainCommandTests {
  @Test func trainExportEvaluate() throws {
    let folder = try TemporaryFolder()
    let (faces, run, model) = (
      try TrainingFiles.faces(in: folder, tests: 7), folder.file("run").path, folder.file("model.onnx").path
    )
    let arguments = ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run]
    let trained = try Command.run(Command.mien.path, arguments + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    for file in [
      "recipe.yaml", "metrics.csv", "checkpoints/last.safetensors", "checkpoints/best.safetensors", "report.html",
    ] {
      #expect(FileManager.default.fileExists(atPath: run + "/" + file), "\(file)")
    }
    let again = try Command.run(Command.mien.path, arguments + TrainingFiles.settings)
    #expect(again.status == 1 && again.errors.contains("--resume"))
    let resumed = try Command.mien("train", "--resume", run, "--data", faces)
    #expect(
      resumed.status == 0 && resumed.errors.contains("\nthe run is finished already; nothing was left to train\n")
        && !resumed.errors.contains("resumed at step"), "\(resumed.errors)")

    let exported = try Command.mien("export", run, "-o", model, "--data", faces)
    #expect(exported.status == 0, "\(exported.errors)")
    let small = folder.file("small.onnx").path
    for (precision, most) in [("f16", 0.85), ("int8", 0.9)] {
      let made = try Command.mien("export", run, "-o", small, "--data", faces, "--precision", precision)
      #expect(made.status == 0, "\(made.errors)")
      func size(_ path: String) throws -> Double { Double(try Data(contentsOf: URL(filePath: path)).count) }
      #expect(try size(small) < most * size(model), "\(precision)")
      let read = try Command.mien("evaluate", "--model", small, "--data", faces, "--split", "validation")
      #expect(read.status == 0, "\(read.errors)")
    }
    let json = folder.file("evaluation.json")
    let evaluated = try Command.mien(
      "evaluate", "--model", model, "--data", faces, "--split", "validation", "--json", json.path)
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let report = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any])
    #expect(report["count"] as? Int == 21)
    let accuracy = try #require(report["accuracy"] as? Double)
    #expect(exported.output.contains(String(format: "fer2013 validation: %.2f %% of 21 faces", accuracy * 100)))
    let page = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
    // The set's own test part is not looked at.
    #expect(!page.contains("measured once"))
    #expect(page.contains("Confusion") && page.contains("best epoch") && page.contains("learningRate"))
    #expect(page.contains(String(format: "%.2f %%", accuracy * 100)), "the page has the exported model's accuracy")
    let hash = try #require(report["weightsSHA256"] as? String)
    #expect(exported.output.contains(hash))
  }

  @Test func labelsThatTheSetLacksAreSaidWithItsOwn() throws {
    let folder = try TemporaryFolder()
    let (faces, recipe) = (try TrainingFiles.faces(in: folder), try TrainingFiles.recipe(in: folder))
    let arguments = ["train", recipe, "--data", faces, "-o", folder.file("run").path] + TrainingFiles.settings
    let outcome = try Command.run(Command.mien.path, arguments + ["--set", "heads=[{labels: ckplus48}]"])
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains(
        "\(faces): no face has labels for the head ckplus48, which the recipe trains; there are labels of fer2013: add "
          + "--set 'heads=[{labels: fer2013}]'"), "\(outcome.errors)")
    let short = try Command.run(
      Command.mien.path, arguments + ["--set", "schedule.warmupEpochs=1", "--epochs", "1"])
    #expect(short.status != 0 && short.errors.contains("error: --epochs 1: warm-up"), "\(short.errors)")
  }

  /// Data without parts, as one's own folders have none.
  @Test func aMissingValidationPartIsCutAndSaid() throws {
    let folder = try TemporaryFolder()
    let set = try FaceSet(contentsOf: URL(fileURLWithPath: TrainingFiles.faces(in: folder)))
    func write(_ count: Int, _ name: String) throws -> String {
      let rows = (0..<count).map { index in
        var row = set[index]
        row.split = .train
        return row
      }
      try FaceSet(
        source: "own", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows,
        pixels: set.pixels.prefix(count * set.faceBytes)
      ).write(to: folder.file(name))
      return folder.file(name).path
    }
    let (recipe, run) = (try TrainingFiles.recipe(in: folder), folder.file("run").path)
    let trained = try Command.run(
      Command.mien.path,
      ["train", recipe, "--data", try write(70, "own"), "-o", run] + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    let words =
      "7 of 70 training faces are set aside to choose the model by (10 % of the training part for "
    #expect(
      trained.errors.contains(words) && trained.errors.contains("split: {validation: 0.1, seed: 1}"),
      "\(trained.errors)")
    #expect(try String(contentsOfFile: run + "/recipe.yaml", encoding: .utf8).contains("validation: 0.1"))
    let metrics = try String(contentsOfFile: run + "/result.json", encoding: .utf8)
    #expect(metrics.contains("\"count\" : 7"), "\(metrics)")
    // One face of each class leaves none to choose by.
    let few = try Command.run(
      Command.mien.path,
      ["train", recipe, "--data", try write(7, "few"), "-o", folder.file("none").path] + TrainingFiles.settings)
    #expect(few.status == 1 && few.errors.contains("--set 'split={train: 0.8, validation: 0.2}'"), "\(few.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("none").path))
  }

  @Test func controlCLeavesARunThatResumes() throws {
    let folder = try TemporaryFolder()
    let (faces, run) = (try TrainingFiles.faces(in: folder), folder.file("run").path)
    let process = Process()
    process.executableURL = Command.mien
    process.arguments =
      ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run, "--set", "epochs=100000"]
      + TrainingFiles.settings
    process.standardError = FileHandle.nullDevice
    try process.run()
    // The first epochs are done when the metrics are there.
    process.wait { FileManager.default.fileExists(atPath: run + "/metrics.csv") }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 1)
    func rows() throws -> Int {
      try String(contentsOfFile: run + "/metrics.csv", encoding: .utf8).split(separator: "\n").count
    }
    let before = try rows()
    #expect(before > 1)

    let resumed = Process()
    resumed.executableURL = Command.mien
    resumed.arguments = ["train", "--resume", run, "--data", faces]
    resumed.standardError = FileHandle.nullDevice
    try resumed.run()
    try resumed.wait { try rows() > before }
    resumed.interrupt()
    resumed.waitUntilExit()
    #expect(try rows() > before && resumed.terminationStatus == 1)
  }

  @Test func foldsEndInATableAndEachCanBeExported() throws {
    let folder = try TemporaryFolder()
    let (faces, run, model) = (
      try TrainingFiles.faces(in: folder), folder.file("run").path, folder.file("model.onnx").path
    )
    let arguments = ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run]
    let folds = ["--set", "folds.count=2", "--set", "split={train: 0.8, test: 0.2}"]
    let outcome = try Command.run(Command.mien.path, arguments + TrainingFiles.settings + folds)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try String(contentsOfFile: run + "/summary.csv", encoding: .utf8).split(separator: "\n")
    #expect(summary.map { String($0.prefix { $0 != "," }) } == ["run", "fold-1", "fold-2", "mean", "sd"])
    for line in ["2 runs ", "validation accuracy, fer2013 ", "test accuracy, fer2013 ", "training loss "] {
      #expect(outcome.output.contains(line), "\(outcome.output)")
    }
    // All is done: the series is summed up again and nothing is trained.
    let again = try Command.mien("train", "--resume", run, "--data", faces)
    #expect(again.status == 0 && again.output == outcome.output && !again.errors.contains("epoch"))
    let far = try Command.mien("export", run + "/fold-1", "-o", model, "--crop-scale", "20")
    #expect(far.status == 64 && far.errors.contains("--crop-scale") && !FileManager.default.fileExists(atPath: model))
    let whole = try Command.mien("export", run, "-o", model)
    let named = "holds a series of runs; name one of the run folders in it: \(run)/fold-1, \(run)/fold-2"
    #expect(whole.status == 1 && whole.errors.contains(named), "\(whole.errors)")
    let measured = try Command.mien("evaluate", "--run", run, "--data", faces)
    #expect(measured.status == 1 && measured.errors.contains(named), "\(measured.errors)")
    let odd = try Command.mien("export", run + "/fold-1", "-o", folder.file("model.pt").path)
    #expect(odd.status == 64 && odd.errors.contains("model.pt: expected a name that ends in .onnx"), "\(odd.errors)")
    let kept = try Command.mien("export", run + "/fold-1", "-o", model, "--keep-initial", "0.6")
    #expect(
      kept.status == 64 && kept.errors.contains("--keep-initial needs --data: the faces that the run was trained on"),
      "\(kept.errors)")
    let exported = try Command.mien("export", run + "/fold-1", "-o", model)
    #expect(exported.status == 0 && exported.output.contains("fold 1 of 2"), "\(exported.errors)")

    let people = try Command.run(
      Command.mien.path,
      ["train", folder.file("recipe.yaml").path, "--data", faces, "-o", folder.file("none").path]
        + TrainingFiles.settings + ["--set", "folds={count: 2, kind: grouped}"])
    #expect(people.status == 1 && people.errors.contains("the data set has no subjects"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("none").path))
    let network = try Command.run(
      Command.mien.path,
      ["train", folder.file("recipe.yaml").path, "--data", faces, "-o", folder.file("none").path]
        + ["--set", "model.options={stem: 4, widths: [8], blocks: [1, 1]}"])
    let start = try Command.run(
      Command.mien.path,
      ["train", folder.file("recipe.yaml").path, "--data", faces, "-o", folder.file("none").path]
        + TrainingFiles.settings + ["--init", folder.file("typo").path])
    #expect(start.status == 1 && start.errors.contains("typo: "), "\(start.status) \(start.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("none").path))
    #expect(network.status == 64 && network.errors.contains("one entry a stage"), "\(network.status) \(network.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("none").path))
  }

  @Test func aRunBeginsWithTheWeightsOfAnother() throws {
    let folder = try TemporaryFolder()
    let (faces, first) = (try TrainingFiles.faces(in: folder), folder.file("first").path)
    func train(_ run: String, _ more: String...) throws -> Command.Outcome {
      try Command.run(
        Command.mien.path,
        ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run] + TrainingFiles.settings + more)
    }
    #expect(try train(first).status == 0)
    let second = try train(folder.file("second").path, "--init", first, "--freeze", "2")
    #expect(second.status == 0, "\(second.errors)")
    let recipe = try String(contentsOf: folder.file("second/recipe.yaml"), encoding: .utf8)
    #expect(recipe.contains("initialWeights: \(first)\n") && recipe.contains("freeze: 2\n"))
    let model = folder.file("model.onnx").path
    #expect(try Command.mien("export", first, "-o", model).status == 0)
    let third = try train(folder.file("third").path, "--init", model)
    #expect(third.status == 0, "\(third.errors)")
    let fourth = try train(folder.file("fourth").path, "--init", faces)
    #expect(
      fourth.status == 1 && fourth.errors.contains("\(faces): holds no weights to begin with"), "\(fourth.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("fourth").path))
  }

  @Test func flagsOfAGPUNeedOne() throws {
    let outcome = try Command.mien("train", "chen", "--data", "faces", "--autotune")
    #expect(outcome.status == 64 && outcome.errors.contains("needs --device cuda"), "\(outcome.errors)")
  }

  /// bf16 keeps 8 bits: with it, and on CUDA, a run learns what it learns in f32, within 5 % of the loss. Where there is no
  /// CUDA it is refused.
  @Test func bf16AndCUDAAgreeWithF32() throws {
    let folder = try TemporaryFolder()
    let (faces, recipe) = (try TrainingFiles.faces(in: folder), try TrainingFiles.recipe(in: folder))
    func train(_ name: String, _ options: String...) throws -> Command.Outcome {
      let arguments = ["train", recipe, "--data", faces, "-o", folder.file(name).path] + options
      return try Command.run(Command.mien.path, arguments + TrainingFiles.settings)
    }
    func losses(_ name: String) throws -> [Double] {
      try String(contentsOf: folder.file(name + "/metrics.csv"), encoding: .utf8).split(separator: "\n").dropFirst()
        .map { Double($0.split(separator: ",")[3]) ?? .nan }
    }
    #expect(try train("cpu").status == 0)
    #expect(try train("bf16", "--precision", "bf16").status == 0)
    let (cpu, bf16) = (try losses("cpu"), try losses("bf16"))
    #expect(bf16 != cpu, "bf16 rounds")
    #expect(zip(cpu, bf16).allSatisfy { abs($0 - $1) < 0.05 * $0 }, "\(cpu) and \(bf16)")
    let cuda = try train("cuda", "--device", "cuda")
    guard cuda.status == 0 else {
      #expect(cuda.status == 1 && cuda.errors.contains("--device cuda") && cuda.errors.contains("LD_LIBRARY_PATH"))
      #expect(!FileManager.default.fileExists(atPath: folder.file("cuda").path))
      return
    }
    #expect(try zip(cpu, losses("cuda")).allSatisfy { abs($0 - $1) < 0.05 * $0 })
  }

  @Test func wrongUseIsSaid() throws {
    let folder = try TemporaryFolder()
    let faces = try TrainingFiles.faces(in: folder)
    #expect(try Command.mien("train", "--data", faces).status == 64)
    #expect(try Command.mien("train", "a.yaml", "--data", faces, "--resume", "b").status == 64)
    #expect(try Command.mien("train", "--data", faces, "--resume", "b", "--init", "c").status == 64)
    #expect(try Command.mien("train", "a.yaml", "--data", faces, "--freeze", "1").status == 64)
    let missing = try Command.mien("train", folder.file("none.yaml").path, "--data", faces)
    #expect(missing.status == 1 && missing.errors.contains("none.yaml") && missing.errors.contains("no such file"))
    try Data([0xFF, 0xD8, 0xFF, 0xE0] + [UInt8](repeating: 200, count: 100)).write(to: folder.file("me.jpg"))
    let picture = try Command.mien("train", folder.file("me.jpg").path, "--data", faces)
    #expect(picture.status == 1 && picture.errors.contains("is a JPEG picture, expected a recipe (YAML)"))
    let recipe = try TrainingFiles.recipe(in: folder)
    let unknown = try Command.mien("train", recipe, "--data", faces, "--set", "epocs=3")
    #expect(unknown.status == 64 && unknown.errors.contains("did you mean epochs?"))
    let small = try Command.mien("export", folder.file("run").path, "-o", folder.file("m").path, "--precision", "int8")
    #expect(small.status == 64 && small.errors.contains("--data"), "\(small.errors)")
    let noRun = try Command.mien("export", folder.file("nowhere").path, "-o", folder.file("m.onnx").path)
    #expect(noRun.status == 1 && noRun.errors.contains("no such run folder"))
  }
}
