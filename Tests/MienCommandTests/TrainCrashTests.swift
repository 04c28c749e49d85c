import Foundation
import MienCore
import MienTestSupport
import Testing

/// Training processes that are killed, run out of disk, or meet in one folder.
@Suite(.serialized) struct TrainCrashTests {
  private let folder: TemporaryFolder
  private let faces: String
  private let recipe: String
  private static let program = Command.folder.appendingPathComponent("mien-train")
  /// Many small steps, with a checkpoint after about each of them.
  private static let settings =
    TrainingFiles.settings
    + ["batchSize=2", "epochs=\(epochs)", "checkpointEverySeconds=0.001"].flatMap { ["--set", $0] }
  private static let stepsPerEpoch = 24
  /// Enough of them that a run which waits to be killed does not end before.
  private static let epochs = 16

  init() throws {
    folder = try TemporaryFolder()
    faces = try TrainingFiles.faces(in: folder)
    recipe = try TrainingFiles.recipe(in: folder)
  }

  private func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = ["train", "--data", faces, "--threads", "1"] + arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func new(_ run: URL) -> [String] { [recipe, "-o", run.path] + Self.settings }

  private func last(_ run: URL) -> URL { run.appendingPathComponent("checkpoints/last.safetensors") }

  private func step(_ run: URL) -> Int? {
    struct Progress: Decodable { let step: Int }
    guard let json = try? SafeTensors(contentsOf: last(run)).metadata["mien.checkpoint"] else { return nil }
    return try? JSONDecoder().decode(Progress.self, from: Data(json.utf8)).step
  }

  /// Tensors of both checkpoints, and the metrics without seconds.
  private func expectEqual(_ a: URL, _ b: URL) throws {
    for name in ["last", "best"] {
      let files = try [a, b].map {
        try SafeTensors(contentsOf: $0.appendingPathComponent("checkpoints/\(name).safetensors"))
      }
      #expect(!files[0].tensors.isEmpty && files[0].tensors == files[1].tensors)
    }
    let rows = try [a, b].map { run in
      try String(contentsOf: run.appendingPathComponent("metrics.csv"), encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",").dropLast() }
    }
    #expect(rows[0].count == Self.epochs + 1 && rows[0] == rows[1])
  }

  private func wholeRun() throws -> URL {
    let run = folder.file("whole")
    let process = try start(new(run))
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return run
  }

  @Test func aKilledRunGoesOnBitForBit() throws {
    let (whole, broken) = (try wholeRun(), folder.file("broken"))
    var reached = 0
    var isWithinAnEpoch = false
    // Killed a few times, each time after some more steps, wherever it is then: in a step, or writing a file.
    for extra in [3, 30, 20] {
      let process = try start(reached == 0 ? new(broken) : ["--resume", broken.path])
      process.wait { step(broken) ?? 0 >= reached + extra }
      // The identifier of a process that has ended could be another's.
      try #require(process.isRunning)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(process.terminationReason == .uncaughtSignal)
      let found = try #require(step(broken), "the checkpoint is whole")
      #expect(found >= reached + extra && found < Self.epochs * Self.stepsPerEpoch)
      isWithinAnEpoch = isWithinAnEpoch || found % Self.stepsPerEpoch != 0
      reached = found
    }
    #expect(isWithinAnEpoch)
    let process = try start(["--resume", broken.path])
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    try expectEqual(whole, broken)
    let names = try FileManager.default.contentsOfDirectory(atPath: last(broken).deletingLastPathComponent().path)
    #expect(names.sorted() == ["best.safetensors", "last.safetensors"])
  }

  @Test func aSecondProcessIsRefused() throws {
    let run = folder.file("run")
    let process = try start(new(run) + ["--set", "epochs=100000"])
    process.wait { step(run) != nil }
    // Were it not refused, it would not end.
    let second = try Command.run(
      "/usr/bin/timeout", ["600", Command.mien.path, "train", "--resume", run.path, "--data", faces])
    #expect(second.status == 1)
    #expect(second.errors.contains("\(run.path): another process (process \(process.processIdentifier)) is training"))
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
  }

  @Test(.enabled(if: NameSpace.canMount, "needs the right to mount a file system in a name space of its own"))
  func aFullDiskLeavesTheCheckpointBefore() throws {
    let (whole, kept) = (try wholeRun(), folder.file("kept"))
    let disk = folder.file("disk")
    try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
    let script = """
      set -e
      # Room for the small files and one checkpoint, not for the next beside it.
      size=$(stat -c %s \(last(whole).path))
      mount -t tmpfs -o size=$((size * 3 / 2 + 32768)) tmpfs \(disk.path)
      run=\(disk.path)/run
      train() { \(Self.program.path) train --data \(faces) --threads 1 "$@"; }
      if train "$@" -o $run; then echo "trained on a full disk"; exit 3; fi
      before=$(sha256sum <$run/checkpoints/last.safetensors)
      if train --resume $run; then echo "trained on a full disk"; exit 3; fi
      [ "$before" = "$(sha256sum <$run/checkpoints/last.safetensors)" ] || exit 4
      mount -o remount,size=64m \(disk.path)
      train --resume $run
      cp -r $run \(kept.path)
      """
    let outcome = try Command.run(
      "/usr/bin/unshare", ["-m", "bash", "-c", script, "bash", recipe] + Self.settings)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains("No space left on device") && outcome.errors.contains("last.safetensors"))
    #expect(outcome.errors.contains("The checkpoint before it is kept"))
    try expectEqual(whole, kept)
  }
}
