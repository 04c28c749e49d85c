import Foundation
import MienCore
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

@Suite(.serialized) @TorchActor struct TensorBoardTests {
  @Test func theChecksumIsCastagnolis() {
    // RFC 3720, appendix B.4, and the usual check value.
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
  }

  private nonisolated static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private nonisolated static func python(_ arguments: [String]) throws -> (status: Int32, output: Data) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = repository.appendingPathComponent(".native/python/bin/python3")
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  private nonisolated static let hasTensorBoard = (try? python(["-c", "import tensorboard"]).status) == 0

  /// What TensorBoard itself reads from a folder: values by tag and step.
  private func read(_ folder: URL) throws -> [String: [String: Double]] {
    let script = Self.repository.appendingPathComponent("scripts/golden/tensorboard_events.py").path
    let (status, output) = try Self.python([script, folder.path])
    #expect(status == 0)
    return try JSONDecoder().decode([String: [String: Double]].self, from: output)
  }

  @Test(.enabled(if: hasTensorBoard, "needs .native/python with tensorboard: make setup"))
  func tensorBoardReadsWhatWasWrittenAndForgetsWhatWasTrainedAgain() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 3)
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe)
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    struct Crash: Error {}
    /// Ends the run after some steps, without a checkpoint.
    final class Crasher: TrainingObserver {
      func stepped(_ step: StepResult) throws { if step.step == 5 { throw Crash() } }
      func finishedEpoch(_ result: EpochResult, isBest: Bool) {}
    }
    // Three steps an epoch: the checkpoint is of step 3, steps 4 and 5 are lost and trained again.
    #expect(throws: Crash.self) {
      try Trainer(run: run, sets: [set], observers: [TensorBoardEvents(run: run, everySteps: 1), Crasher()])
        .run(shouldStop: { false })
    }
    let recorder = Recorder()
    try Trainer(run: run, sets: [set], observers: [TensorBoardEvents(run: run, everySteps: 2), recorder])
      .run(shouldStop: { false })
    let files = try FileManager.default.contentsOfDirectory(atPath: run.url.path).filter { $0.hasPrefix("events.out") }
    #expect(files.count == 2)

    let values = try read(run.url)
    #expect(values["train/batch_loss"]?.keys.sorted() == ["1", "2", "3", "4", "6", "8"])
    let epochs = try #require(recorder.plan).history + recorder.epochs
    #expect(epochs.count == 3)
    for epoch in epochs {
      let step = "\(epoch.step)"
      #expect(values["train/loss"]?[step] == Double(Float(epoch.trainingLoss)))
      for head in epoch.heads {
        #expect(values["validation/\(head.labels)_accuracy"]?[step] == Double(Float(head.accuracy)))
        #expect(values["validation/\(head.labels)_loss"]?[step] == Double(Float(head.loss)))
        #expect(values["train/\(head.labels)_accuracy"]?[step] == head.trainingAccuracy.map { Double(Float($0)) })
      }
    }
    #expect(values["train/learning_rate"]?["8"] ?? 0 > 0)
  }
}
