public import MienCore

/// What an import made of its source.
public struct ImportResult: Sendable {
  /// The faces that could be used, in the source's order.
  public let faces: FaceSet
  /// What could not be used.
  public let rejected: Rejections
  /// How names were understood.
  public let summary: ImportSummary
}

/// The rows or files that an import could not use: how many, and what was wrong with the first.
public struct Rejections: Sendable, Equatable {
  /// How many problems are kept in words.
  public static let shown = 100
  /// How many rows or files were left out.
  public private(set) var count = 0
  /// The first ``shown`` problems.
  public private(set) var first: [MienError] = []

  /// Counts `error`.
  mutating func add(_ error: MienError) {
    count += 1
    if first.count < Self.shown { first.append(error) }
  }

  /// An error for a source that is left without a usable row or picture (`what`).
  func nothingLeft(of source: String, _ what: String) -> MienError {
    guard let problem = first.first else { return MienError(.format, source, "has no \(what)") }
    let others = count > 1 ? "; \((count - 1).grouped) more could not be used" : ""
    return MienError(.format, source, "has no usable \(what): \(problem)\(others)")
  }
}

/// What an import understood, for its user to check: which names stand for which emotions and parts.
public struct ImportSummary: Sendable, Equatable {
  /// A name in the source, what it was taken for, and how many faces have it.
  public struct Name<Meaning: Sendable & Equatable>: Sendable, Equatable {
    /// As the source spells it.
    public let name: String
    /// What it was taken for.
    public let meaning: Meaning
    /// How many faces have it.
    public var count: Int
  }

  /// How faces got their labels, as `names of class folders`.
  public var labelling: String
  /// The classes, by name.
  public private(set) var classes: [Name<Emotion>] = []
  /// The parts, in the order train, validation, test; those without a name of their own have an empty one.
  public private(set) var parts: [Name<Split>] = []
  /// What else a user should know: files left out, empty classes.
  public var notes: [String]
  /// What a user should look at again: file names that keep others from being understood.
  public var warnings: [String]

  init(labelling: String, notes: [String] = [], warnings: [String] = []) {
    self.labelling = labelling
    self.notes = notes
    self.warnings = warnings
  }

  /// Counts a face of the class `className` in the part `partName`, as the source spells them.
  mutating func count(_ label: Emotion?, as className: String, _ split: Split, as partName: String) {
    if let label { Self.count(label, className, in: &classes) }
    Self.count(split, partName, in: &parts)
  }

  /// Notes how many of `faces` have a majority label, if there are FER+ votes.
  mutating func noteVotes(of faces: FaceSet) {
    guard faces.hasVotes else { return }
    let voted = (0..<faces.count).count { faces.votes(at: $0) != nil }
    let labelled = (0..<faces.count).count { faces.label(at: $0, .ferplus) != nil }
    let unvoted = faces.count - voted
    notes.append(
      "FER+ votes: \(labelled.grouped) of \(Spelling.counted(voted, "face")) with votes have a majority label, "
        + "\((voted - labelled).grouped) have none"
        + (unvoted > 0 ? "; \(Spelling.counted(unvoted, "face")) \(unvoted == 1 ? "has" : "have") no votes" : ""))
  }

  /// Puts names in order when all are counted.
  mutating func sort() {
    func order(_ name: String) -> (Int, String) { (ClassNames.number(name) ?? .max, name) }
    classes.sort { order($0.name) < order($1.name) }
    let splits = Split.allCases
    func position(_ split: Split) -> Int { splits.firstIndex(of: split) ?? 0 }
    parts.sort { (position($0.meaning), $0.name) < (position($1.meaning), $1.name) }
  }

  private static func count<Meaning>(_ meaning: Meaning, _ name: String, in names: inout [Name<Meaning>]) {
    if let index = names.firstIndex(where: { $0.name == name && $0.meaning == meaning }) {
      names[index].count += 1
    } else {
      names.append(Name(name: name, meaning: meaning, count: 1))
    }
  }

  /// The summary in lines, for standard error.
  ///
  /// - Parameter labels: the set's classes; those without a face are named.
  public func lines(_ labels: LabelSet) -> [String] {
    let classes = classes.map { "\($0.name) = \($0.meaning.rawValue) (\($0.count.grouped))" }
    var lines = [
      "labels (\(labels.name)) by \(labelling)" + (classes.isEmpty ? "" : ": \(classes.joined(separator: ", "))")
    ]
    if parts.contains(where: { !$0.name.isEmpty }) {
      let parts = parts.map {
        "\($0.name.isEmpty ? "the rest" : $0.name) = \($0.meaning.rawValue) (\($0.count.grouped))"
      }
      lines.append("parts: \(parts.joined(separator: ", "))")
    } else {
      lines.append("parts: none named; every face is in \(parts.first?.meaning.rawValue ?? "train")")
    }
    let empty = labels.emotions.filter { emotion in !self.classes.contains { $0.meaning == emotion } }
    if !self.classes.isEmpty, !empty.isEmpty {
      lines.append("no face shows \(empty.sorted().map(\.rawValue).joined(separator: ", "))")
    }
    return lines + notes
  }
}
