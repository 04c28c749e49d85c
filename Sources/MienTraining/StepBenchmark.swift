import Foundation
import MienCore
public import MienTorch

/// Measures the parts of training a recipe's network on random faces.
@TorchActor public enum StepBenchmark {
  /// What is measured.
  public enum Part: String, CaseIterable, Sendable {
    /// Forward, backward and optimiser on one batch, again and again.
    case step
    /// Making augmented batches.
    case augmentation
    /// Whole epochs: batches, and a step on each.
    case epoch
  }

  /// Faces an epoch: as many as CK+48 has.
  private static let epochFaces = 981
  private static let warmUpSteps = 3

  /// Images a second in each of `rounds` rounds, after a warm-up.
  ///
  /// - Parameter steps: how many a round has where `part` is `step`; otherwise a round is an epoch of 981 faces.
  public static func imagesPerSecond(_ recipe: Recipe, _ part: Part = .step, rounds: Int, steps: Int) throws -> [Double]
  {
    var recipe = recipe
    (recipe.split, recipe.folds, recipe.balance, recipe.seeds) = (.init(), .init(), .init(), [])
    let faces = max(recipe.batchSize, part == .step ? 0 : epochFaces)
    let data = try TrainingData([randomFaces(faces, recipe)], recipe: recipe)
    let batches = try TrainingBatches(data, recipe: recipe)
    let train = try TrainingStep(recipe, classCounts: data.classCounts)
    let stepsPerEpoch = part == .step ? steps : data.stepsPerEpoch(recipe)
    var next = 0
    func round(_ steps: Int) throws -> Double {
      let begin = ContinuousClock.now
      for _ in 0..<steps {
        let batch = try batches.batch(part == .step ? 0 : next)
        if part != .augmentation {
          _ = try train(batch.faces, targets: batch.targets, learningRate: 0.001, step: next, seed: batch.seed)
        }
        next += 1
      }
      return Double(steps * recipe.batchSize) / ((ContinuousClock.now - begin) / .seconds(1))
    }
    _ = try round(part == .step ? warmUpSteps : stepsPerEpoch)
    return try (0..<rounds).map { _ in try round(stepsPerEpoch) }
  }

  /// Noise with labels for every head, `count` faces to train on and one to validate.
  private static func randomFaces(_ count: Int, _ recipe: Recipe) throws -> FaceSet {
    var random = SeededRandom(seed: recipe.seed)
    let size = recipe.preprocessing
    let labels = try recipe.labelSets()
    let own = labels.first { $0 != .ferplus } ?? labels[0]
    let votes = labels.contains(.ferplus)
    let rows = (0...count).map { index in
      FaceSet.Row(
        label: own.emotions[index % own.count], split: index < count ? .train : .validation,
        votes: votes ? (0..<FaceSet.voteColumns).map { $0 == index % 8 ? 10 : 0 } : nil, sourceRow: index)
    }
    return try FaceSet(
      source: "noise", labelSet: own, height: size.height, width: size.width, channels: size.channels, rows: rows,
      pixels: Data((0..<(rows.count * size.elementCount)).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
  }
}
