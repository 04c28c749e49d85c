public import Foundation
import MienCore

/// The part of FER2013 that a row belongs to, as its CSV spells it.
enum FER2013Usage: String, CaseIterable {
  case training = "Training"
  case publicTest = "PublicTest"
  case privateTest = "PrivateTest"

  /// For messages.
  static let choices = "a usage of Training, PublicTest or PrivateTest (or train, val or test)"

  /// Reads a field: FER2013's own words, or another usual name of a part.
  init?(_ field: Span<UInt8>) {
    guard let split = Split(spelling: CSVRow.printable(field)) else { return nil }
    self.init(split)
  }

  init(_ split: Split) {
    switch split {
    case .train: self = .training
    case .validation: self = .publicTest
    case .test: self = .privateTest
    }
  }

  /// The split that Mien calls it.
  var split: Split {
    switch self {
    case .training: .train
    case .publicTest: .validation
    case .privateTest: .test
    }
  }
}

/// Reads FER2013's CSV (`emotion,pixels,Usage`; 48x48 grey values per row) as a stream of bytes, with FER+'s votes if
/// they are given.
///
/// Columns may stand in any order, between commas, semicolons, tabs or bars, with or without quotes. `Usage` may be
/// missing, as in Kaggle's `train.csv`: the part is then the one that the file is named for, else train. `emotion` may be
/// missing too, as in Kaggle's `test.csv`: such faces have no label.
///
/// Memory: the pixels of all rows (83 MB for the full set) and one chunk of the file.
public struct FER2013Importer: Sendable {
  /// Width and height of a face in pixels.
  public static let side = 48
  private static let pixelCount = side * side
  private static let emotionNames = ["emotion", "emotions", "label", "labels", "expression", "class"]
  private static let pixelNames = ["pixels", "pixel", "image"]
  private static let usageNames = ["Usage", "split", "set", "part", "subset", "partition"]
  /// Positions in ``CSVHeader``.
  private static let (pixelColumn, emotionColumn, usageColumn) = (0, 1, 2)

  /// FER+'s `fer2013new.csv`, whose rows are those of the CSV in the same order.
  public var votes: URL?
  /// What numbers in the column `emotion` mean; nil for FER2013's own, 0 anger to 6 neutral.
  public var classes: ClassNames?

  /// Sets up an import.
  public init(votes: URL? = nil, classes: ClassNames? = nil) {
    self.votes = votes
    self.classes = classes
  }

  /// Reads all rows of `source`.
  ///
  /// A row's number in the source is kept, bad rows counted, so that rows and votes stay aligned.
  ///
  /// - Returns: the faces, and the rows that could not be used, each with its line and what was expected there: too few or
  ///   too many pixels, a value over 255 or not a number, an unknown label or usage.
  /// - Throws: ``MienError`` for a wrong header, votes that do not go with the rows, or no usable row at all.
  public func load(_ source: ByteSource) throws -> ImportResult {
    var rows = FER2013Rows(name: source.name, classes: classes, part: Self.part(of: source))
    let votes = try self.votes.map { try FERPlusVotes(.file($0)) }
    let name = source.name
    var header: CSVHeader?
    var fields = CSVRow()
    try LineReader(source).forEachLine { line, number in
      if CSVRow.isEmpty(line) { return }
      func refuse(_ message: String) -> MienError { MienError(.format, "\(name), line \(number)", message) }
      if header == nil {
        header = CSVHeader(
          &fields, of: line, columns: [Self.pixelNames], optional: [Self.emotionNames, Self.usageNames])
        let isRow = header == nil
        header = header ?? Self.headerless(&fields, of: line)
        guard let header else { throw refuse(Self.wrongHeader(CSVRow.printable(line))) }
        rows.hasUsages = header[optional: Self.usageColumn] != nil
        rows.hasLabels = header[optional: Self.emotionColumn] != nil
        guard votes == nil || rows.hasUsages || rows.part != nil else {
          throw refuse("has no column Usage, by which votes are compared with rows; import it without --votes")
        }
        if !isRow { return }
      }
      guard let header else { return }
      fields.split(line)
      // Files that were joined repeat the header.
      if header.fits(fields), Self.pixelNames.contains(fields.text(header[Self.pixelColumn], of: line).lowercased()) {
        return
      }
      defer { rows.sourceRow += 1 }
      do {
        guard header.fits(fields) else {
          throw refuse("expected \(header.width) fields, found \(fields.fields.count)")
        }
        let label = try header[optional: Self.emotionColumn].map { column in
          try rows.label(fields.text(column, of: line), refuse)
        }
        var usage = FER2013Usage(rows.part ?? .train)
        var usageText = rows.part == nil ? "" : (name as NSString).lastPathComponent
        if let column = header[optional: Self.usageColumn] {
          guard let found = FER2013Usage(line.extracting(fields.fields[column])) else {
            throw refuse("expected \(FER2013Usage.choices), found `\(fields.text(column, of: line))`")
          }
          (usage, usageText) = (found, fields.text(column, of: line))
        }
        let values = line.extracting(fields.fields[header[Self.pixelColumn]])
        if let problem = Self.parse(values, into: &rows.face) { throw refuse(problem) }
        let counts = try votes?.counts(row: rows.sourceRow, usage: usage, file: name, line: number)
        rows.add(label, usage.split, usageText, votes: counts)
      } catch let error as MienError where error.kind == .format {
        rows.rejected.add(error)
      }
    }
    guard header != nil else { throw MienError(.format, name, "is empty, expected FER2013's CSV") }
    if !rows.rows.isEmpty { try votes?.checkEnd(afterRows: rows.sourceRow, file: name) }
    return try rows.result()
  }

