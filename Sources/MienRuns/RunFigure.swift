public import MienCore

/// A figure of a head on a part of the faces, by which epochs are chosen.
public enum RunFigure: String, Codable, Sendable, CaseIterable {
  /// Share of faces named right, the higher the better.
  case accuracy
  /// Mean recall over classes, the higher the better.
  case balancedAccuracy
  /// Cross-entropy to the hard label, the lower the better.
  case loss

  /// The figure's name in text.
  public var title: String { self == .balancedAccuracy ? "balanced accuracy" : rawValue }

  /// A score as people read it: a share as a percentage, a loss without the sign that makes less of it better.
  public func text(_ score: Double) -> String {
    self == .loss ? NumberText.fixed(abs(score), 4) : NumberText.percent(score)
  }

  fileprivate var column: String { self == .balancedAccuracy ? "balanced_accuracy" : rawValue }
}

/// A column of `metrics.csv`, and a figure of `result.json`, `summary.csv` and `trials.jsonl`, by its name.
public enum RunColumn: Sendable, Hashable {
  case epoch, step, learningRate, trainingLoss, seconds
  /// The training accuracy of a head.
  case trainingAccuracy(head: String)
  /// A figure of a head on a part.
  case figure(RunFigure, head: String, part: Split)

  /// The name in the files.
  public var name: String {
    switch self {
    case .epoch: "epoch"
    case .step: "step"
    case .learningRate: "learning_rate"
    case .trainingLoss: "train_loss"
    case .seconds: "seconds"
    case .trainingAccuracy(let head): "train_\(head)_accuracy"
    case .figure(let figure, let head, let part): "\(part.rawValue)_\(head)_\(figure.column)"
    }
  }

  /// The column of this name; nil if this version knows none.
  public init?(name: String) {
    for plain in [RunColumn.epoch, .step, .learningRate, .trainingLoss, .seconds] where plain.name == name {
      self = plain
      return
    }
    guard let part = Split.allCases.first(where: { name.hasPrefix($0.rawValue + "_") }) else { return nil }
    let rest = name.dropFirst(part.rawValue.count + 1)
    // The longest end counts: balanced_accuracy ends in accuracy.
    let figures = RunFigure.allCases.sorted { $0.column.count > $1.column.count }
    guard let figure = figures.first(where: { rest.hasSuffix("_" + $0.column) }) else { return nil }
    let head = String(rest.dropLast(figure.column.count + 1))
    guard !head.isEmpty else { return nil }
    if part == .train {
      guard figure == .accuracy else { return nil }
      self = .trainingAccuracy(head: head)
    } else {
      self = .figure(figure, head: head, part: part)
    }
  }

  /// The name for people, as `validation accuracy, ferplus`.
  public var title: String {
    switch self {
    case .trainingLoss: "training loss"
    case .trainingAccuracy(let head): "training accuracy, \(head)"
    case .figure(let figure, let head, let part): "\(part.rawValue) \(figure.title), \(head)"
    default: name.replacing("_", with: " ")
    }
  }

  /// Whether values are shares in 0…1.
  public var isShare: Bool {
    switch self {
    case .trainingAccuracy: true
    case .figure(let figure, _, _): figure != .loss
    default: false
    }
  }
}
