import Foundation

/// Writes lines of CSV (RFC 4180).
package enum CSVLine {
  private static let special = CharacterSet.newlines.union(CharacterSet(charactersIn: ",\""))

  /// `fields` as one line with its end; fields with commas, quotes or line ends are quoted.
  ///
  /// A field that a spreadsheet would run as a formula, text that starts with `=`, `+`, `-`, `@`, a tab or a carriage
  /// return, gets an apostrophe in front, which spreadsheets take for "this is text". Numbers stay as they are.
  package static func text(_ fields: [String]) -> String {
    let quoted = fields.map { field in
      let field = isFormula(field) ? "'" + field : field
      // Scalars, as a comma with a combining mark is one character, and a comma to those who read the file.
      guard field.unicodeScalars.contains(where: special.contains) else { return field }
      let parts = field.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
      return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
    }
    return quoted.joined(separator: ",") + "\r\n"
  }

  private static func isFormula(_ field: String) -> Bool {
    guard let first = field.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) else { return false }
    return Double(field) == nil
  }
}
