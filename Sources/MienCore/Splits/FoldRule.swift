/// Cross-validation: a recipe's `folds`. All faces but the test part are dealt out to folds; each fold in turn chooses
/// the model that is trained on the others.
public struct FoldRule: Codable, Sendable, Equatable {
  /// How faces are dealt out.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Each class evenly; a person may stand on both sides.
    case stratified
    /// All pictures of a person in one fold, classes as evenly as that allows.
    case grouped
    /// One fold a person.
    case leaveOneSubjectOut
  }

  /// How many folds, at least 2; 0 for none, and for ``Kind/leaveOneSubjectOut``.
  public var count = 0
  /// How faces are dealt out.
  public var kind = Kind.stratified
  /// Of the draw.
  public var seed: UInt64 = 1
  /// The one fold to train, from 1; 0 for all.
  public var fold = 0

  /// No cross-validation.
  public init() {}

  /// Whether there are folds.
  public var isOn: Bool { count > 0 || kind == .leaveOneSubjectOut }

  /// What is wrong with the numbers, and in which key; nil where nothing is.
  public var problem: (key: String, expected: String)? {
    switch kind {
    case .leaveOneSubjectOut where count != 0: ("count", "0 with leaveOneSubjectOut, which makes one fold a subject")
    case .grouped where count < 2: ("count", "at least 2 with grouped")
    case .stratified where count < 0 || count == 1: ("count", "at least 2, or 0 for no folds")
    default: fold < 0 || (!isOn && fold > 0) ? ("fold", "one of the folds, from 1, or 0 for all") : nil
    }
  }

  /// The faces of `pool` in each fold, rising.
  ///
  /// - Throws: ``MienError`` where subjects are asked for and not known, there are more folds than subjects or than faces
  ///   of a class, or a class is missing from the training part of a fold.
  public func folds(of faces: [SplitFace], pool: [Int]) throws -> [[Int]] {
    let members = pool.map { faces[$0] }
    let classes = members.classes
    let found: [[Int]]
    switch kind {
    case .stratified:
      for emotion in Emotion.allCases {
        let support = members.count { $0.emotion == emotion }
        guard support == 0 || support >= count else {
          throw MienError(
            .mismatch, "folds.count \(count)", "more folds than faces of a class: \(emotion.rawValue) has \(support)")
        }
      }
      found = Partition.stratified(classes: classes, shares: equalShares, seed: seed)
    case .grouped:
      let groups = try subjects(members)
      guard Set(groups).count >= count else {
        throw MienError(.mismatch, "folds.count \(count)", "more folds than subjects: there are \(Set(groups).count)")
      }
      found = Partition.grouped(groups: groups, classes: classes, shares: equalShares, seed: seed)
    case .leaveOneSubjectOut:
      found = Partition.grouped(try subjects(members))
      guard found.count > 1 else {
        throw MienError(.mismatch, "folds.kind \(kind.rawValue)", "needs at least two subjects, found \(found.count)")
      }
    }
    let folds = found.map { $0.map { pool[$0] } }
    for (index, held) in folds.enumerated() {
      let held = Set(held)
      try faces.requireEveryClass(
        of: pool, in: pool.filter { !held.contains($0) }, "folds", "the training part of fold \(index + 1)")
    }
    return folds
  }

  /// The parts for ``fold``: it is the validation part, the other folds are trained on, and the test part stays.
  ///
  /// - Throws: ``MienError`` as ``folds(of:pool:)``, and where there is no such fold.
  public func parts(of faces: [SplitFace], from parts: FaceParts) throws -> FaceParts {
    guard isOn, fold > 0 else { return parts }
    let folds = try folds(of: faces, pool: (parts.train + parts.validation).sorted())
    guard fold <= folds.count else {
      throw MienError(.argument, "folds.fold \(fold)", "there are \(folds.count) folds")
    }
    let others = folds.indices.filter { $0 != fold - 1 }.flatMap { folds[$0] }
    return FaceParts(train: others.sorted(), validation: folds[fold - 1], test: parts.test)
  }

  private var equalShares: [Double] { [Double](repeating: 1 / Double(count), count: count) }

  private func subjects(_ faces: [SplitFace]) throws -> [Int] {
    try FaceGrouping.subject.groups(faces, key: "folds.kind \(kind.rawValue)") ?? []
  }
}
