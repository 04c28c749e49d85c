/// What is wrong with a set of faces: copies, people on both sides of a split, labels that disagree, classes out of
/// balance, blank pictures.
public struct FaceSetAudit: Sendable {
  /// Which faces count as copies of one another.
  public enum Copies: String, CaseIterable, Sendable {
    /// All pixels are equal.
    case exact
    /// Equal, or alike after equalisation and a shift of at most one pixel: the same photograph. Faces of one known
    /// subject whose labels differ are no near copies of one another.
    case near
  }

  /// Faces that are copies of one another.
  public struct Group: Sendable, Equatable {
    /// Indices into the set, ascending; at least two.
    public let faces: [Int]
    /// Whether all pixels of all faces are equal.
    public let isExact: Bool
    /// Whether the faces stand in more than one split.
    public let isAcrossSplits: Bool
    /// Whether the data set's own labels of the faces differ; a face without label agrees with any.
    public let hasConflict: Bool

    /// A group of faces of `set`.
    package init(_ faces: [Int], of set: FaceSet, isExact: Bool) {
      (self.faces, self.isExact) = (faces, isExact)
      isAcrossSplits = Set(faces.map(set.split(at:))).count > 1
      hasConflict = Set(faces.compactMap(set.label(at:))).count > 1
    }
  }

  /// How many copies there are under one meaning of the word.
  public struct Counts: Sendable, Equatable, Encodable {
    /// Groups of copies.
    public let groups: Int
    /// Faces in the groups.
    public let faces: Int
    /// Faces of a split that are copies of an earlier face of the same split.
    public let repeated: [Split: Int]
    /// Groups with faces in more than one split.
    public let acrossSplits: Int
    /// Groups whose labels differ.
    public let conflicting: Int
  }

  /// How many faces a split has of each class.
  public struct ClassCounts: Sendable {
    /// The split.
    public let split: Split
    /// Faces by class, in the label set's order.
    public let counts: [(emotion: Emotion, count: Int)]
    /// Faces without label.
    public let unlabelled: Int
    /// Faces of the largest class for each of the smallest; nil where a class has none.
    public let imbalance: Double?

    /// Counts faces.
    package init(split: Split, counts: [(emotion: Emotion, count: Int)], unlabelled: Int, imbalance: Double?) {
      (self.split, self.counts, self.unlabelled, self.imbalance) = (split, counts, unlabelled, imbalance)
    }
  }

  /// The set that was looked at.
  public let faces: FaceSet
  /// What counts as a copy in ``groups``.
  public let copies: Copies
  /// Groups of equal pictures, blank ones included.
  public let exactGroups: [Group]
  /// Groups of copies, exact or near: each holds one or more of ``exactGroups`` whole.
  public let groups: [Group]
  /// Faces of one grey, or nearly so, ascending.
  public let blank: [Int]
  /// People with faces in more than one split.
  public let sharedSubjects: [String]
  /// Sequences with faces in more than one split.
  public let sharedSequences: [String]
  /// Classes by split; splits without faces are left out.
  public let classes: [ClassCounts]

  /// Collects findings.
  package init(
    _ faces: FaceSet, copies: Copies, exactGroups: [Group], groups: [Group], blank: [Int], sharedSubjects: [String],
    sharedSequences: [String], classes: [ClassCounts]
  ) {
    (self.faces, self.copies, self.exactGroups, self.groups) = (faces, copies, exactGroups, groups)
    (self.blank, self.classes) = (blank, classes)
    (self.sharedSubjects, self.sharedSequences) = (sharedSubjects, sharedSequences)
  }

  /// Counts ``exactGroups``.
  public var exactCounts: Counts { counts(exactGroups) }

  /// Counts ``groups``.
  public var allCounts: Counts { counts(groups) }

  private func counts(_ groups: [Group]) -> Counts {
    var repeated = Dictionary(uniqueKeysWithValues: classes.map { ($0.split, 0) })
    for group in groups {
      for (split, faces) in Dictionary(grouping: group.faces, by: faces.split(at:)) {
        repeated[split, default: 0] += faces.count - 1
      }
    }
    return Counts(
      groups: groups.count, faces: groups.reduce(0) { $0 + $1.faces.count }, repeated: repeated,
      acrossSplits: groups.count(where: \.isAcrossSplits), conflicting: groups.count(where: \.hasConflict))
  }
}
