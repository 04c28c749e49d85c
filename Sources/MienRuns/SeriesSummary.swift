import Foundation
import MienCore

/// What the runs of a series came to, each and together: `summary.csv` and `summary.json`.
public struct SeriesSummary: Codable, Sendable, Equatable {
  /// One run.
  public struct Run: Codable, Sendable, Equatable {
    /// The name of its folder.
    public var name: String
    /// Its best epoch.
    public var epoch: Int
    /// Its figures by name.
    public var figures: [String: Double]
  }

  /// One figure over the runs.
  public struct Figure: Codable, Sendable, Equatable {
    /// Its name, as a column of `metrics.csv`.
    public var name: String
    /// The mean.
    public var mean: Double
    /// The standard deviation of the sample, with `runs - 1` in the denominator; nil for one run.
    public var standardDeviation: Double?
    /// The least.
    public var minimum: Double
    /// The greatest.
    public var maximum: Double
  }

  /// The runs in order.
  public var runs: [Run]
  /// The figures that every run has, in the order of `metrics.csv`.
  public var figures: [Figure]

  /// Sums up finished runs.
  public init(_ results: [(name: String, result: RunResult)]) {
    runs = results.map { name, result in
      Run(name: name, epoch: result.best.epoch, figures: [String: Double](figures: result.figures))
    }
    let all = runs
    figures = (results.first?.result.figures ?? []).compactMap { column, _ in
      let name = column.name
      let values = all.compactMap { $0.figures[name] }
      guard values.count == all.count, let minimum = values.min(), let maximum = values.max() else { return nil }
      let sample = SampleStatistics(values)
      return Figure(
        name: name, mean: sample.mean, standardDeviation: sample.standardDeviation, minimum: minimum, maximum: maximum)
    }
  }

  /// A row per run, then the means and the standard deviations.
  package var csv: String {
    func line(_ cells: [String]) -> String { CSVLine.text(cells, end: "\n") }
    func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    return line(["run", "epoch"] + figures.map(\.name))
      + runs.map { run in line([run.name, "\(run.epoch)"] + figures.map { number(run.figures[$0.name]) }) }.joined()
      + line(["mean", ""] + figures.map { number($0.mean) })
      + line(["sd", ""] + figures.map { number($0.standardDeviation) })
  }

  package func write(to files: RunFiles) throws {
    try AtomicFile.write(try JSONText.document(self), to: files.summary)
    try AtomicFile.write(Data(csv.utf8), to: files.summaryTable)
  }
}
