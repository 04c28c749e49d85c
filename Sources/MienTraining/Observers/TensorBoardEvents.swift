import Foundation
public import MienRuns

/// Writes losses, learning rates and accuracies for TensorBoard: `tensorboard --logdir RUN`.
///
/// Each session adds a file `events.out.tfevents.SECONDS.NUMBER.mien` to the run folder. After a crash, steps that are
/// trained again replace what an earlier file says of them.
public final class TensorBoardEvents: TrainingObserver {
  private let folder: URL
  private let everySteps: Int?
  private var file: EventFile?
  private var interval = 1

  /// Writes into the folder of `run`.
  ///
  /// - Parameter everySteps: steps between values of steps; nil for twenty values an epoch.
  public init(run: RunFolder, everySteps: Int? = nil) {
    folder = run.url
    self.everySteps = everySteps
  }

  /// Begins a file.
  public func started(_ plan: TrainingPlan) throws {
    interval = max(1, everySteps ?? plan.stepsPerEpoch / 20)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    // Readers take the files in the order of their names.
    let number = names.count { $0.hasPrefix("events.out.tfevents.") }
    let name = String(format: "events.out.tfevents.%010d.%04d.mien", Int(Self.now), number)
    let file = try EventFile(creating: folder.appendingPathComponent(name), seconds: Self.now)
    if plan.firstStep > 0 { try file.restart(at: plan.firstStep + 1, seconds: Self.now) }
    self.file = file
  }

  /// Adds the step's loss and learning rate, now and then.
  public func stepped(_ step: StepResult) throws {
    guard step.step % interval == 0 else { return }
    try file?.add(
      step: step.step, seconds: Self.now,
      scalars: [("train/batch_loss", step.batchLoss), ("train/learning_rate", step.learningRate)])
  }

  /// Adds what the epoch came to.
  public func finishedEpoch(_ result: EpochResult, isBest: Bool) throws {
    let heads = result.heads.flatMap { head in
      [
        ("validation/\(head.labels)_loss", head.loss), ("validation/\(head.labels)_accuracy", head.accuracy),
        ("validation/\(head.labels)_balanced_accuracy", head.balancedAccuracy),
      ] + (head.trainingAccuracy.map { [("train/\(head.labels)_accuracy", $0)] } ?? [])
    }
    try file?.add(
      step: result.step, seconds: Self.now, scalars: [("train/loss", result.trainingLoss)] + heads)
  }

  private static var now: Double { Date().timeIntervalSince1970 }
}
