import Foundation

/// Writes lines of CSV (RFC 4180).
package enum CSVLine {
  private static let special = CharacterSet.newlines.union(CharacterSet(charactersIn: ",\""))

  /// `fields` as one line with its end; fields with commas, quotes or line ends are quoted.
  package static func text(_ fields: [String]) -> String {
    let quoted = fields.map { field in
      // Scalars, as a comma with a combining mark is one character, and a comma to those who read the file.
      guard field.unicodeScalars.contains(where: special.contains) else { return field }
      let parts = field.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
      return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
    }
    return quoted.joined(separator: ",") + "\r\n"
  }
}
