public import Foundation

/// What a search over recipe keys came to so far: what its table and page show.
public struct SearchResults: Sendable {
  /// Where a trial stands.
  public enum State: String, Sendable {
    /// It was trained to the end.
    case finished
    /// Others were better after as many epochs, and it was not trained on.
    case stopped
    /// It did not come to a score.
    case diverged, failed
    /// It is not done with, since the search was interrupted.
    case open
  }

  /// One trial.
  public struct Trial: Sendable {
    /// From 1.
    public let number: Int
    /// Its name.
    public let name: String
    /// Its run folder.
    public let folder: URL
    /// A value per key, as people write it.
    public let values: [String]
    /// Where it stands.
    public let state: State
    /// Epochs trained so far.
    public let epochs: Int
    /// The best epoch of each of its runs.
    public let bestEpochs: [Int]
    /// What the best epochs came to, higher is better: a loss is negative; nil if it was not trained.
    public let score: Double?
    /// The scores' sample standard deviation over folds and seeds; nil for one run.
    public let deviation: Double?
    /// The score after the first rung, which all trials reach; nil if there is none.
    public let firstScore: Double?
    /// Why it did not come to a score.
    public let message: String?

    /// Describes a trial.
    public init(
      number: Int, name: String, folder: URL, values: [String], state: State, epochs: Int = 0, bestEpochs: [Int] = [],
      score: Double? = nil, deviation: Double? = nil, firstScore: Double? = nil, message: String? = nil
    ) {
      (self.number, self.name, self.folder, self.values, self.state) = (number, name, folder, values, state)
      (self.epochs, self.bestEpochs, self.score, self.deviation) = (epochs, bestEpochs, score, deviation)
      (self.firstScore, self.message) = (firstScore, message)
    }
  }

  /// The recipe's name.
  public let name: String
  /// The folder of the search.
  public let folder: URL
  /// What is trained on.
  public let data: [String]
  /// How trials are chosen, in words.
  public let method: String
  /// The keys searched, with their values as they were written.
  public let keys: [(name: String, text: String)]
  /// After how many epochs trials are compared; the last is the recipe's end.
  public let rungs: [Int]
  /// What a trial's runs differ in, `folds`, `seeds` or both; empty if a trial is one run.
  public let repeats: [String]
  /// Whether nothing is left to train.
  public let isFinished: Bool
  /// What trials are compared by.
  public let figure: RunFigure
  /// The label set of the head; empty for the mean over heads.
  public let head: String
  /// Those trained furthest first, and of them the one with the best score; at the end those without one.
  public let trials: [Trial]

  /// Describes a search.
  public init(
    name: String, folder: URL, data: [String], method: String, keys: [(name: String, text: String)], rungs: [Int],
    repeats: [String] = [], isFinished: Bool, figure: RunFigure, head: String, trials: [Trial]
  ) {
    self.repeats = repeats
    (self.name, self.folder, self.data, self.method, self.keys) = (name, folder, data, method, keys)
    (self.rungs, self.isFinished, self.figure, self.head, self.trials) = (rungs, isFinished, figure, head, trials)
  }

  /// The best trial of those trained to the end; nil if there is none yet.
  public var best: Trial? { trials.first.flatMap { $0.state == .finished ? $0 : nil } }

  /// Whether a trial stands for several folds or seeds.
  package var hasSeveralRuns: Bool { !repeats.isEmpty }

  /// What a score is a mean over, as `folds and seeds`.
  package var repeated: String { repeats.joined(separator: " and ") }

  /// What a score is, as `accuracy` or `loss (fer2013)`.
  public var title: String { figure.title + (head.isEmpty ? "" : " (\(head))") }
}
