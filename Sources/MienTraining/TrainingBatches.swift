import MienCore
package import MienTorch

/// The augmented batches of a run, each a function of the recipe's seed and the step alone.
///
/// Those of several steps are made at once, since a small batch costs more in calls than in work.
@TorchActor package final class TrainingBatches {
  /// What a step trains on.
  package struct Batch {
    /// `[N, C, H, W]` in 0…1.
    package let faces: Tensor
    /// `[N, K]` a head.
    package let targets: [Tensor]
    /// Of dropout.
    package let seed: UInt64
  }

  /// Faces made at once, at least.
  private static let facesAtOnce = 512

  private let data: TrainingData
  private let recipe: Recipe
  private let stepsPerEpoch: Int
  /// Which share of each batch is made, of how many.
  private let (rank, shareCount): (Int, Int)
  /// The running epoch's shuffle.
  private var order: (epoch: Int, faces: [Int])?
  private var ready: (firstStep: Int, batches: [Batch]) = (0, [])

  /// The batches of `recipe` over `data`.
  ///
  /// - Parameters:
  ///   - rank: which share of each batch is made, where several processes train together; its random numbers are its own.
  ///   - shareCount: into how many shares each batch is dealt.
  /// - Throws: ``MienCore/MienError`` where the faces of a batch cannot be dealt out evenly.
  package init(_ data: TrainingData, recipe: Recipe, share rank: Int = 0, of shareCount: Int = 1) throws {
    self.data = data
    self.recipe = recipe
    (self.rank, self.shareCount) = (rank, shareCount)
    let size = min(recipe.batchSize, data.train.count)
    guard size.isMultiple(of: shareCount) else {
      throw MienError(
        .argument, "batchSize \(size)", "cannot be dealt out evenly to \(shareCount) processes; choose a multiple of it"
      )
    }
    stepsPerEpoch = data.stepsPerEpoch(recipe)
  }

  /// The batch of a step.
  package func batch(_ step: Int) throws -> Batch {
    if !ready.batches.indices.contains(step - ready.firstStep) {
      ready = (step, [])
      ready = (step, try make(from: step))
    }
    return ready.batches[step - ready.firstStep]
  }

  /// The batches of `step` and as many further ones of its epoch as are worth making at once.
  private func make(from step: Int) throws -> [Batch] {
    let (epoch, index) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    if epoch != order?.epoch {
      var random = SeededRandom(seed: recipe.seed, stream: 1 << 32 | UInt64(epoch))
      order = (epoch, data.train.shuffled(using: &random))
    }
    let size = min(recipe.batchSize, data.train.count)
    let count = min(stepsPerEpoch - index, (Self.facesAtOnce + size - 1) / size)
    let share = size / shareCount
    let chosen = (0..<count).flatMap { batch in
      order?.faces.dropFirst((index + batch) * size + rank * share).prefix(share) ?? []
    }
    let indices = try Tensor(indices: chosen)
    var randoms = (step..<(step + count)).map {
      SeededRandom(seed: recipe.seed, stream: UInt64(rank) << 42 | 1 << 40 | UInt64($0))
    }
    let faces = try recipe.augmentation.apply(
      data.faces(indices), randoms: &randoms, side: recipe.progressive.side(inEpoch: epoch, of: recipe.epochs))
    let targets = try data.targets.map { try $0.values.rows(indices) }
    return try randoms.indices.map { batch in
      let rows = (batch * share)..<((batch + 1) * share)
      let noisy = try recipe.augmentation.addNoise(to: faces.rows(rows), random: &randoms[batch])
      let mixed = try recipe.augmentation.mix(
        noisy, targets: targets.map { try $0.rows(rows) }, random: &randoms[batch])
      return Batch(faces: mixed.faces, targets: mixed.targets, seed: randoms[batch].next())
    }
  }
}

extension TrainingData {
  /// Whole batches an epoch; one where there are fewer faces than a batch holds.
  func stepsPerEpoch(_ recipe: Recipe) -> Int { max(1, train.count / recipe.batchSize) }
}
