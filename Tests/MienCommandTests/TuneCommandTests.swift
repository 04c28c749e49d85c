import Foundation
import FoundationXML
import MienTestSupport
import Testing

/// `mien tune` as a user runs it.
@Suite(.serialized) struct TuneCommandTests {
  private let folder: TemporaryFolder
  private let faces: String
  private let recipe: String

  init() throws {
    folder = try TemporaryFolder()
    faces = try TrainingFiles.faces(in: folder)
    recipe = try TrainingFiles.recipe(in: folder)
  }

  private func arguments(_ name: String, _ more: [String]) -> [String] {
    ["tune", recipe, "--data", faces, "-o", folder.file(name).path, "--threads", "1"] + TrainingFiles.settings + more
  }

  private func tune(_ name: String, _ more: String...) throws -> Command.Outcome {
    try Command.run(Command.mien.path, arguments(name, more))
  }

  @Test func aSearchEndsInATableThatShowShowsAgain() throws {
    let page = folder.file("page.html").path
    let outcome = try tune(
      "search", "--search", "optimizer.learningRate=0.0001,0.05,1e30", "--search", "optimizer.gradientClip=0",
      "--report", page)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(
      lines[0].prefix(5) == ["trial", "accuracy", "state", "optimizer.learningRate", "optimizer.gradientClip"])
    #expect(lines[1].contains("finished") && lines[3].prefix(4) == ["3", "-", "diverged", "1e+30"])
    #expect(outcome.output.contains("best: trial-\(lines[1][0]), in "))
    #expect(outcome.errors.contains("trial 3 of 3: ") && outcome.errors.contains("diverged"))
    let shown = try Command.mien("tune", "show", folder.file("search").path)
    #expect(shown.status == 0 && shown.output == outcome.output)
    let script = "cd \"$0\" && exec \"$1\" tune show search"
    let typed = try Command.run("/bin/sh", ["-c", script, folder.url.path, Command.mien.path])
    #expect(typed.output.contains("best: trial-\(lines[1][0]), in search/trial-"), "\(typed)")
    let document = try XMLDocument(data: Data(contentsOf: URL(fileURLWithPath: page)))
    #expect(try document.nodes(forXPath: "//*[local-name()='svg'][@class='chart wide']").count == 4)
    // The command that the page names is the one that was given.
    let facts = try document.nodes(forXPath: "//*[local-name()='dd']").compactMap(\.stringValue)
    #expect(
      facts.contains { $0.hasPrefix("mien tune ") && $0.contains("optimizer.learningRate=0.0001,0.05,1e30") },
      "\(facts)")
    // Its run is a run like any other.
    let model = folder.file("model.onnx").path
    let exported = try Command.mien("export", folder.file("search/trial-\(lines[1][0])").path, "-o", model)
    #expect(exported.status == 0, "\(exported.errors)")
  }

  @Test func trialsBeginWithGivenWeights() throws {
    let run = folder.file("run").path
    let trained = try Command.run(
      Command.mien.path, ["train", recipe, "--data", faces, "-o", run, "--threads", "1"] + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    let tuned = try tune("fine", "--search", "optimizer.learningRate=0.001", "--init", run, "--freeze", "1")
    #expect(tuned.status == 0, "\(tuned.errors)")
    let written = try String(contentsOf: folder.file("fine/trial-1/recipe.yaml"), encoding: .utf8)
    #expect(written.contains("initialWeights: \(run)\n") && written.contains("freeze: 1\n"), "\(written)")
    #expect(written.contains("Initialised from run."), "\(written)")
    let missing = try tune("none", "--search", "optimizer.learningRate=0.001", "--init", folder.file("no").path)
    #expect(missing.status == 1 && missing.errors.contains("no such run folder or model file"), "\(missing.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("none").path))
    #expect(try tune("none", "--search", "optimizer.learningRate=0.001", "--freeze", "1").status == 64)
  }

  @Test func epochsCanBeGiven() throws {
    let outcome = try tune(
      "short", "--search", "optimizer.learningRate=0.01", "--set", "schedule.warmupEpochs=0", "--epochs", "1")
    #expect(outcome.status == 0 && outcome.errors.contains("after 1 epoch\n"), "\(outcome.errors)")
    let warm = try tune(
      "warm", "--search", "optimizer.learningRate=0.01", "--set", "schedule.warmupEpochs=1", "--epochs", "1")
    #expect(warm.status == 64 && warm.errors.contains("--epochs 1: warm-up"), "\(warm.errors)")
    #expect(try tune("none", "--search", "optimizer.learningRate=0.01", "--epochs", "0").status == 64)
  }

  /// The table's rows without the times.
  private func rows(_ name: String) throws -> [String] {
    let shown = try Command.mien("tune", "show", folder.file(name).path)
    #expect(shown.status == 0, "\(shown.errors)")
    return shown.output.split(separator: "\n").filter { $0.first?.isNumber == true }.map(String.init)
  }

  @Test func severalProcessesShareTheTrialsOfASearch() throws {
    let options = [
      "--search", "optimizer.learningRate=log:1e-3..1e-1", "--trials", "8", "--method", "halving", "--eta", "2",
      "--set", "epochs=12", "--set", "batchSize=4", "--resume",
    ]
    let alone = try Command.run(Command.mien.path, arguments("alone", options))
    #expect(alone.status == 0, "\(alone.errors)")
    let logs = try (0..<3).map { number in
      let log = folder.file("log\(number)")
      try Data().write(to: log)
      return log
    }
    let processes = try logs.map { log in
      let process = Process()
      process.executableURL = Command.folder.appendingPathComponent("mien-train")
      process.arguments = arguments("shared", options)
      process.standardError = try FileHandle(forWritingTo: log)
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      return process
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(try rows("shared") == rows("alone") && rows("alone").count == 8)
    // Each trial was trained to each rung by one of them.
    let trained = try logs.map { log in
      try String(contentsOf: log, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("trial ") }.map {
        String($0.prefix { $0 != ":" })
      }
    }
    let all = trained.flatMap(\.self)
    let records = try String(contentsOf: folder.file("shared/trials.jsonl"), encoding: .utf8).split(separator: "\n")
    #expect(Set(all).count == all.count && all.count == records.count, "\(trained)")
    #expect(trained.filter { !$0.isEmpty }.count > 1, "\(trained)")
  }

  @Test func aKilledSearchResumesToTheSameTable() throws {
    let options = [
      "--search", "optimizer.learningRate=log:1e-3..1e-1", "--trials", "4", "--method", "halving", "--eta", "2",
      "--set", "epochs=40", "--set", "batchSize=4",
    ]
    let whole = try Command.run(Command.mien.path, arguments("whole", options))
    #expect(whole.status == 0, "\(whole.errors)")
    let broken = folder.file("broken")
    let process = Process()
    process.executableURL = Command.folder.appendingPathComponent("mien-train")
    process.arguments = arguments("broken", options)
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // Within the second trial.
    let sign = broken.appendingPathComponent("trial-2/metrics.csv").path
    process.wait { FileManager.default.fileExists(atPath: sign) }
    try #require(process.isRunning)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let between = try Command.mien("tune", "show", broken.path)
    #expect(between.status == 0 && between.output.contains("not finished"), "\(between.errors)")
    let resumed = try Command.run(Command.mien.path, arguments("broken", options + ["--resume"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.replacingOccurrences(of: "broken", with: "whole") == whole.output)
  }

  @Test func wrongUseIsSaid() throws {
    #expect(try tune("a").status == 64)
    #expect(try tune("a", "--search", "batchSize=4,8", "--method", "random").status == 64)
    #expect(try tune("a", "--search", "batchSize=4,8", "--method", "grid", "--trials", "2").status == 64)
    let unknown = try tune("a", "--search", "batchSze=4,8")
    #expect(unknown.status == 64 && unknown.errors.contains("did you mean batchSize?"), "\(unknown.errors)")
    let page = folder.file("none/page.html").path
    let lost = try tune("a", "--search", "batchSize=4,8", "--report", page)
    #expect(lost.status == 1 && lost.errors.contains("\(page): cannot be written"), "\(lost.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("a").path))
    #expect(try tune("b", "--search", "batchSize=16").status == 0)
    let again = try tune("b", "--search", "batchSize=16")
    #expect(again.status == 1 && again.errors.contains("--resume"))
    let other = try tune("b", "--search", "batchSize=8", "--resume")
    #expect(other.status == 1 && other.errors.contains("another --search"), "\(other.errors)")
  }
}
