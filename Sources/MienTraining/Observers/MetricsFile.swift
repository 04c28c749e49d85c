import Foundation
import MienCore

/// Writes `metrics.csv`: a row an epoch, with a column for each figure that any epoch has, empty where one lacks it.
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

  private func write() throws {
    let figures = epochs.map { [String: Double](figures: $0.figures) }
    let names: [String] = epochs.flatMap(\.columns).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    let columns = names.filter { name in figures.contains { $0[name] != nil } }
    let header = (["epoch", "step", "learning_rate"] + columns + ["seconds"]).joined(separator: ",")
    let rows = zip(epochs, figures).map { epoch, figures in
      let numbers: [Double?] = [epoch.learningRate] + columns.map { figures[$0] } + [epoch.seconds]
      let cells = numbers.map { $0.map { String(format: "%.6g", $0) } ?? "" }
      return "\(epoch.epoch),\(epoch.step)," + cells.joined(separator: ",")
    }
    try AtomicFile.write(Data(([header] + rows).map { $0 + "\n" }.joined().utf8), to: url)
  }
}
