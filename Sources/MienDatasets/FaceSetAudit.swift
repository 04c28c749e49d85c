public import MienCore

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

  /// Looks at every face of `faces`.
  ///
  /// Pairs that might be near copies are found by buckets of a hash. For a set of different faces only few pairs are
  /// compared; for one of faces that are all alike, but no near copies, it is every pair, and the time grows with the
  /// square of the set. `docs/datasets.md` has the figures.
  ///
  /// - Parameter progress: called now and then with the number of faces done; where near copies are looked for,
  ///   preparing a face counts for half of it and comparing it for the other half.
  /// - Throws: ``MienError`` where a picture cannot be resized.
  public init(_ faces: FaceSet, copies: Copies = .near, progress: (Int) -> Void = { _ in }) throws {
    self.faces = faces
    self.copies = copies
    let search = CopySearch(faces)
    let exact = search.exactGroups()
    let signatures = try search.signatures { progress(copies == .near ? $0 / 2 : $0) }
    func group(_ indices: [Int], isExact: Bool) -> Group {
      Group(
        faces: indices, isExact: isExact, isAcrossSplits: Set(indices.map(faces.split(at:))).count > 1,
        hasConflict: Set(indices.compactMap(faces.label(at:))).count > 1)
    }
    exactGroups = exact.map { group($0, isExact: true) }
    if copies == .exact {
      groups = exactGroups
    } else {
      let exactSizes = Dictionary(uniqueKeysWithValues: exact.map { ($0[0], $0.count) })
      let families = search.families(exact: exact, signatures: signatures) { progress((faces.count + $0) / 2) }
      groups = families.map { group($0, isExact: exactSizes[$0[0]] == $0.count) }
    }
    blank = signatures.indices.filter { signatures[$0].isBlank }
    let rows = (0..<faces.count).map { faces[$0] }
    sharedSubjects = Self.shared(rows.map { ($0.subject, $0.split) })
    sharedSequences = Self.shared(rows.map { ($0.sequence, $0.split) })
    classes = Split.allCases.compactMap { split in
      let labels = rows.filter { $0.split == split }.map(\.label)
      guard !labels.isEmpty else { return nil }
      let counts = faces.labelSet.emotions.map { emotion in (emotion, labels.count { $0 == emotion }) }
      let (largest, smallest) = (counts.map(\.1).max() ?? 0, counts.map(\.1).min() ?? 0)
      return ClassCounts(
        split: split, counts: counts, unlabelled: labels.count { $0 == nil },
        imbalance: smallest > 0 ? Double(largest) / Double(smallest) : nil)
    }
  }

  /// The names that stand in more than one split, sorted.
  private static func shared(_ entries: [(name: String?, split: Split)]) -> [String] {
    var splits: [String: Set<Split>] = [:]
    for case (let name?, let split) in entries { splits[name, default: []].insert(split) }
    return splits.filter { $0.value.count > 1 }.keys.sorted()
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
