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
  /// What the best epoch is chosen by, likewise.
  public let selectionOrigins: [ModelCard.TrainingData]
  /// Faces to train on.
  public let train: [Int]
  /// Faces to choose the model by.
  public let validation: [Int]
  /// Faces to measure once.
  public let test: [Int]
  /// What a user should know of how the data were prepared.
  let notes: [String]
  private let pixels: Tensor
  /// The face that each copy is made of.
  private let copies: [Int]
  let targets: [Targets]
  let labels: [LabelSet]

  /// Loads `sets` for `recipe`, split and balanced as it says.
  ///
  /// FER+ heads learn the distribution of votes, other heads the set's own label; a face without a target for a head
  /// does not count in that head's loss. Faces without any target are not trained on.
  ///
  /// - Throws: ``MienError`` where sizes differ from the network's 48x48 input, no set serves a head, the faces cannot be
  ///   split as the recipe says, or the training or validation part is empty or has no face for one of the heads.
  public init(_ sets: [FaceSet], recipe: Recipe) throws {
    labels = try recipe.labelSets()
    let preprocessing = recipe.preprocessing
    let sources = sets.map(\.info.source).joined(separator: ", ")
    let dealt = try recipe.dealt(sets.flatMap(\.splitFaces))
    var bytes: [UInt8] = []
    for set in sets {
      try preprocessing.checkSize(of: set, for: "the network")
      bytes += preprocessing.bytes(Array(set.pixels), sourceChannels: set.channels)
    }
    bytes += try recipe.balance.pixels(of: dealt.copies, in: bytes, preprocessing: preprocessing)
    if preprocessing.equalize {
      let size = preprocessing.width * preprocessing.height
      bytes = stride(from: 0, to: bytes.count, by: size).flatMap {
        Preprocessing.equalized(Array(bytes[$0..<($0 + size)]))
      }
    }
    let count = sets.reduce(0) { $0 + $1.count } + dealt.copies.count
    copies = dealt.copies
    pixels = try Tensor(
      bytes: bytes, shape: [count, preprocessing.height, preprocessing.width, preprocessing.channels]
    )
    .permuted([0, 3, 1, 2])

    targets = try labels.map { try Self.targets($0, in: sets, copies: dealt.copies) }
    let allTargets = targets
    var first = 0
    for set in sets {
      let places = first..<(first + set.count)
      first = places.upperBound
      guard places.contains(where: { face in allTargets.contains { $0.weights[face] > 0 } }) else {
        throw MienError(
          .mismatch, set.info.source,
          "no face has a label for a head of the recipe (\(labels.map(\.name).joined(separator: ", "))); "
            + "its own are \(set.labelSet.name)")
      }
    }
    func labelled(_ part: [Int]) -> [Int] { part.filter { face in allTargets.contains { $0.truth[face] != nil } } }
    train = dealt.parts.train.filter { face in allTargets.contains { $0.weights[face] > 0 } }
    validation = labelled(dealt.parts.validation)
    test = labelled(dealt.parts.test)
    guard !train.isEmpty else { throw MienError(.mismatch, sources, "no face to train on: the train split is empty") }
    guard !validation.isEmpty else {
      throw MienError(
        .mismatch, sources,
        "no face to choose the model by: the validation split is empty; add --set 'split={train: 0.8, validation: 0.2}', "
          + "or train in folds")
    }
    for (head, target) in zip(labels, allTargets) {
      guard train.contains(where: { target.weights[$0] > 0 }) else {
        throw MienError(
          .mismatch, sources, "no face to train the head \(head.name) on: none of the train split has its labels")
      }
      guard validation.contains(where: { target.truth[$0] != nil }) else {
        throw MienError(
          .mismatch, sources,
          "no face to choose the model by for the head \(head.name): none of the validation split has its labels")
      }
    }
    origins = try recipe.origins(of: sets, dealt: dealt)
    selectionOrigins = try recipe.origins(of: sets, dealt: dealt, split: .validation)
    var notes = recipe.balance.notes(copies: dealt.copies.count)
    let known = Self.count(of: validation, among: train, in: sets, copies: dealt.copies)
    if known > 0 {
      notes.append(
        "\(known.grouped) of \(Spelling.counted(validation.count, "validation face")) "
          + (known == 1 ? "is a picture that is" : "are pictures that are")
          + " also trained on, which makes the accuracy too high; `mien dataset audit` finds them")
    }
    self.notes = notes
  }

  /// How many of the faces `part` have the very pixels of one of the faces `others`, or are copies of one.
  private static func count(of part: [Int], among others: [Int], in sets: [FaceSet], copies: [Int]) -> Int {
    let own = sets.flatMap { set in (0..<set.count).map { set.pictureHash(at: $0) } }
    let hashes = own + copies.map { own[$0] }
    let known = Set(others.lazy.map { hashes[$0] })
    return part.count { known.contains(hashes[$0]) }
  }

  /// The face itself, or the one that it is a copy of.
  func original(_ face: Int) -> Int {
    let first = targets[0].truth.count - copies.count
    return face < first ? face : copies[face - first]
  }

  /// The targets of all faces, then those of `copies`.
  private static func targets(_ labels: LabelSet, in sets: [FaceSet], copies: [Int]) throws -> Targets {
    var values: [Float] = []
    var weights: [Float] = []
    var truth: [Int?] = []
    for set in sets {
      let source: LabelSource? = labels == .ferplus && set.hasVotes ? .ferplus : labels == set.labelSet ? .own : nil
      for index in 0..<set.count {
        let target = set.target(at: index, labels)
        values += target ?? [Float](repeating: 0, count: labels.count)
        weights.append(target == nil ? 0 : 1)
        truth.append(source.flatMap { set.label(at: index, $0) }.flatMap(labels.index))
      }
    }
    for face in copies {
      values += values[(face * labels.count)..<((face + 1) * labels.count)]
      weights.append(weights[face])
      truth.append(truth[face])
    }
    guard weights.contains(where: { $0 > 0 }) else {
      let own = sets.flatMap { [$0.labelSet.name] + ($0.hasVotes ? [LabelSet.ferplus.name] : []) }
      let known = own.enumerated().filter { !own[..<$0].contains($1) }.map(\.element)
      throw MienError(
        .mismatch, sets.map(\.info.source).joined(separator: ", "),
        "no face has labels for the head \(labels.name), which the recipe trains; there are labels of "
          + "\(known.joined(separator: " and ")): add --set 'heads=[{labels: \(known.first ?? "fer2013")}]'")
    }
    return Targets(
      values: try Tensor(values, shape: [weights.count, labels.count]), weights: weights, truth: truth)
  }

  /// How many faces to train on each class of each head has; soft targets count by their shares.
  package var classCounts: [[Float]] {
    get throws { try targets.map { try $0.values.rows(Tensor(indices: train)).sum(0).floats() } }
  }

  /// At most 512 training faces, evenly spread, `[N, C, H, W]` in 0…1.
  func sample() throws -> Tensor {
    try faces(Tensor(indices: stride(from: 0, to: train.count, by: (train.count + 511) / 512).map { train[$0] }))
  }

  /// The faces at `indices`, `[N, C, H, W]` in 0…1.
  func faces(_ indices: Tensor) throws -> Tensor {
    try pixels.rows(indices).scaledLikeInput()
  }
}

