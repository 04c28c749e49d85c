import Foundation
public import MienCore

/// What a finished run came to: `result.json` in its folder.
public struct RunResult: Codable, Sendable, Equatable {
  /// The best epoch.
  public var best: EpochResult
  /// Each head of the best epoch on the test part, measured once; empty where the recipe sets none aside.
  public var test: [EpochResult.Head]
  /// Epochs trained.
  public var epochs: Int
  /// Whether training ended before the recipe's last epoch.
  public var stoppedEarly: Bool
  /// What was trained on.
  public var data: [ModelCard.TrainingData]

  /// The result of `run`; nil where it is not finished.
  ///
  /// - Throws: ``MienError`` where the file is damaged.
  public init?(of run: RunFolder) throws {
    guard let data = try? Data(contentsOf: run.resultFile) else { return nil }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw MienError(.format, run.resultFile.path, "is no result of a Mien run")
    }
  }

  init(best: EpochResult, test: [EpochResult.Head], epochs: Int, stoppedEarly: Bool, data: [ModelCard.TrainingData]) {
    self.best = best
    self.test = test
    self.epochs = epochs
    self.stoppedEarly = stoppedEarly
    self.data = data
  }

  func write(to run: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(try encoder.encode(self), to: run.resultFile)
  }

  /// The figures by name, as the columns of `metrics.csv` and `test_…`.
  public var figures: [(name: String, value: Double)] {
    best.figures + test.flatMap { $0.figures(of: .test) }
  }
}

extension EpochResult {
  /// The names that ``figures`` of an epoch with these heads may have, in order.
  var columns: [String] {
    var full = self
    for head in full.heads.indices { full.heads[head].trainingAccuracy = 0 }
    return full.figures.map(\.name)
  }

  /// The losses and accuracies by name, as the columns of `metrics.csv`.
  var figures: [(name: String, value: Double)] {
    [("train_loss", trainingLoss)]
      + heads.compactMap { head in head.trainingAccuracy.map { ("train_\(head.labels)_accuracy", $0) } }
      + heads.flatMap { $0.figures(of: .validation) }
  }
}

extension [String: Double] {
  /// Figures by name; of several of one name the first.
  init(figures: [(name: String, value: Double)]) {
    self.init(figures.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}

extension EpochResult.Head {
  fileprivate func figures(of split: Split) -> [(name: String, value: Double)] {
    [("loss", loss), ("accuracy", accuracy), ("balanced_accuracy", balancedAccuracy)]
      .map { ("\(split.rawValue)_\(labels)_\($0)", $1) }
  }
}
