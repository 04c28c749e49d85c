import Foundation
public import MienCore
public import MienTorch

/// The runs of a recipe with `folds` or `seeds`: a run folder each, inside one that keeps their summary.
@TorchActor public final class RunSeries {
  private let folder: RunFolder
  private let sets: [FaceSet]
  private let members: [(name: String, recipe: Recipe)]

  /// A series in `folder`, begun or to be gone on with.
  ///
  /// - Throws: ``MienError`` where the recipe is for one run, or the data sets cannot be split as it says.
  public init(in folder: RunFolder, sets: [FaceSet]) throws {
    self.folder = folder
    self.sets = sets
    members = try folder.recipe.members(for: sets)
    guard !members.isEmpty else {
      throw MienError(.mismatch, folder.url.path, "its recipe is for one run: it names no folds and no seeds")
    }
  }

  /// Trains every run that is not finished yet, and writes `summary.csv` and `summary.json`.
  ///
  /// - Parameters:
  ///   - observers: makes the observers of a run.
  ///   - shouldStop: asked after each step.
  /// - Returns: nil where it was stopped; then the series can be resumed.
  /// - Throws: ``MienError`` as ``Trainer`` does, and where a finished run was trained on other data.
  public func run(
    observers: (_ run: RunFolder, _ name: String) -> [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> SeriesSummary? {
    let lock = try RunLock(folder.url)
    defer { withExtendedLifetime(lock) {} }
    var results: [(name: String, result: RunResult)] = []
    for (name, recipe) in members {
      let url = folder.url.appendingPathComponent(name)
      let isNew = !RunFolder.exists(at: url)
      let run = isNew ? try RunFolder(creating: url, recipe: recipe) : try RunFolder(opening: url)
      let result: RunResult?
      do {
        result = try Trainer.result(
          of: run, sets: sets, observers: { observers(run, name) }, shouldStop: shouldStop)
      } catch {
        // What could not begin leaves no folder behind.
        if isNew { run.abandon() }
        throw error
      }
      guard let result else { return nil }
      results.append((name, result))
    }
    let summary = SeriesSummary(results)
    try summary.write(to: folder)
    return summary
  }
}

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
    figures = (results.first?.result.figures ?? []).compactMap { name, _ in
      let values = all.compactMap { $0.figures[name] }
      guard values.count == all.count, let minimum = values.min(), let maximum = values.max() else { return nil }
      let sample = SampleStatistics(values)
      return Figure(
        name: name, mean: sample.mean, standardDeviation: sample.standardDeviation, minimum: minimum, maximum: maximum)
    }
  }

  /// A row a run, then the means and the standard deviations.
  var csv: String {
    func line(_ cells: [String]) -> String { cells.joined(separator: ",") + "\n" }
    func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    return line(["run", "epoch"] + figures.map(\.name))
      + runs.map { run in line([run.name, "\(run.epoch)"] + figures.map { number(run.figures[$0.name]) }) }.joined()
      + line(["mean", ""] + figures.map { number($0.mean) })
      + line(["sd", ""] + figures.map { number($0.standardDeviation) })
  }

  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(try encoder.encode(self), to: folder.url.appendingPathComponent("summary.json"))
    try AtomicFile.write(Data(csv.utf8), to: folder.url.appendingPathComponent("summary.csv"))
  }
}
