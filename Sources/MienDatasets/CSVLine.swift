import Foundation

/// Writes lines of CSV (RFC 4180).
package enum CSVLine {
  /// `fields` as one line with its end; fields with commas, quotes or line ends are quoted.
  package static func text(_ fields: [String]) -> String {
    let quoted = fields.map { field in
      // Scalars, as a comma with a combining mark is one character, and a comma to those who read the file.
      guard
        field.unicodeScalars.contains(where: { ",\"".unicodeScalars.contains($0) || CharacterSet.newlines.contains($0) }
        )
      else { return field }
      return "\"" + String(String.UnicodeScalarView(field.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }))
        + "\""
    }
    return quoted.joined(separator: ",") + "\r\n"
  }
}
