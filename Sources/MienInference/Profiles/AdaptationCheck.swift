/// Whether adapting to some corrections helps with others: cross-validation over the corrections.
public struct AdaptationCheck: Sendable, Equatable, Codable {
  /// How the corrections are read.
  public struct Score: Sendable, Equatable, Codable {
    /// Corrections whose most probable emotion is the corrected one.
    public let correct: Int
    /// Mean of -ln p(corrected emotion), in nats.
    public let logLoss: Double

    package init(correct: Int, logLoss: Double) {
      self.correct = correct
      self.logLoss = logLoss
    }
  }

  /// How many corrections.
  public let count: Int
  /// How many parts they were dealt into; each is read by a layer fitted to the others.
  public let folds: Int
  /// By the model as it is.
  public let before: Score
  /// By layers that have not seen the correction.
  public let after: Score

  /// Whether fewer corrections are read right than without adaptation, or as many with a log loss that is higher by more
  /// than a thousandth of a nat.
  public var isWorse: Bool {
    after.correct < before.correct || after.correct == before.correct && after.logLoss > before.logLoss + 0.001
  }

  /// Whether more corrections are read right than without adaptation.
  public var showsGain: Bool { after.correct > before.correct }

  /// Parts at most; fewer corrections are left out one by one.
  public static let maximumFolds = 10

  /// Takes scores that are known.
  package init(count: Int, folds: Int, before: Score, after: Score) {
    self.count = count
    self.folds = folds
    self.before = before
    self.after = after
  }
}
