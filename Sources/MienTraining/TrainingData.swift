public import MienCore
public import MienTorch

/// The faces of one or more FaceSets as tensors, with a target and a weight a head.
@TorchActor public final class TrainingData {
  /// One head's targets.
  struct Targets {
    /// `[N, K]`, each row a distribution, or zeros where a face has no target.
    let values: Tensor
    /// One factor a face; 0 where it has no target.
    let weights: [Float]
    /// The hard label a face is measured against, nil where it has none.
    let truth: [Int?]
  }

  /// What was trained on, for checkpoints and cards.
  public let origins: [ModelCard.TrainingData]
  /// Faces to train on.
  public let train: [Int]
  /// Faces to choose the model by.
  public let validation: [Int]
  private let pixels: Tensor
  let targets: [Targets]
  let labels: [LabelSet]

  /// Loads `sets` for `recipe`.
  ///
  /// FER+ heads learn the distribution of votes, other heads the set's own label; a face without a target for a head
  /// does not count in that head's loss. Faces without any target are not trained on.
  ///
  /// - Throws: ``MienError`` where sizes differ from the network's 48x48 input, no set serves a head, or the training
  ///   or validation split is empty.
  public init(_ sets: [FaceSet], recipe: Recipe) throws {
    labels = try recipe.labelSets()
    let preprocessing = recipe.preprocessing
    var bytes: [UInt8] = []
    for set in sets {
      guard set.width == preprocessing.width, set.height == preprocessing.height, set.channels == preprocessing.channels
      else {
        throw MienError(
          .mismatch, set.info.source,
          "faces of \(set.width)x\(set.height)x\(set.channels), the network takes "
            + "\(preprocessing.width)x\(preprocessing.height)x\(preprocessing.channels)")
      }
      bytes.append(contentsOf: set.pixels)
    }
    if preprocessing.equalize {
      let size = preprocessing.width * preprocessing.height
      bytes = stride(from: 0, to: bytes.count, by: size).flatMap {
        Preprocessing.equalized(Array(bytes[$0..<($0 + size)]))
      }
    }
    let count = sets.reduce(0) { $0 + $1.count }
    pixels = try Tensor(
      bytes: bytes, shape: [count, preprocessing.height, preprocessing.width, preprocessing.channels]
    )
    .permuted([0, 3, 1, 2])

    targets = try labels.map { try Self.targets($0, in: sets) }
    var splits: [Split: [Int]] = [:]
    var offset = 0
    for set in sets {
      for index in 0..<set.count { splits[set.split(at: index), default: []].append(offset + index) }
      offset += set.count
    }
    let allTargets = targets
    train = (splits[.train] ?? []).filter { face in allTargets.contains { $0.weights[face] > 0 } }
    validation = (splits[.validation] ?? []).filter { face in allTargets.contains { $0.truth[face] != nil } }
    guard !train.isEmpty else { throw MienError(.mismatch, "--data", "no face to train on: the train split is empty") }
    guard !validation.isEmpty else {
      throw MienError(.mismatch, "--data", "no face to choose the model by: the validation split is empty")
    }
    let names = labels.map(\.name)
    origins = sets.map { set in
      ModelCard.TrainingData(
        source: set.info.source, split: Split.train.rawValue, count: set.indices(in: .train).count, labels: names)
    }
  }

  private static func targets(_ labels: LabelSet, in sets: [FaceSet]) throws -> Targets {
    var values: [Float] = []
    var weights: [Float] = []
    var truth: [Int?] = []
    for set in sets {
      let source: LabelSource? = labels == .ferplus && set.hasVotes ? .ferplus : labels == set.labelSet ? .own : nil
      for index in 0..<set.count {
        let label = source.flatMap { set.label(at: index, $0) }.flatMap(labels.index)
        var target = [Float](repeating: 0, count: labels.count)
        var weight: Float = 1
        if source == .ferplus, let soft = set.votes(at: index).flatMap(FERPlus.softTarget) {
          target = soft
        } else if source == .own, let label {
          target[label] = 1
        } else {
          weight = 0
        }
        values += target
        weights.append(weight)
        truth.append(label)
      }
    }
    guard weights.contains(where: { $0 > 0 }) else {
      throw MienError(.mismatch, "--data", "no face has labels for the head \(labels.name)")
    }
    return Targets(
      values: try Tensor(values, shape: [weights.count, labels.count]), weights: weights, truth: truth)
  }

  /// How many faces to train on each class of each head has; soft targets count by their shares.
  var classCounts: [[Float]] {
    get throws { try targets.map { try $0.values.rows(Tensor(indices: train)).sum(0).floats() } }
  }

  /// The faces at `indices`, `[N, C, H, W]` in 0…1.
  func faces(_ indices: Tensor) throws -> Tensor {
    try pixels.rows(indices).cast(to: .f32).scaled(by: 1 / 255)
  }
}

extension Recipe {
  /// The input contract of the recipe's network.
  public var preprocessing: Preprocessing {
    Preprocessing(width: 48, height: 48, channels: model.channels, equalize: model.equalize)
  }
}
