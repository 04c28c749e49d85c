public import MienCore

/// An audit's findings, laid out for people.
public struct AuditTable: Sendable {
  private static let namesShown = 10
  private let audit: FaceSetAudit

  /// Lays out `audit`.
  public init(_ audit: FaceSetAudit) { self.audit = audit }

  /// The lines to print.
  public var lines: [String] {
    let splits = audit.classes.map { entry in
      "\(entry.counts.reduce(entry.unlabelled) { $0 + $1.count }.grouped) \(entry.split.rawValue)"
    }
    return [
      "\(Spelling.counted(audit.faces.count, "face")) of \(audit.faces.width)x\(audit.faces.height) (\(splits.joined(separator: ", ")))",
      "",
      copies, "",
      "blank pictures               \(audit.blank.count.grouped)\(rows(audit.blank))",
      "people in several splits     \(Self.people(audit))",
      "sequences in several splits  \(Self.sequences(audit))", "",
      classes,
    ]
  }

  private var copies: String {
    let columns = [audit.exactCounts] + (audit.copies == .near ? [audit.allCounts] : [])
    var table = TextTable(header: ["copies", "exact"] + (audit.copies == .near ? ["exact or near"] : []))
    func add(_ name: String, _ value: (FaceSetAudit.Counts) -> Int) {
      table.add([name] + columns.map { value($0).grouped })
    }
    add("groups", \.groups)
    add("faces in them", \.faces)
    for entry in audit.classes {
      add("copies of an earlier face in \(entry.split.rawValue)") { $0.repeated[entry.split] ?? 0 }
    }
    add("groups across splits", \.acrossSplits)
    add("groups whose labels differ", \.conflicting)
    return table.text
  }

  private var classes: String {
    var table = TextTable(header: ["classes (\(audit.faces.labelSet.name))"] + audit.classes.map(\.split.rawValue))
    for emotion in audit.faces.labelSet.emotions.sorted() {
      table.add(
        [emotion.rawValue] + audit.classes.map { ($0.counts.first { $0.emotion == emotion }?.count ?? 0).grouped })
    }
    table.add(
      ["largest to smallest"]
        + audit.classes.map { entry in
          entry.imbalance.map { NumberText.fixed($0, 1) } ?? "-"
        })
    let isLacking = audit.classes.contains { $0.imbalance == nil }
    return table.text + (isLacking ? "\n- : a class has no face in this part" : "")
  }

  private func rows(_ indices: [Int]) -> String {
    guard !indices.isEmpty else { return "" }
    let names = indices.prefix(Self.namesShown).map { "\(audit.faces[$0].sourceRow)" }
    return "  (rows \(names.joined(separator: ", "))\(indices.count > names.count ? ", …" : ""))"
  }

  /// How many people are in several splits, with the names of some; `unknown` if the set does not know people.
  static func people(_ audit: FaceSetAudit, shown: Int = namesShown) -> String {
    text(audit.faces.hasSubjects ? audit.sharedSubjects : nil, shown: shown)
  }

  /// The same of sequences.
  static func sequences(_ audit: FaceSetAudit, shown: Int = namesShown) -> String {
    text(audit.faces.hasSequences ? audit.sharedSequences : nil, shown: shown)
  }

  private static func text(_ names: [String]?, shown: Int) -> String {
    guard let names else { return "unknown" }
    guard !names.isEmpty else { return "0" }
    let first = names.prefix(shown).joined(separator: ", ")
    return "\(names.count.grouped) (\(first)\(names.count > shown ? ", …" : ""))"
  }
}
