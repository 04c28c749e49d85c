/// A split by shares instead of the data set's own: a recipe's `split`.
///
/// With a share for validation alone, that share of the data set's own training part becomes validation, and the rest of
/// its own split stays.
public struct SplitRule: Codable, Sendable, Equatable {
  /// Share to train on, 0…1; all three 0 keep the data set's own split.
  public var train = 0.0
  /// Share to choose the model by, 0…1; of the training part if it is the only share.
  public var validation = 0.0
  /// Share to measure once, 0…1.
  public var test = 0.0
  /// What stays together.
  public var groupBy = FaceGrouping.none
  /// Whether each class has its share of each part.
  public var stratify = true
  /// Of the draw.
  public var seed: UInt64 = 1

  /// The data set's own split.
  public init() {}

  /// Whether the data set's own split is replaced.
  public var isOn: Bool { shares.contains { $0 != 0 } }
  /// Whether a share of the data set's own training part becomes validation.
  private var cutsTrain: Bool { validation != 0 && train == 0 && test == 0 }
  private var shares: [Double] { cutsTrain ? [1 - validation, validation, 0] : [train, validation, test] }

  /// What is wrong with the shares; nil where nothing is.
  public var problem: String? {
    guard isOn else { return nil }
    guard shares.allSatisfy({ (0...1).contains($0) }), shares[0] > 0, abs(shares.reduce(0, +) - 1) < 1e-6 else {
      return "shares of train, validation and test that sum to 1, train above 0 (or validation alone, below 1), found "
        + shares.map { "\($0)" }.joined(separator: ", ")
    }
    return nil
  }

  private func emptiness(_ share: Double, _ faces: Int, _ groups: Int?) -> String {
    let parts = shares.count { $0 > 0 }
    guard let groups, groups < parts else {
      return
        "its share of \(share) of \(Spelling.counted(faces, "face")) is less than one; use more faces or a larger share"
    }
    return
      "no \(groupBy.unit) is left for this part: there \(groups == 1 ? "is" : "are") \(groupBy.counted(groups)) for "
      + "\(parts) parts, and all pictures of a \(groupBy.unit) stay together; use at least \(groupBy.counted(parts))"
  }

  /// The parts of `faces`.
  ///
  /// - Throws: ``MienError`` where subjects or sequences are asked for and not known, a part that has a share stays
  ///   empty, or a class is missing from the training part.
  public func parts(of faces: [SplitFace]) throws -> FaceParts {
    let own = FaceParts(own: faces)
    guard isOn else { return own }
    let pool = cutsTrain ? own.train : Array(faces.indices)
    let members = pool.map { faces[$0] }
    let classes = stratify ? members.classes : [Int](repeating: 0, count: members.count)
    let groups = try groupBy.groups(members, key: "split.groupBy \(groupBy.rawValue)")
    let dealt =
      groups.map { Partition.grouped(groups: $0, classes: classes, shares: shares, seed: seed) }
      ?? Partition.stratified(classes: classes, shares: shares, seed: seed)
    let parts = dealt.map { part in part.map { pool[$0] } }
    for (split, (part, share)) in zip(Split.allCases, zip(parts, shares)) where share > 0 && part.isEmpty {
      throw MienError(.mismatch, "split.\(split.rawValue)", emptiness(share, pool.count, groups.map { Set($0).count }))
    }
    let lacking =
      groups == nil
      ? nil
      : "; all pictures of a \(groupBy.unit) stay together: choose another seed, or add a "
        + "\(groupBy.unit) \(groupBy == .subject ? "who" : "that") shows it"
    try faces.requireEveryClass(of: pool, in: parts[0], "split", "the training part", remedy: lacking)
    guard cutsTrain else { return FaceParts(train: parts[0], validation: parts[1], test: parts[2]) }
    return FaceParts(train: parts[0], validation: (own.validation + parts[1]).sorted(), test: own.test)
  }

  /// The rule that cuts a validation part of about a tenth from the training part of `faces`: by subject if every face
  /// has one, else by sequence, else stratified.
  ///
  /// With fewer than ten people or sequences, the share is that of one of them. A cut that leaves a class without a
  /// training face is not taken.
  ///
  /// - Throws: ``MienError`` that says how to name a split, if there is no such cut.
  public static func validationCut(of faces: [SplitFace]) throws -> SplitRule {
    let train = FaceParts(own: faces).train.map { faces[$0] }
    var problem: MienError?
    for grouping in [FaceGrouping.subject, .sequence, .none] {
      guard let groups = grouping.count(in: train), groups > 1 else { continue }
      for seed in UInt64(1)...(grouping == .none ? 1 : 10) {
        var rule = SplitRule()
        rule.validation = max(0.1, (100 / Double(groups)).rounded(.up) / 100)
        (rule.groupBy, rule.seed) = (grouping, seed)
        do {
          _ = try rule.parts(of: faces)
          return rule
        } catch let error as MienError { problem = error }
      }
    }
    throw MienError(
      .mismatch, "data",
      "there is no validation part to choose the model by, and none can be cut from the training part"
        + (problem.map { " (\($0))" } ?? "")
        + "; put some faces into a `val` folder and import them again, or name shares with the recipe's key `split`: "
        + "--set 'split={train: 0.8, validation: 0.2}'")
  }

  /// The rule in words, for a model's card.
  public var description: String {
    guard isOn else { return "own split" }
    let kind = groupBy == .none ? (stratify ? "stratified" : "random") : "by \(groupBy.rawValue)"
    guard !cutsTrain else {
      return "\(Int((validation * 100).rounded())) % of the training part for validation, \(kind), seed \(seed)"
    }
    return "\(Self.percent(shares)) % \(groupBy == .none ? "\(kind) split" : "split \(kind)"), seed \(seed)"
  }

  /// The rule in words, and what shares `parts` have if one is 5 percentage points or more from the share asked for: few
  /// people, whose pictures stay together, allow no other.
  ///
  /// - Parameter own: the parts before.
  package func description(of parts: FaceParts, before own: FaceParts) -> String {
    let counts =
      cutsTrain
      ? [parts.train.count, own.train.count - parts.train.count, 0]
      : [parts.train.count, parts.validation.count, parts.test.count]
    let total = counts.reduce(0, +)
    let found = counts.map { Double($0) / Double(max(1, total)) }
    guard isOn, total > 0, zip(found, shares).contains(where: { abs($0 - $1) >= 0.05 }) else { return description }
    return description
      + (cutsTrain
        ? "; it came out as \(Self.percent([found[1]])) %" : "; the parts came out as \(Self.percent(found)) %")
  }

  private static func percent(_ shares: [Double]) -> String {
    shares.map { String(Int(($0 * 100).rounded())) }.joined(separator: "/")
  }
}
