import Foundation
import MienCore
import MienTestSupport
import Testing

/// `mien train`, `mien export` and `mien evaluate` as a user chains them.
@Suite(.serialized) struct TrainCommandTests {
  private let settings = [
    "model.options={stem: 4, widths: [8, 12], blocks: [1, 1]}", "batchSize=16", "optimizer.learningRate=0.05",
    "averageDecay=0.9",
  ].flatMap { ["--set", $0] }

  /// Faces of noise over a level that tells the class.
  private func faces(in folder: TemporaryFolder) throws -> String {
    var random = SeededRandom(seed: 3)
    var pixels: [UInt8] = []
    let rows = (0..<70).map { index -> FaceSet.Row in
      let label = index % LabelSet.fer2013.count
      for _ in 0..<(48 * 48) { pixels.append(UInt8(Float(label * 30 + 20) + random.uniform(in: -10...10))) }
      return FaceSet.Row(
        label: LabelSet.fer2013.emotions[label], split: index < 49 ? .train : .validation, sourceRow: index)
    }
    let set = try FaceSet(
      source: "levels", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows, pixels: Data(pixels))
    let url = folder.file("faces.safetensors")
    try set.write(to: url)
    return url.path
  }

  private func recipe(in folder: TemporaryFolder) throws -> String {
    let url = folder.file("recipe.yaml")
    try Data("name: levels\nepochs: 2\n".utf8).write(to: url)
    return url.path
  }

  @Test func trainExportEvaluate() throws {
    let folder = try TemporaryFolder()
    let (faces, run, model) = (try faces(in: folder), folder.file("run").path, folder.file("model.onnx").path)
    let arguments = ["train", try recipe(in: folder), "--data", faces, "-o", run]
    let trained = try Command.run(Command.mien.path, arguments + settings)
    #expect(trained.status == 0, "\(trained.errors)")
    for file in ["recipe.yaml", "metrics.csv", "checkpoints/last.safetensors", "checkpoints/best.safetensors"] {
      #expect(FileManager.default.fileExists(atPath: run + "/" + file), "\(file)")
    }
    let again = try Command.run(Command.mien.path, arguments + settings)
    #expect(again.status == 1 && again.errors.contains("--resume"))

    let exported = try Command.mien("export", run, "-o", model, "--data", faces)
    #expect(exported.status == 0, "\(exported.errors)")
    let json = folder.file("evaluation.json")
    let evaluated = try Command.mien(
      "evaluate", "--model", model, "--data", faces, "--split", "validation", "--json", json.path)
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let report = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any])
    #expect(report["count"] as? Int == 21)
    let accuracy = try #require(report["accuracy"] as? Double)
    #expect(exported.output.contains(String(format: "fer2013 validation: %.2f%% of 21 faces", accuracy * 100)))
    let hash = try #require(report["weightsSHA256"] as? String)
    #expect(exported.output.contains(hash))
  }

  @Test func controlCLeavesARunThatResumes() throws {
    let folder = try TemporaryFolder()
    let (faces, run) = (try faces(in: folder), folder.file("run").path)
    let process = Process()
    process.executableURL = Command.mien
    process.arguments =
      ["train", try recipe(in: folder), "--data", faces, "-o", run, "--set", "epochs=100000"] + settings
    process.standardError = FileHandle.nullDevice
    try process.run()
    // The first epochs are done when the metrics are there.
    let deadline = Date().addingTimeInterval(120)
    while !FileManager.default.fileExists(atPath: run + "/metrics.csv") && Date() < deadline { usleep(20_000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
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
    while try rows() <= before && Date() < deadline { usleep(20_000) }
    resumed.interrupt()
    resumed.waitUntilExit()
    #expect(try rows() > before && resumed.terminationStatus == 0)
  }

  /// Where there is CUDA, it learns what the CPU learns, within 2 % of the loss (bf16 keeps 8 bits); else it is refused.
  @Test func cudaAgreesWithTheCPUOrIsRefused() throws {
    let folder = try TemporaryFolder()
    let (faces, recipe) = (try faces(in: folder), try recipe(in: folder))
    func train(_ device: String) throws -> Command.Outcome {
      let arguments = ["train", recipe, "--data", faces, "-o", folder.file(device).path, "--device", device]
      return try Command.run(Command.mien.path, arguments + settings)
    }
    let cuda = try train("cuda")
    guard cuda.status == 0 else {
      #expect(cuda.status == 1 && cuda.errors.contains("--device cuda") && cuda.errors.contains("LD_LIBRARY_PATH"))
      #expect(!FileManager.default.fileExists(atPath: folder.file("cuda").path))
      return
    }
    #expect(try train("cpu").status == 0)
    func losses(_ device: String) throws -> [Double] {
      try String(contentsOf: folder.file(device + "/metrics.csv"), encoding: .utf8).split(separator: "\n").dropFirst()
        .map { Double($0.split(separator: ",")[3]) ?? .nan }
    }
    #expect(try zip(losses("cpu"), losses("cuda")).allSatisfy { abs($0 - $1) < 0.02 * $0 })
  }

  @Test func wrongUseIsSaid() throws {
    let folder = try TemporaryFolder()
    let faces = try faces(in: folder)
    #expect(try Command.mien("train", "--data", faces).status == 64)
    #expect(try Command.mien("train", "a.yaml", "--data", faces, "--resume", "b").status == 64)
    let missing = try Command.mien("train", folder.file("none.yaml").path, "--data", faces)
    #expect(missing.status == 1 && missing.errors.contains("none.yaml") && missing.errors.contains("no such file"))
    let recipe = try recipe(in: folder)
    let unknown = try Command.mien("train", recipe, "--data", faces, "--set", "epocs=3")
    #expect(unknown.status != 0 && unknown.errors.contains("did you mean epochs?"))
    let noRun = try Command.mien("export", folder.file("nowhere").path, "-o", folder.file("m.onnx").path)
    #expect(noRun.status == 1 && noRun.errors.contains("is no run folder"))
  }
}
