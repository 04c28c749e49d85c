import MienCore
public import MienTorch

/// Measures the training step of a recipe on random faces, without data loading and augmentation.
@TorchActor public enum StepBenchmark {
  /// Images a second in each of `rounds` rounds of `steps` steps, after a warm-up.
  public static func imagesPerSecond(_ recipe: Recipe, rounds: Int, steps: Int) throws -> [Double] {
    let step = try TrainingStep(
      recipe, classCounts: recipe.labelSets().map { [Float](repeating: 1, count: $0.count) })
    var random = SeededRandom(seed: recipe.seed)
    let count = recipe.batchSize
    let size = recipe.preprocessing
    let faces = try Tensor(
      (0..<(count * size.elementCount)).map { _ in random.uniform() },
      shape: [count, size.channels, size.height, size.width])
    let targets = try step.network.labels.map { labels in
      var values = [Float](repeating: 0, count: count * labels.count)
      for row in 0..<count { values[row * labels.count + row % labels.count] = 1 }
      return try Tensor(values, shape: [count, labels.count])
    }
    func run(_ steps: Int) throws -> Double {
      let begin = ContinuousClock.now
      for index in 0..<steps {
        _ = try step(faces, targets: targets, learningRate: 0.01, step: index, seed: random.next())
      }
      return Double(steps * count) / ((ContinuousClock.now - begin) / .seconds(1))
    }
    _ = try run(3)
    return try (0..<rounds).map { _ in try run(steps) }
  }
}