extension Tensor {
  /// 8-bit pixels in 0…1, by the arithmetic of ``MienCore/Preprocessing/scaled(_:)``: a true division, where a factor of
  /// 1 / 255 would round half of the values otherwise.
  func scaledLikeInput() throws -> Tensor { try cast(to: .f32).divided(by: .full([1], 255)) }
}

extension Recipe {
  /// The faces of a part, an entry per set, copies not counted: by default those trained on, with the shares of their
  /// classes.
  func origins(
    of sets: [FaceSet], dealt: DealtFaces, split: Split = .train
  ) throws -> [ModelCard.TrainingData] {
    let labels = try labelSets()
    var offset = 0
    let part =
      switch split {
      case .train: dealt.parts.train
      case .validation: dealt.parts.validation
      case .test: dealt.parts.test
      }
    return sets.map { set in
      let range = offset..<(offset + set.count)
      offset += set.count
      // Faces made by balancing are no pictures of the set.
      let faces = part.filter(range.contains).map { $0 - range.lowerBound }
      return ModelCard.TrainingData(
        source: set.info.source, split: split.rawValue + splitNote, count: faces.count, labels: heads.map(\.labels),
        classShares: split == .train ? set.classShares(of: labels, among: faces) : nil,
        picturesHash: set.picturesHash(of: faces), picturesSample: set.picturesSample(of: faces))
    }
  }

  /// The input contract of the recipe's network.
  public var preprocessing: Preprocessing {
    Preprocessing(width: 48, height: 48, channels: model.channels, equalize: model.equalize)
  }
}
