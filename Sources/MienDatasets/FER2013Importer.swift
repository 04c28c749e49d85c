public import Foundation
import MienCore

/// The part of FER2013 that a row belongs to, as its CSV spells it.
enum FER2013Usage: String, CaseIterable {
  case training = "Training"
  case publicTest = "PublicTest"
  case privateTest = "PrivateTest"

  /// For messages.
  static let choices = "a usage of Training, PublicTest or PrivateTest"

  /// Reads a field; letter case does not matter.
  init?(_ field: Span<UInt8>) {
    let text = CSVRow.printable(field).lowercased()
    guard let usage = Self.allCases.first(where: { $0.rawValue.lowercased() == text }) else { return nil }
    self = usage
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

/// Reads FER2013's CSV (`emotion,pixels,Usage`; 48x48 grey values a row) as a stream of bytes, with FER+'s votes where
/// they are given.
///
/// Memory: the pixels of all rows (83 MB for the full set) and one chunk of the file.
public struct FER2013Importer: Sendable {
  /// Width and height of a face in pixels.
  public static let side = 48
  private static let pixelCount = side * side
  private static let columns = ["emotion", "pixels", "Usage"]

  /// FER+'s `fer2013new.csv`, whose rows are those of the CSV in the same order.
  public var votes: URL?
  /// Whether bad rows are counted and left out, instead of ending the import.
  public var skipsBadRows: Bool

  /// Sets up an import.
  public init(votes: URL? = nil, skipsBadRows: Bool = false) {
    self.votes = votes
    self.skipsBadRows = skipsBadRows
  }

  /// Reads all rows of `source`.
  ///
  /// A row's number in the source is kept, bad rows counted, so that rows and votes stay aligned.
  ///
  /// - Throws: ``MienError`` naming file and line and what was expected there: wrong header, a row with too few or too
  ///   many pixels, a value over 255 or not a number, an unknown label or usage (unless ``skipsBadRows``), votes that
  ///   do not go with the rows, or no usable row at all.
  public func load(_ source: ByteSource) throws -> ImportResult {
    let votes = try self.votes.map { try FERPlusVotes(.file($0)) }
    let name = source.name
    var header: CSVHeader?
    var fields = CSVRow()
    var pixels = Data()
    var face = [UInt8](repeating: 0, count: Self.pixelCount)
    var rows: [FaceSet.Row] = []
    var rejected = Rejections()
    var sourceRow = 0
    try LineReader(source).forEachLine { line, number in
      if CSVRow.isEmpty(line) { return }
      func refuse(_ message: String) -> MienError { MienError(.format, "\(name), line \(number)", message) }
      fields.split(line)
      guard let header else {
        header = CSVHeader(fields, of: line, columns: Self.columns)
        guard header != nil else {
          throw refuse(
            "expected the header `\(Self.columns.joined(separator: ","))`, found `\(CSVRow.printable(line))`")
        }
        return
      }
      defer { sourceRow += 1 }
      do {
        guard fields.fields.count == header.width else {
          throw refuse("expected \(header.width) fields, found \(fields.fields.count)")
        }
        let emotions = LabelSet.fer2013.emotions
        guard let label = CSVRow.number(line.extracting(fields.fields[header[0]])), label < emotions.count else {
          throw refuse("expected a label of 0 to \(emotions.count - 1), found `\(fields.text(header[0], of: line))`")
        }
        guard let usage = FER2013Usage(line.extracting(fields.fields[header[2]])) else {
          throw refuse("expected \(FER2013Usage.choices), found `\(fields.text(header[2], of: line))`")
        }
        if let problem = Self.parse(line.extracting(fields.fields[header[1]]), into: &face) { throw refuse(problem) }
        let counts = try votes?.counts(row: sourceRow, usage: usage, file: name, line: number)
        pixels.append(contentsOf: face)
        rows.append(.init(label: emotions[label], split: usage.split, votes: counts, sourceRow: sourceRow))
      } catch let error as MienError where skipsBadRows && error.kind == .format {
        rejected.add(error)
      }
    }
    guard header != nil else { throw MienError(.format, name, "is empty, expected FER2013's CSV") }
    guard !rows.isEmpty else {
      throw MienError(.format, name, "has no usable row; \(rejected.count) bad ones were left out")
    }
    try votes?.checkEnd(afterRows: sourceRow, file: name)
    let faces = try FaceSet(
      source: "fer2013", labelSet: .fer2013, height: Self.side, width: Self.side, channels: 1, rows: rows,
      pixels: pixels)
    return ImportResult(faces: faces, rejected: rejected)
  }

  /// Reads the values of one face, separated by blanks.
  ///
  /// - Returns: what is wrong, or nil.
  static func parse(_ field: Span<UInt8>, into face: inout [UInt8]) -> String? {
    var output = face.mutableSpan
    var count = 0
    var position = 0
    while position < field.count {
      if field[position] == UInt8(ascii: " ") {
        position += 1
        continue
      }
      let start = position
      var value = 0
      while position < field.count, field[position] != UInt8(ascii: " ") {
        let digit = field[position] &- UInt8(ascii: "0")
        guard digit < 10, position - start < 4 else {
          return "pixel \(count + 1): expected a whole number of 0 to 255, found `\(word(in: field, from: start))`"
        }
        value = value &* 10 &+ Int(digit)
        position += 1
      }
      guard value <= 255 else { return "pixel \(count + 1): expected 0 to 255, found \(word(in: field, from: start))" }
      if count < output.count { output[count] = UInt8(truncatingIfNeeded: value) }
      count += 1
    }
    return count == output.count ? nil : "expected \(output.count) pixels, found \(count)"
  }

  private static func word(in field: Span<UInt8>, from start: Int) -> String {
    var end = start
    while end < field.count, field[end] != UInt8(ascii: " ") { end += 1 }
    return CSVRow.printable(field.extracting(start..<end))
  }
}
