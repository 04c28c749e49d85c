public import MienCore

/// The faces of a run's data sets and the copies made of them, dealt out to parts.
package struct DealtFaces {
  /// The face that each copy is made of; copy `i` has the index `faces + i`.
  package var copies: [Int]
  /// Faces and copies to train on, to choose the model by, and to measure once.
  package var parts: FaceParts
}

extension Recipe {
  /// Deals `faces` out as `split`, `folds` and `balance` say.
  ///
  /// - Throws: ``MienError`` where they cannot be split so, before anything is trained.
  package func dealt(_ faces: [SplitFace]) throws -> DealtFaces {
    var (copied, dealt) = try pooled(faces)
    dealt.parts = try folds.parts(of: copied, from: dealt.parts)
    if balance.when == .afterSplit {
      let copies = balance.copies(of: faces, pool: dealt.parts.train)
      dealt.parts.train += copies.indices.map { faces.count + $0 }
      dealt.copies = copies
    }
    return dealt
  }

  /// The faces with the copies made before the split, and their parts before folds are made.
  private func pooled(_ faces: [SplitFace]) throws -> (faces: [SplitFace], dealt: DealtFaces) {
    let copies = balance.when == .beforeSplit ? balance.copies(of: faces, pool: Array(faces.indices)) : []
    let all = faces + copies.map { faces[$0] }
    return (all, DealtFaces(copies: copies, parts: try split.parts(of: all)))
  }

  /// The recipe without the heads that no face of `sets` has labels for; with heads for the sets' own labels if none is
  /// left.
  ///
  /// - Returns: the recipe, and what to tell about it; `nil` if all heads stay.
  public func fittingHeads(to sets: [FaceSet]) -> (recipe: Recipe, note: String?) {
    let known = Set(sets.map(\.labelSet.name) + (sets.contains(where: \.hasVotes) ? [LabelSet.ferplus.name] : []))
    var recipe = self
    recipe.heads = heads.filter { known.contains($0.labels) }
    let left = heads.map(\.labels).filter { !known.contains($0) }
    guard !left.isEmpty else { return (self, nil) }
    if recipe.heads.isEmpty {
      recipe.heads = Set(sets.map(\.labelSet.name)).sorted().map { Head(labels: $0, weight: 1) }
    }
    return (
      recipe,
      "no face has labels for the recipe's \(left.joined(separator: ", ")); trained on "
        + "\(recipe.heads.map(\.labels).joined(separator: ", ")) alone"
    )
  }

  /// The recipe with a rule that cuts a validation part from the training part, if neither it nor `sets` have one, and a
  /// line that says so.
  ///
  /// - Throws: ``MienError`` that names the key `split`, if no part can be cut.
  public func cuttingValidation(from sets: [FaceSet]) throws -> (recipe: Recipe, note: String?) {
    let faces = sets.flatMap(\.splitFaces)
    guard !split.isOn, !folds.isOn, faces.contains(where: { $0.split == .train }),
      !faces.contains(where: { $0.split == .validation })
    else { return (self, nil) }
    var recipe = self
    recipe.split = try SplitRule.validationCut(of: faces)
    let count = try recipe.split.parts(of: faces).validation.count
    let train = faces.count { $0.split == .train }
    let grouping = recipe.split.groupBy == .none ? "" : ", groupBy: \(recipe.split.groupBy.rawValue)"
    let note =
      "the data have no validation part: \(count.grouped) of \(train.grouped) training faces are set aside to choose the model by "
      + "(\(recipe.split.description)); "
      + "the run's recipe has it as split: {validation: \(recipe.split.validation)\(grouping), seed: \(recipe.split.seed)}"
    return (recipe, note)
  }

  /// Whether the recipe stands for several runs.
  public var isSeries: Bool { !seeds.isEmpty || (folds.isOn && folds.fold == 0) }

  /// Whether the run ends with a measurement of a test part that the recipe itself sets aside.
  var measuresTest: Bool { split.test > 0 || folds.isOn }

  /// The runs that the recipe stands for, by the names of their folders: `fold-1`, `seed-7`, `seed-7-fold-1`; none for a
  /// plain recipe.
  ///
  /// - Throws: ``MienError`` where the data sets cannot be split as the recipe says, for any of the runs.
  public func members(for sets: [FaceSet]) throws -> [(name: String, recipe: Recipe)] {
    let faces = sets.flatMap(\.splitFaces)
    guard isSeries else {
      _ = try dealt(faces)
      return []
    }
    var folded = [("", self)]
    if folds.isOn, folds.fold == 0 {
      let (copied, dealt) = try pooled(faces)
      let count = try folds.folds(of: copied, pool: (dealt.parts.train + dealt.parts.validation).sorted()).count
      folded = (1...count).map { fold in
        var recipe = self
        recipe.folds.fold = fold
        return ("fold-\(fold)", recipe)
      }
    }
    guard !seeds.isEmpty else { return folded }
    return seeds.flatMap { seed in
      folded.map { name, recipe in
        var recipe = recipe
        (recipe.seed, recipe.seeds) = (seed, [])
        return (["seed-\(seed)", name].filter { !$0.isEmpty }.joined(separator: "-"), recipe)
      }
    }
  }

  /// Where training and validation faces come from, in words after the name of a split; empty for data sets' own splits.
  var splitNote: String {
    var notes: [String] = []
    if split.isOn { notes.append(split.description) }
    if folds.fold > 0 {
      let count = folds.count > 0 ? " of \(folds.count)" : ""
      notes.append("fold \(folds.fold)\(count), \(folds.kind.rawValue), seed \(folds.seed)")
    }
    switch balance.when {
    case .none: break
    case .beforeSplit: notes.append("balanced by copies before the split")
    case .afterSplit: notes.append("balanced by copies")
    }
    return notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
  }
}
