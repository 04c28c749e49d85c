import Foundation

/// Writes lines of CSV (RFC 4180).
package enum CSVLine {
  private static let special = CharacterSet.newlines.union(CharacterSet(charactersIn: ",\""))

  /// `fields` as one line with its end; fields with commas, quotes or line ends are quoted.
  ///
  /// A field that a spreadsheet would run as a formula, text that starts with `=`, `+`, `-`, `@`, a tab or a carriage
  /// return, gets an apostrophe in front, which spreadsheets take for "this is text". Numbers stay as they are.
  package static func text(_ fields: [String], end: String = "\r\n") -> String {
    let quoted = fields.map { field in
      let field = isFormula(field) ? "'" + field : field
      // Scalars, as a comma with a combining mark is one character, and a comma to those who read the file.
      guard field.unicodeScalars.contains(where: special.contains) else { return field }
      let parts = field.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
      return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
    }
    return quoted.joined(separator: ",") + end
  }

  private static func isFormula(_ field: String) -> Bool {
    guard let first = field.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) else { return false }
    return Double(field) == nil
  }
}

/// Reads a CSV file as a whole (RFC 4180): a header and a row per line. Data sets of any size are read line by line by
/// MienDatasets instead.
package struct CSVTable: Sendable {
  /// One row.
  package struct Row: Sendable {
    /// The line of the file that it begins in, from 1.
    package let line: Int
    /// Its fields, as many as the header has.
    package let fields: [String]
  }

  /// The names of the columns, without blanks around them.
  package let columns: [String]
  /// The rows, in order; empty lines are left out.
  package let rows: [Row]

  /// Reads the text of a file. Line ends may be LF, CR or CRLF; a byte order mark is ignored.
  ///
  /// - Throws: ``MienError`` that names the line, if a row has more or fewer fields than the header, or a quote is never
  ///   closed.
  package init(_ text: String) throws {
    var records: [Row] = []
    var (fields, field): ([String], String.UnicodeScalarView) = ([], .init())
    var (line, first) = (1, 1)
    var (isQuoted, isAfterQuote, hasText) = (false, false, false)
    func ended() -> Row { Row(line: first, fields: fields + [String(field)]) }
    var scalars = text.unicodeScalars.makeIterator()
    var pending = scalars.next()
    if pending == "\u{FEFF}" { pending = scalars.next() }
    while let scalar = pending {
      pending = scalars.next()
      if scalar == "\r", pending == "\n", !isQuoted { continue }
      let isEnd = scalar == "\n" || scalar == "\r"
      if isEnd { line += 1 }
      if isQuoted {
        if scalar == "\"" {
          if pending == "\"" {
            field.append(scalar)
            pending = scalars.next()
          } else {
            (isQuoted, isAfterQuote) = (false, true)
          }
        } else {
          field.append(scalar)
        }
      } else if isEnd {
        if hasText { records.append(ended()) }
        (fields, field, hasText, isAfterQuote, first) = ([], .init(), false, false, line)
      } else if scalar == "," {
        fields.append(String(field))
        (field, hasText, isAfterQuote) = (.init(), true, false)
      } else if scalar == "\"", field.isEmpty, !isAfterQuote {
        (isQuoted, hasText) = (true, true)
      } else {
        field.append(scalar)
        hasText = true
      }
    }
    guard !isQuoted else { throw MienError(.format, nil, "line \(first): a quotation mark is never closed") }
    if hasText { records.append(ended()) }
    guard let header = records.first else { throw MienError(.format, nil, "is empty, expected a header and rows") }
    columns = header.fields.map { $0.trimmingCharacters(in: .whitespaces) }
    rows = Array(records.dropFirst())
    if let bad = rows.first(where: { $0.fields.count != header.fields.count }) {
      throw MienError(
        .format, nil, "line \(bad.line): expected \(header.fields.count) values, found \(bad.fields.count)")
    }
  }
}
