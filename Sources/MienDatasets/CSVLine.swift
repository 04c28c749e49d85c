import Foundation

/// Writes lines of CSV (RFC 4180).
package enum CSVLine {
  /// `fields` as one line with its end; fields with commas, quotes or line ends are quoted.
  package static func text(_ fields: [String]) -> String {
    let quoted = fields.map { field in
      guard field.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return field }
      return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
    return quoted.joined(separator: ",") + "\r\n"
  }
}
