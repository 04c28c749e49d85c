public import Foundation
public import MienCore

extension FaceSetAudit {
  /// The whole audit as JSON; `docs/datasets.md` describes it.
  public func json() throws -> Data {
    try JSONText.document(AuditJSON(self)) + Data("\n".utf8)
  }
}

/// The shape of `mien dataset audit --json`.
private struct AuditJSON: Encodable {
  struct Face: Encodable {
    let index: Int
    let row: Int
    let split: Split
    let label: Emotion?

    init(_ faces: FaceSet, _ index: Int) {
      let entry = faces[index]
      (self.index, row, split, label) = (index, entry.sourceRow, entry.split, entry.label)
    }
  }

  struct Group: Encodable {
    let exact: Bool
    let acrossSplits: Bool
    let conflicting: Bool
    let faces: [Face]
  }

  struct Classes: Encodable {
    let counts: [Emotion: Int]
    let unlabelled: Int
    let imbalance: Double?
  }

  let source: String
  let faces: Int
  let copies: String
  let threshold: Float?
  let exact: FaceSetAudit.Counts
  let exactOrNear: FaceSetAudit.Counts?
  let blank: [Face]
  let sharedSubjects: [String]
  let sharedSequences: [String]
  let classes: [Split: Classes]
  let groups: [Group]

  init(_ audit: FaceSetAudit) {
    source = audit.faces.info.source
    faces = audit.faces.count
    copies = audit.copies.rawValue
    threshold = audit.copies == .near ? FaceSignature.nearThreshold : nil
    exact = audit.exactCounts
    exactOrNear = audit.copies == .near ? audit.allCounts : nil
    blank = audit.blank.map { Face(audit.faces, $0) }
    sharedSubjects = audit.sharedSubjects
    sharedSequences = audit.sharedSequences
    classes = Dictionary(
      uniqueKeysWithValues: audit.classes.map { entry in
        let counts = Dictionary(uniqueKeysWithValues: entry.counts.map { ($0.emotion, $0.count) })
        return (entry.split, Classes(counts: counts, unlabelled: entry.unlabelled, imbalance: entry.imbalance))
      })
    groups = audit.groups.map { group in
      Group(
        exact: group.isExact, acrossSplits: group.isAcrossSplits, conflicting: group.hasConflict,
        faces: group.faces.map { Face(audit.faces, $0) })
    }
  }
}
