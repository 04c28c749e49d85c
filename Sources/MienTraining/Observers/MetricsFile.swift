import Foundation
import MienCore

/// Writes `metrics.csv`: a row an epoch. After a resume it holds the epochs of the checkpoint, no more and no fewer.
public final class MetricsFile: TrainingObserver {
  private let url: URL
  private var epochs: [EpochResult] = []

  /// Writes the file of `run`.
  public init(run: RunFolder) { url = run.metricsFile }

  /// Goes back to the epochs that earlier sessions finished.
  public func started(_ plan: TrainingPlan) throws {
    epochs = plan.history
    guard !epochs.isEmpty || FileManager.default.fileExists(atPath: url.path) else { return }
    try write()
  }

  /// Adds a row.
  public func finishedEpoch(_ result: EpochResult, isBest: Bool) throws {
    epochs.append(result)
    try write()
  }

  private func write() throws {
    let columns = epochs.first?.figures.map(\.name) ?? []
    let header = (["epoch", "step", "learning_rate"] + columns + ["seconds"]).joined(separator: ",")
    let rows = epochs.map { epoch in
      let numbers = [epoch.learningRate] + epoch.figures.map(\.value) + [epoch.seconds]
      return "\(epoch.epoch),\(epoch.step)," + numbers.map { String(format: "%.6g", $0) }.joined(separator: ",")
    }
    try AtomicFile.write(Data(([header] + rows).map { $0 + "\n" }.joined().utf8), to: url)
  }
}
