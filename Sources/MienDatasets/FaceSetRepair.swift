public import MienCore

/// Which faces of an audited set to leave out, by rules that need no one to look:
///
/// 1. blank pictures are left out;
/// 2. where the labels of a group of exact copies differ, those that more than half of its labelled faces share win and
///    the others are left out; without such a majority the whole group is left out. Near copies may show another
///    moment, so theirs stand;
/// 3. of what remains of a group, near copies included, only the faces of one split stay: the test split's, else the
///    validation split's. So the parts that measure keep their faces and training gives up its copies of them;
/// 4. of copies within a split the first stays.
///
/// People on both sides of a split stay where they are: cut by subject instead.
public struct FaceSetRepair: Sendable {
  /// Why a face is left out.
  public enum Reason: String, CaseIterable, Sendable {
    /// The picture is of one grey, or nearly.
    case blank = "blank"
    /// Exact copies of it have another label.
    case conflict = "label differs among exact copies"
    /// A copy of it stands in a split that measures.
    case otherSplit = "copy of a face in another split"
    /// An earlier face of its split is a copy of it.
    case sameSplit = "copy of an earlier face"

    /// The reason of `count` faces, as `2 copies of earlier faces` goes on after the number.
    package func words(_ count: Int) -> String {
      guard count != 1 else { return rawValue }
      return switch self {
      case .blank: "blank"
      case .conflict: "whose labels differ among exact copies"
      case .otherSplit: "copies of faces in another split"
      case .sameSplit: "copies of earlier faces"
      }
    }
  }

  /// The faces that stay, ascending.
  public let kept: [Int]
  /// Why each of the others goes, by index.
  public let removed: [Int: Reason]
  private let faces: FaceSet
  private let copies: FaceSetAudit.Copies

  /// Applies the rules to an audit's findings.
  public init(_ audit: FaceSetAudit) {
    faces = audit.faces
    copies = audit.copies
    var removed = Dictionary(uniqueKeysWithValues: audit.blank.map { ($0, Reason.blank) })
    for group in audit.exactGroups where group.hasConflict {
      let rest = group.faces.filter { removed[$0] == nil }
      let labels = rest.compactMap(audit.faces.label(at:))
      let winner = Dictionary(grouping: labels, by: \.self).first { $0.value.count * 2 > labels.count }?.key
      for index in rest {
        let label = audit.faces.label(at: index)
        if winner == nil || label != nil && label != winner { removed[index] = .conflict }
      }
    }
    for group in audit.groups {
      var rest = group.faces.filter { removed[$0] == nil }
      func leaveOut(_ reason: Reason, where condition: (Int) -> Bool) {
        for index in rest where condition(index) { removed[index] = reason }
        rest.removeAll(where: condition)
      }
      let splits = Set(rest.map(audit.faces.split(at:)))
      guard let stays = [Split.test, .validation, .train].first(where: splits.contains) else { continue }
      leaveOut(.otherSplit) { audit.faces.split(at: $0) != stays }
      let first = rest.first
      leaveOut(.sameSplit) { $0 != first }
    }
    self.removed = removed
    kept = (0..<audit.faces.count).filter { removed[$0] == nil }
  }

  /// How many faces are left out for `reason`.
  public func count(_ reason: Reason) -> Int { removed.values.count { $0 == reason } }

  /// The set without the faces left out. Its history says what was done.
  ///
  /// - Throws: ``MienError`` where no face would stay.
  public func cleaned() throws -> FaceSet {
    guard !kept.isEmpty else { throw MienError(.mismatch, faces.info.source, "no face would be left") }
    let reasons = Reason.allCases.map { "\(count($0).grouped) \($0.words(count($0)))" }.joined(separator: ", ")
    return try faces.selecting(
      kept,
      step:
        "audit --fix (copies \(copies.rawValue)): \(removed.count.grouped) of \(faces.count.grouped) faces left out: \(reasons)"
    )
  }
}
