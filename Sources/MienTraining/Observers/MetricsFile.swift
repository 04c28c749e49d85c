import Foundation
import MienCore

/// Writes `metrics.csv`: a row an epoch. After a resume, rows of epochs that are trained again are dropped.
public final class MetricsFile: TrainingObserver {
  private let url: URL

  /// Writes the file of `run`.
  public init(run: RunFolder) { url = run.metricsFile }

  /// Drops rows of epochs that will be trained again.
  public func started(_ plan: TrainingPlan) throws {
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return }
    let done = plan.firstStep / plan.stepsPerEpoch
    let kept = text.split(separator: "\n").filter { line in
      Int(line.prefix { $0 != "," }).map { $0 <= done } ?? true
    }
    try AtomicFile.write(Data(kept.map { "\($0)\n" }.joined().utf8), to: url)
  }

  /// Adds a row.
  public func finishedEpoch(_ result: EpochResult, isBest: Bool) throws {
    var text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    if text.isEmpty {
      let columns = result.heads.flatMap { head in
        ["loss", "accuracy", "balanced_accuracy"].map { "validation_\(head.labels)_\($0)" }
      }
      text = (["epoch", "step", "learning_rate", "train_loss"] + columns + ["seconds"]).joined(separator: ",") + "\n"
    }
    let values = result.heads.flatMap { [$0.loss, $0.accuracy, $0.balancedAccuracy] }
    let numbers = [result.learningRate, result.trainingLoss] + values + [result.seconds]
    text += "\(result.epoch),\(result.step)," + numbers.map { String(format: "%.6g", $0) }.joined(separator: ",") + "\n"
    try AtomicFile.write(Data(text.utf8), to: url)
  }
}
