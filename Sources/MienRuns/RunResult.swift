import Foundation
public import MienCore

/// What a finished run came to: `result.json` in its folder.
public struct RunResult: Codable, Sendable, Equatable {
  /// The best epoch.
  public var best: EpochResult
  /// Each head of the best epoch on the test part, measured once; empty if the recipe sets none aside.
  public var test: [EpochResult.Head]
  /// Epochs trained.
  public var epochs: Int
  /// Whether training ended before the recipe's last epoch.
  public var stoppedEarly: Bool
  /// What was trained on.
  public var data: [ModelCard.TrainingData]
  /// The validation faces, which ``best`` is measured on; nil in files of earlier versions.
  public var validation: [ModelCard.TrainingData]?

  /// The result in `files`; nil if the run is not finished.
  ///
  /// - Throws: ``MienError`` if the file is damaged.
  public init?(in files: RunFiles) throws {
    guard let data = try? Data(contentsOf: files.result) else { return nil }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw MienError(.format, files.result.relativePath, "is no result of a Mien run")
    }
  }

  /// Describes a finished run.
  public init(
    best: EpochResult, test: [EpochResult.Head], epochs: Int, stoppedEarly: Bool, data: [ModelCard.TrainingData],
    validation: [ModelCard.TrainingData]? = nil
  ) {
    self.best = best
    self.test = test
    self.epochs = epochs
    self.stoppedEarly = stoppedEarly
    self.data = data
    self.validation = validation
  }

  package func write(to files: RunFiles) throws {
    try AtomicFile.write(try JSONText.document(self), to: files.result)
  }

  /// The figures by name, as the columns of `metrics.csv` and `test_…`.
  public var figures: [(column: RunColumn, value: Double)] {
    best.figures + test.flatMap { $0.figures(of: .test) }
  }
}

extension EpochResult {
  /// The columns that ``figures`` of an epoch with these heads may have, in order.
  package var columns: [RunColumn] {
    var full = self
    for head in full.heads.indices { full.heads[head].trainingAccuracy = 0 }
    return full.figures.map(\.column)
  }

  /// The losses and accuracies, in the order of the columns of `metrics.csv`.
  package var figures: [(column: RunColumn, value: Double)] {
    [(.trainingLoss, trainingLoss)]
      + heads.compactMap { head in head.trainingAccuracy.map { (.trainingAccuracy(head: head.labels), $0) } }
      + heads.flatMap { $0.figures(of: .validation) }
  }
}

extension [String: Double] {
  /// Figures by the names of their columns; of several of one name the first.
  package init(figures: [(column: RunColumn, value: Double)]) {
    self.init(figures.map { ($0.column.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}

extension EpochResult.Head {
  /// The head's figures on `part`.
  package func figures(of part: Split) -> [(column: RunColumn, value: Double)] {
    [(RunFigure.loss, loss), (.accuracy, accuracy), (.balancedAccuracy, balancedAccuracy)]
      .map { (.figure($0, head: labels, part: part), $1) }
  }
}
