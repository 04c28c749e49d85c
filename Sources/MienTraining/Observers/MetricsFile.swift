import Foundation
import MienCore
public import MienRuns

/// Writes `metrics.csv`, a row per epoch, as ``RunMetrics`` reads it.
/// After a resume it holds the epochs of the checkpoint, no more and no fewer.
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

  private func write() throws { try AtomicFile.write(Data(RunMetrics.csv(epochs).utf8), to: url) }
}
