import Foundation
import MienCore

/// The rows of FER2013's CSV as they are collected.
struct FER2013Rows {
  private let name: String
  private let classes: ClassNames
  /// Whether the meaning of numbers was given, and is not FER2013's own.
  private let isGiven: Bool
  /// The part that the file is named for; nil for none.
  let part: Split?
  /// Whether the file has a column of usages, and one of labels.
  var (hasUsages, hasLabels) = (true, true)
  /// The pixels of the row that is being read.
  var face = [UInt8](repeating: 0, count: FER2013Importer.side * FER2013Importer.side)
  /// How many rows were read, bad ones among them.
  var sourceRow = 0
  /// The rows that can be used.
  private(set) var rows: [FaceSet.Row] = []
  /// The rows that cannot.
  var rejected = Rejections()
  private var pixels = Data()
  private var summary: ImportSummary
  /// What texts of labels mean, since most rows repeat them.
  private var known: [String: Emotion] = [:]
  private var labelText = ""

  init(name: String, classes: ClassNames?, part: Split?) {
    self.name = name
    self.part = part
    self.classes = classes ?? .fer2013
    isGiven = classes != nil
    summary = ImportSummary(labelling: "the column emotion")
  }

  /// The emotion that a row's label stands for.
  ///
  /// - Throws: what `refuse` makes of a label that stands for none.
  mutating func label(_ text: String, _ refuse: (String) -> MienError) throws -> Emotion {
    labelText = text
    if let emotion = known[text] { return emotion }
    // Tools that allow for missing numbers write whole ones as 3.0.
    let name = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    guard let emotion = classes.emotion(name) ?? Emotion(spelling: name) else {
      guard !isGiven else { throw refuse("\(classes.source) gives no meaning to the label `\(text)`") }
      let last = LabelSet.fer2013.count - 1
      let hint =
        name == "7"
        ? "; 7 is contempt in CK+'s CSV of this layout (ckextended.csv): if this is one, add --classes ckextended" : ""
      throw refuse("expected a label of 0 to \(last), found `\(text)`\(hint)")
    }
    known[text] = emotion
    return emotion
  }

  /// Adds the row whose pixels are in ``face``.
  mutating func add(_ label: Emotion?, _ split: Split, _ usage: String, votes: [UInt8]?) {
    pixels.append(contentsOf: face)
    rows.append(.init(label: label, split: split, votes: votes, sourceRow: sourceRow))
    summary.count(label, as: labelText, split, as: usage)
  }

  /// The faces of the file.
  ///
  /// - Throws: ``MienError`` if there is none.
  func result() throws -> ImportResult {
    guard !rows.isEmpty else { throw rejected.nothingLeft(of: name, "row") }
    var summary = summary
    summary.sort()
    if summary.classes.contains(where: { ClassNames.number($0.name) != nil }) {
      summary.labelling += ", by \(classes.source)"
    }
    if !hasLabels {
      summary.labelling = "nothing"
      summary.notes.append("no column emotion: the faces have no labels, and can be neither trained nor measured on")
    }
    let hasContempt = rows.contains { $0.label == .contempt }
    let faces = try FaceSet(
      source: "fer2013", labelSet: hasContempt ? .ferplus : .fer2013, height: FER2013Importer.side,
      width: FER2013Importer.side, channels: 1, rows: rows, pixels: pixels)
    summary.noteVotes(of: faces)
    return ImportResult(faces: faces, rejected: rejected, summary: summary)
  }
}
