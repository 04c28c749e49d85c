import MienCore
import MienRuns

/// What a trial came to at a rung: a line of `trials.jsonl`.
public struct TrialRecord: Codable, Sendable, Equatable {
  /// How it ended.
  public enum Outcome: String, Codable, Sendable {
    /// It was trained as far as the rung asks.
    case trained
    /// Its loss became no number.
    case diverged
    /// Its network could not be built.
    case failed
  }

  /// The trial, from 1.
  public var trial: Int
  /// The rung, from 1.
  public var rung: Int
  /// The values by key.
  public var settings: [String: JSONValue]
  /// How it ended.
  public var outcome: Outcome
  /// Why it did not come to a score.
  public var message: String?
  /// Epochs trained so far: the most of its runs.
  public var epochs: Int
  /// What its best epoch came to by the recipe's `selection`, higher is better (a loss is negative); the mean over folds
  /// and seeds. Nil where it was not trained.
  public var score: Double?
  /// The scores' sample standard deviation over folds and seeds; nil for one run.
  public var standardDeviation: Double?
  /// The best epoch of each run.
  public var bestEpochs: [Int]
  /// Means over the runs of what the best epochs came to, by the columns of `metrics.csv`.
  public var figures: [String: Double]
  /// Seconds trained so far, over all runs.
  public var seconds: Double

  /// A trial that did not come to a score.
  init(_ outcome: Outcome, message: String, trial: Int, rung: Int, settings: [String: JSONValue]) {
    (self.trial, self.rung, self.settings, self.outcome, self.message) = (trial, rung, settings, outcome, message)
    (epochs, score, standardDeviation, bestEpochs, figures, seconds) = (0, nil, nil, [], [:], 0)
  }

  /// A trial trained to a rung.
  ///
  /// - Parameter runs: the finished epochs of each of its runs, at least one each.
  init(_ runs: [[EpochResult]], selection: Selection, trial: Int, rung: Int, settings: [String: JSONValue]) {
    (self.trial, self.rung, self.settings, outcome) = (trial, rung, settings, .trained)
    var best: [EpochResult] = []
    for epochs in runs {
      var chosen = epochs.first
      for epoch in epochs {
        if let found = chosen, selection.score(of: epoch) > selection.score(of: found) { chosen = epoch }
      }
      best += chosen.map { [$0] } ?? []
    }
    let scores = SampleStatistics(best.map(selection.score))
    score = scores.mean
    standardDeviation = scores.standardDeviation
    figures = [:]
    for (column, value) in best.flatMap(\.figures) { figures[column.name, default: 0] += value / Double(best.count) }
    bestEpochs = best.map(\.epoch)
    epochs = runs.map(\.count).max() ?? 0
    seconds = runs.reduce(0) { $0 + ($1.last?.seconds ?? 0) }
  }
}