  /// The part that a file's name tells, as `train.csv` or `test_with_emotions.csv`; nil for none, or several.
  private static func part(of source: ByteSource) -> Split? {
    guard case .file(let url) = source else { return nil }
    let words = url.lastPathComponent.split { !$0.isLetter }.compactMap { Split(spelling: String($0)) }
    return Set(words).count == 1 ? words.first : nil
  }

  /// The columns of a file without a header, if its first line leaves no doubt: pixels, a usage or none, and a label.
  private static func headerless(_ row: inout CSVRow, of line: Span<UInt8>) -> CSVHeader? {
    var face = [UInt8](repeating: 0, count: pixelCount)
    for delimiter in [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")] {
      row.delimiter = delimiter
      row.split(line)
      guard (2...3).contains(row.fields.count) else { continue }
      var found: [Int?] = [nil, nil, nil]
      for (index, field) in row.fields.enumerated() {
        let bytes = line.extracting(field)
        let column =
          parse(bytes, into: &face) == nil
          ? pixelColumn : FER2013Usage(bytes) != nil ? usageColumn : CSVRow.number(bytes) != nil ? emotionColumn : nil
        guard let column, found[column] == nil else { return nil }
        found[column] = index
      }
      guard found[pixelColumn] != nil, found[emotionColumn] != nil else { continue }
      return CSVHeader(positions: found, width: row.fields.count)
    }
    return nil
  }

  private static func wrongHeader(_ found: String) -> String {
    let message = "expected the header `emotion,pixels,Usage`, found `\(found)`"
    let lower = found.lowercased()
    if lower.contains("image name") || lower.contains("contempt") {
      return message + "; if these are FER+'s votes, give FER2013's CSV, and this file with --votes"
    }
    if lower.contains("file") || lower.contains("path") || lower.contains("image") {
      return message
        + "; a list of picture files is not read: sort the pictures into one folder per emotion, and use "
        + "`mien dataset import folders`"
    }
    return message
  }

  /// Reads the values of one face, separated by blanks or commas, in brackets or not.
  ///
  /// - Returns: what is wrong, or nil.
  static func parse(_ field: Span<UInt8>, into face: inout [UInt8]) -> String? {
    var output = face.mutableSpan
    var count = 0
    var position = 0
    while position < field.count {
      if isSeparator(field[position]) {
        position += 1
        continue
      }
      let start = position
      var value = 0
      while position < field.count, !isSeparator(field[position]) {
        let digit = field[position] &- UInt8(ascii: "0")
        guard digit < 10, position - start < 4 else {
          if isWhole(field, from: position) {
            while position < field.count, !isSeparator(field[position]) { position += 1 }
            break
          }
          return "pixel \(count + 1): expected a whole number of 0 to 255, found `\(word(in: field, from: start))`"
        }
        value = value &* 10 &+ Int(digit)
        position += 1
      }
      guard value <= 255 else { return "pixel \(count + 1): expected 0 to 255, found \(word(in: field, from: start))" }
      if count < output.count { output[count] = UInt8(truncatingIfNeeded: value) }
      count += 1
    }
    return count == output.count ? nil : "expected \(output.count.grouped) pixels, found \(count.grouped)"
  }

  /// Whether what follows the digits of a number is a point and zeros, as in `70.0`.
  private static func isWhole(_ field: Span<UInt8>, from start: Int) -> Bool {
    guard start > 0, field[start] == UInt8(ascii: "."), field[start - 1] &- UInt8(ascii: "0") < 10 else { return false }
    var position = start + 1
    while position < field.count, !isSeparator(field[position]) {
      if field[position] != UInt8(ascii: "0") { return false }
      position += 1
    }
    return true
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "["),
      UInt8(ascii: "]"):
      true
    default: false
    }
  }

  private static func word(in field: Span<UInt8>, from start: Int) -> String {
    var end = start
    while end < field.count, !isSeparator(field[end]) { end += 1 }
    return CSVRow.printable(field.extracting(start..<end))
  }
}
