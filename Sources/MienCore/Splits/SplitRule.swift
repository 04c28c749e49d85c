/// A split by shares instead of the data set's own: a recipe's `split`.
public struct SplitRule: Codable, Sendable, Equatable {
  /// Share to train on, 0…1; all three 0 keep the data set's own split.
  public var train = 0.0
  /// Share to choose the model by, 0…1.
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
  private var shares: [Double] { [train, validation, test] }

  /// What is wrong with the shares; nil where nothing is.
  public var problem: String? {
    guard isOn else { return nil }
    guard shares.allSatisfy({ (0...1).contains($0) }), train > 0, abs(shares.reduce(0, +) - 1) < 1e-6 else {
      return "shares of train, validation and test that sum to 1, train above 0, found "
        + shares.map { "\($0)" }.joined(separator: ", ")
    }
    return nil
  }

  /// The parts of `faces`.
  ///
  /// - Throws: ``MienError`` where subjects or sequences are asked for and not known, a part that has a share stays
  ///   empty, or a class is missing from the training part.
  public func parts(of faces: [SplitFace]) throws -> FaceParts {
    guard isOn else { return FaceParts(own: faces) }
    let classes = stratify ? faces.classes : [Int](repeating: 0, count: faces.count)
    let groups = try groupBy.groups(faces, key: "split.groupBy \(groupBy.rawValue)")
    let parts =
      groups.map { Partition.grouped(groups: $0, classes: classes, shares: shares, seed: seed) }
      ?? Partition.stratified(classes: classes, shares: shares, seed: seed)
    for (split, (part, share)) in zip(Split.allCases, zip(parts, shares)) where share > 0 && part.isEmpty {
      throw MienError(.mismatch, "split.\(split.rawValue)", "a share of \(share) of \(faces.count) faces holds none")
    }
    try faces.requireEveryClass(of: Array(faces.indices), in: parts[0], "split", "the training part")
    return FaceParts(train: parts[0], validation: parts[1], test: parts[2])
  }

  /// The rule in words, for a model's card.
  public var description: String {
    guard isOn else { return "own split" }
    let kind = groupBy == .none ? (stratify ? "stratified" : "random") : "grouped by \(groupBy.rawValue)"
    let percent = shares.map { String(Int(($0 * 100).rounded())) }.joined(separator: "/")
    return "\(percent) % \(kind) split of seed \(seed)"
  }
}
