public import Foundation
public import MienCore

/// The figures of one measurement of a published system: `reproduction.json` in its folder.
public struct ReproductionSummary: Codable, Sendable, Equatable {
  /// One run.
  public struct Run: Codable, Sendable, Equatable {
    /// The name of its folder within the measurement's; empty where it is that folder.
    public var name: String
    /// Of its weights and batches.
    public var seed: UInt64
    /// Epochs trained.
    public var epochs: Int
    /// The epoch that was kept.
    public var bestEpoch: Int
    /// Time spent training.
    public var seconds: Double
    /// Faces measured.
    public var count: Int
    /// On the measured part, 0…1.
    public var accuracy: Double
    /// On the measured part, 0…1.
    public var balancedAccuracy: Double
    /// On the measured part, nats a face.
    public var loss: Double
    /// On the part that chose the epoch, nats a face.
    public var validationLoss: Double
    /// In the epoch that was kept, 0…1.
    public var trainingAccuracy: Double?
    /// In the epoch that was kept.
    public var trainingLoss: Double
    /// On the data set's test split, where that is there and not the measured part.
    public var testAccuracy: Double?

    package init(
      name: String, seed: UInt64, epochs: Int, bestEpoch: Int, seconds: Double, count: Int, accuracy: Double,
      balancedAccuracy: Double, loss: Double, validationLoss: Double, trainingAccuracy: Double?, trainingLoss: Double,
      testAccuracy: Double?
    ) {
      (self.name, self.seed, self.epochs, self.bestEpoch, self.seconds) = (name, seed, epochs, bestEpoch, seconds)
      (self.count, self.accuracy, self.balancedAccuracy, self.loss) = (count, accuracy, balancedAccuracy, loss)
      (self.validationLoss, self.trainingAccuracy) = (validationLoss, trainingAccuracy)
      (self.trainingLoss, self.testAccuracy) = (trainingLoss, testAccuracy)
    }
  }

  /// Less training than the protocol asks for. Figures of it are no measurement of the system.
  public struct QuickLook: Codable, Sendable, Equatable {
    /// Epochs per run at most; nil for the recipe's.
    public var epochs: Int?
    /// Those of the recipe.
    public var recipeEpochs: Int
    /// Folds or seeds; nil for the protocol's.
    public var folds: Int?
    /// Those of the protocol.
    public var protocolFolds: Int

    /// Describes less training; nil if it is all that the protocol asks for.
    ///
    /// - Parameters:
    ///   - epochs: the most epochs asked for; nil for the recipe's.
    ///   - folds: the folds or seeds asked for; nil for the protocol's.
    public init?(epochs: Int?, recipeEpochs: Int, folds: Int?, protocol repeats: PublishedSystem.Repeats) {
      self.epochs = epochs.flatMap { $0 < recipeEpochs ? $0 : nil }
      self.recipeEpochs = recipeEpochs
      self.folds = repeats == .once ? nil : folds.flatMap { $0 == repeats.count ? nil : $0 }
      protocolFolds = repeats.count
      if self.epochs == nil && self.folds == nil { return nil }
    }

    /// `3 of 200 epochs, 2 of 5 runs`.
    public var text: String {
      [epochs.map { "\($0) of \(recipeEpochs) epochs" }, folds.map { "\($0) instead of \(protocolFolds) runs" }]
        .compactMap(\.self).joined(separator: ", ")
    }

    /// The options that ask for it.
    public var options: String {
      [epochs.map { "--epochs \($0)" }, folds.map { "--folds \($0)" }].compactMap(\.self).joined(separator: " ")
    }

    /// What the folder of the measurement has at the end of its name.
    package var suffix: String {
      ".quick" + (epochs.map { "-\($0)-epochs" } ?? "") + (folds.map { "-\($0)-runs" } ?? "")
    }
  }

  /// The system's name.
  public var system: String
  /// The measurement's name.
  public var measurement: String
  /// The runs in order.
  public var runs: [Run]
  /// The run of least validation loss, which stands for the others.
  public var standing: String
  /// That run on the measured part; over seeds, whose parts differ, all runs together.
  public var evaluation: EvaluationReport
  /// How many of the measured faces are pictures that were trained on: alike to the last pixel, or copies that balancing
  /// made of one. Nil in files of earlier versions.
  public var copies: Int?
  /// The accuracy on the others; nil if there are none.
  public var accuracyWithoutCopies: Double?
  /// How much less was trained than the protocol asks for; nil if nothing less.
  public var quickLook: QuickLook?

  /// The run that stands for the others.
  public var standingRun: Run? { runs.first { $0.name == standing } }
  /// The time of all runs together.
  public var seconds: Double { runs.reduce(0) { $0 + $1.seconds } }

  /// Mean and, over more than one run, sample standard deviation of the accuracies.
  public var accuracy: (mean: Double, deviation: Double?) {
    let sample = SampleStatistics(runs.map(\.accuracy))
    return (sample.mean, sample.standardDeviation)
  }

  /// The value measured for a paper's figure; nil where it was not measured.
  public func value(of measure: PublishedSystem.Measure) -> Double? {
    switch measure {
    case .accuracy: evaluation.accuracy
    case .loss: evaluation.loss
    case .trainingAccuracy: standingRun?.trainingAccuracy
    case .trainingLoss: standingRun?.trainingLoss
    case .recall(let emotion): evaluation.perClass[emotion]?.recall
    case .f1(let emotion): evaluation.perClass[emotion]?.f1
    }
  }

  /// The figures kept in `folder`; nil if it is not finished.
  ///
  /// - Throws: ``MienError`` if the file is damaged.
  public init?(in folder: URL) throws {
    let file = RunFiles(folder).reproduction
    guard let data = try? Data(contentsOf: file) else { return nil }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw MienError(.format, file.relativePath, "holds no figures of a reproduction")
    }
  }

  package init(
    system: String, measurement: String, runs: [Run], standing: String, evaluation: EvaluationReport, copies: Int,
    accuracyWithoutCopies: Double?, quickLook: QuickLook?
  ) {
    (self.system, self.measurement, self.runs) = (system, measurement, runs)
    (self.standing, self.evaluation) = (standing, evaluation)
    (self.copies, self.accuracyWithoutCopies) = (copies, accuracyWithoutCopies)
    self.quickLook = quickLook
  }

  package func write(to folder: URL) throws {
    try AtomicFile.write(try JSONText.document(self), to: RunFiles(folder).reproduction)
  }
}
