public import MienCore

extension FaceSetAudit {
  /// Looks at every face of `faces`.
  ///
  /// Pairs that might be near copies are found by buckets of a hash. For a set of different faces only few pairs are
  /// compared; for one of faces that are all alike, but no near copies, it is every pair, and the time grows with the
  /// square of the set. `docs/datasets.md` has the figures.
  ///
  /// - Parameter progress: called now and then with the number of faces done; where near copies are looked for,
  ///   preparing a face counts for half of it and comparing it for the other half.
  /// - Throws: ``MienError`` if a picture cannot be resized.
  public init(_ faces: FaceSet, copies: Copies = .near, progress: (Int) -> Void = { _ in }) throws {
    let search = CopySearch(faces)
    let exact = search.exactGroups()
    let signatures = try search.signatures { progress(copies == .near ? $0 / 2 : $0) }
    let exactGroups = exact.map { Group($0, of: faces, isExact: true) }
    var groups = exactGroups
    if copies == .near {
      let exactSizes = Dictionary(uniqueKeysWithValues: exact.map { ($0[0], $0.count) })
      let families = search.families(exact: exact, signatures: signatures) { progress((faces.count + $0) / 2) }
      groups = families.map { Group($0, of: faces, isExact: exactSizes[$0[0]] == $0.count) }
    }
    let blank = signatures.indices.filter { signatures[$0].isBlank }
    let rows = (0..<faces.count).map { faces[$0] }
    let classes = Split.allCases.compactMap { split -> ClassCounts? in
      let labels = rows.filter { $0.split == split }.map(\.label)
      guard !labels.isEmpty else { return nil }
      let counts = faces.labelSet.emotions.map { emotion in (emotion, labels.count { $0 == emotion }) }
      let (largest, smallest) = (counts.map(\.1).max() ?? 0, counts.map(\.1).min() ?? 0)
      return ClassCounts(
        split: split, counts: counts, unlabelled: labels.count { $0 == nil },
        imbalance: smallest > 0 ? Double(largest) / Double(smallest) : nil)
    }
    self.init(
      faces, copies: copies, exactGroups: exactGroups, groups: groups, blank: blank,
      sharedSubjects: Self.shared(rows.map { ($0.subject, $0.split) }),
      sharedSequences: Self.shared(rows.map { ($0.sequence, $0.split) }), classes: classes)
  }

  /// The names that stand in more than one split, sorted.
  private static func shared(_ entries: [(name: String?, split: Split)]) -> [String] {
    var splits: [String: Set<Split>] = [:]
    for case (let name?, let split) in entries { splits[name, default: []].insert(split) }
    return splits.filter { $0.value.count > 1 }.keys.sorted()
  }
}
