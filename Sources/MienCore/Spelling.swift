import Foundation

/// Reading names that people typed, and writing counts.
package enum Spelling {
  /// `1 face`, `2 faces`, `3,589 faces`.
  package static func counted(_ count: Int, _ noun: String) -> String {
    "\(count.grouped) \(noun)\(count == 1 ? "" : "s")"
  }

  /// `a`, `a or b`, `a, b or c`.
  package static func alternatives(_ names: [String], _ word: String = "or") -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return "\(names.dropLast().joined(separator: ", ")) \(word) \(last)"
  }

  /// `text` in lines of at most `width` characters, broken at blanks; a longer word has a line of its own.
  package static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// A number of bytes as people read it: `512 bytes`, `12.3 kB`, `5.6 MB`; a kB is 1000 bytes.
  package static func size(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return counted(bytes, "byte") }
    var (value, units) = (Double(bytes) / 1000, ["kB", "MB", "GB", "TB"][...])
    while value >= 999.95, units.count > 1 { (value, units) = (value / 1000, units.dropFirst()) }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
  }

  /// `text` in lower case and without accents.
  static func folded(_ text: String) -> String {
    text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
  }

  /// What `meaning` says of the letters of `text`, or of its words without `fillers`.
  static func key<Meaning>(_ text: String, fillers: Set<String>, _ meaning: (String) -> Meaning?) -> Meaning? {
    let words = folded(text).split { !$0.isLetter }
    if let found = meaning(words.joined()) { return found }
    return meaning(words.filter { !fillers.contains(String($0)) }.joined())
  }

  /// The candidate of smallest edit distance, letter case aside; nil if it is above `limit`.
  ///
  /// - Parameter limit: without it, a third of the word's letters, 1 to 3.
  package static func nearest(_ word: String, among candidates: [String], atMost limit: Int? = nil) -> String? {
    let limit = limit ?? max(1, min(3, word.count / 3))
    let letters = Array(word.lowercased())
    let scored = candidates.map { (distance(letters, Array($0.lowercased())), $0) }
    guard let best = scored.min(by: { $0 < $1 }), best.0 <= limit else { return nil }
    return best.1
  }

  /// How many letters to insert, delete, replace or swap with the next to turn one word into the other: the optimal string
  /// alignment distance (Damerau, CACM 1964).
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var (beforeLast, last) = ([Int](), Array(0...b.count))
    for (i, x) in a.enumerated() {
      var row = [i + 1]
      for (j, y) in b.enumerated() {
        var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (x == y ? 0 : 1))
        if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { least = min(least, beforeLast[j - 1] + 1) }
        row.append(least)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
