import Foundation
import MienCore
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// Runs that end between two writes, and run folders that are not this process's or this version's.
@Suite(.serialized) @TorchActor struct CrashTests {
  private struct Crash: Error {}

  /// Ends the run after an epoch, when its best weights are written and its last checkpoint is not.
  private final class Crasher: TrainingObserver {
    let epoch: Int
    init(epoch: Int) { self.epoch = epoch }
    func finishedEpoch(_ result: EpochResult, isBest: Bool) throws { if result.epoch == epoch { throw Crash() } }
  }

  private func set() throws -> FaceSet { try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation }) }

  @Test(arguments: [true, false]) func betweenBestAndLastNothingIsLostOrDoubled(metricsFirst: Bool) throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 4)
    let whole = try RunFolder(creating: folder.file("whole"), recipe: recipe)
    let recorder = Recorder()
    try Trainer(run: whole, sets: [set()], observers: [recorder, MetricsFile(run: whole)])
      .run(shouldStop: { false })
    let epoch = try #require(recorder.best.first { $0 > 1 })

    let broken = try RunFolder(creating: folder.file("broken"), recipe: recipe)
    let observers: [any TrainingObserver] = [MetricsFile(run: broken), Crasher(epoch: epoch)]
    #expect(throws: Crash.self) {
      try Trainer(run: broken, sets: [set()], observers: metricsFirst ? observers : observers.reversed())
        .run(shouldStop: { false })
    }
    #expect(try broken.metricsRows.count == (metricsFirst ? epoch + 1 : epoch))
    try Trainer(run: broken, sets: [set()], observers: [MetricsFile(run: broken)]).run(shouldStop: { false })
    #expect(try whole.checkpointTensors == broken.checkpointTensors)
    #expect(try whole.metricsRows == broken.metricsRows)
  }

  @Test func aRunThatIsBeingTrainedIsRefused() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.file("run"), recipe: DrawnFaces.recipe(epochs: 1))
    var first: Trainer? = try Trainer(run: run, sets: [set()], observers: [])
    let error = #expect(throws: MienError.self) { try Trainer(run: run, sets: [set()], observers: []) }
    #expect(error?.subject == run.url.path && error?.message.contains("(process \(getpid()))") == true)
    try first?.run(shouldStop: { false })
    first = nil
    _ = try Trainer(run: run, sets: [set()], observers: [])
  }

  @Test func aCheckpointOfAnotherVersionIsRefusedWithBothNumbers() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.file("run"), recipe: DrawnFaces.recipe(epochs: 1))
    try Trainer(run: run, sets: [set()], observers: []).run(shouldStop: { false })
    var file = try SafeTensors(contentsOf: run.lastCheckpoint)
    let key = try #require(file.metadata.keys.first)
    let json = try #require(file.metadata[key])
    // A later version may well have other keys.
    file.metadata[key] = json.replacingOccurrences(of: "\"format\":1", with: "\"format\":7")
      .replacingOccurrences(of: "\"step\"", with: "\"steps\"")
    #expect(file.metadata[key] != json)
    try file.write(to: run.lastCheckpoint)
    let error = #expect(throws: MienError.self) { try Trainer(run: run, sets: [set()], observers: []) }
    #expect(error?.subject == run.lastCheckpoint.path)
    #expect(error?.message.contains("format 7") == true && error?.message.contains("reads 1") == true)
  }

  @Test func figuresThatEarlierEpochsLackAreGapsInTheTable() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.file("run"), recipe: DrawnFaces.recipe(epochs: 2))
    let recorder = Recorder()
    // Three steps an epoch.
    try Trainer(run: run, sets: [set()], observers: [recorder]).run(shouldStop: { recorder.steps >= 3 })
    var file = try SafeTensors(contentsOf: run.lastCheckpoint)
    let key = try #require(file.metadata.keys.first)
    let json = try #require(file.metadata[key])
    file.metadata[key] = json.replacingOccurrences(of: "\"trainingAccuracy\"", with: "\"unknown\"")
    #expect(file.metadata[key] != json)
    try file.write(to: run.lastCheckpoint)
    try Trainer(run: run, sets: [set()], observers: [MetricsFile(run: run)]).run(shouldStop: { false })
    let rows = try String(contentsOf: run.metricsFile, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows.count == 3 && Set(rows.map(\.count)).count == 1, "\(rows)")
    #expect(rows[0].prefix(6).dropFirst(3) == ["train_loss", "train_ferplus_accuracy", "train_fer2013_accuracy"])
    #expect(rows[1][4].isEmpty && rows[1][5].isEmpty && !rows[2][4].isEmpty && !rows[2][5].isEmpty)
    #expect(!rows[1][6].isEmpty && rows[0].last == "seconds")
  }

  @Test func halfWrittenFilesOfAKilledProcessAreRemoved() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.file("run"), recipe: DrawnFaces.recipe(epochs: 1))
    let leftover = run.url.appendingPathComponent("checkpoints/.last.safetensors.4242.tmp")
    try Data("half".utf8).write(to: leftover)
    _ = try Trainer(run: run, sets: [set()], observers: [])
    #expect(!FileManager.default.fileExists(atPath: leftover.path))
  }
}
