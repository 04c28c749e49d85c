import MienCore
public import MienRuns

/// Which epoch's weights are kept: a recipe's `selection`.
public struct Selection: Codable, Sendable, Equatable {
  /// A figure of a head on the validation part.
  public typealias Metric = RunFigure

  /// The figure.
  public var metric = Metric.accuracy
  /// The label set of the head; empty for the mean over heads.
  public var head = ""
  /// Whether the last epoch is kept instead, whatever its figures: then the validation part chooses nothing, and what is
  /// measured on it is as good as what is measured on a test part.
  public var last = false

  /// The mean of the heads' accuracies.
  public init() {}

  /// Whether `result` is to be kept rather than `best`, the one kept so far.
  func prefers(_ result: EpochResult, to best: EpochResult?) -> Bool {
    last || best.map { score(of: result) > score(of: $0) } ?? true
  }

  /// What an epoch came to, higher is better: a loss is negative.
  public func score(of result: EpochResult) -> Double {
    let heads = result.heads.filter { head.isEmpty || $0.labels == head }
    let values = heads.map { head in
      switch metric {
      case .accuracy: head.accuracy
      case .balancedAccuracy: head.balancedAccuracy
      case .loss: -head.loss
      }
    }
    return values.reduce(0, +) / Double(max(1, values.count))
  }

  func validate(_ places: RecipePlaces, key: String, heads: [Recipe.Head]) throws {
    let names = heads.map(\.labels)
    try places.require(
      head.isEmpty || names.contains(head), "\(key).head", "one of \(names.joined(separator: ", ")), or empty for all")
  }
}

/// When training ends before its last epoch: a recipe's `earlyStopping`.
public struct EarlyStopping: Codable, Sendable, Equatable {
  /// The figure that must get better.
  public enum Metric: String, Codable, Sendable, CaseIterable {
    /// That of the recipe's `selection`.
    case selection
    /// See ``Selection/Metric``.
    case accuracy, balancedAccuracy, loss
  }

  /// Epochs in a row without a better figure that end training; 0 for never.
  public var patience = 0
  /// By how much a figure must be better than the best before.
  public var minimumDelta = 0.0
  /// The figure.
  public var metric = Metric.selection
  /// The label set of the head, where `metric` is not `selection`; empty for the mean over heads.
  public var head = ""

  /// Training goes to its last epoch.
  public init() {}

  /// Whether `epochs`, all so far, end in enough of them without a better figure.
  package func ends(after epochs: [EpochResult], selection: Selection) -> Bool {
    guard patience > 0 else { return false }
    let measure = measure(selection)
    var (best, waited) = (-Double.infinity, 0)
    for score in epochs.map(measure.score) {
      if score > best + minimumDelta {
        (best, waited) = (score, 0)
      } else {
        waited += 1
      }
    }
    return waited >= patience
  }

  private func measure(_ selection: Selection) -> Selection {
    guard let own = Selection.Metric(rawValue: metric.rawValue) else { return selection }
    var measure = Selection()
    (measure.metric, measure.head) = (own, head)
    return measure
  }

  func validate(_ places: RecipePlaces, heads: [Recipe.Head]) throws {
    try places.require(patience >= 0, "earlyStopping.patience", "at least 0")
    try places.require(minimumDelta >= 0, "earlyStopping.minimumDelta", "at least 0")
    try places.require(
      head.isEmpty || metric != .selection, "earlyStopping.head", "empty where earlyStopping.metric is selection")
    try measure(Selection()).validate(places, key: "earlyStopping", heads: heads)
  }
}
