import Foundation
import MienCore

/// The entries of a list of classes, as `classes.txt` and its likes hold.
struct ClassList {
  /// A class as folders or tables name it, and the word for it.
  struct Entry: Equatable {
    let name: String
    let word: String
  }

  /// In the order of the list.
  let entries: [Entry]

  private init(_ entries: [Entry]) { self.entries = entries }

  /// The list of an option: `angry,disgust` or `1=surprise,2=fear`.
  static func inline(_ text: String) throws -> ClassList {
    let items = text.split { ",;".contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
    let pairs = items.map { $0.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) } }
    guard pairs.contains(where: { $0.count == 2 }) else { return ClassList(numbering: items) }
    guard pairs.allSatisfy({ $0.count == 2 }) else {
      throw MienError(.argument, "--classes \(text)", "expected NAME=EMOTION for every class, or for none")
    }
    return ClassList(pairs.map { Entry(name: $0[0], word: $0[1]) })
  }

  /// Reads a file: see ``ClassNames/init(contentsOf:)``.
  init(contentsOf url: URL) throws {
    guard let data = try? Data(contentsOf: url) else { throw FileProblem.error(reading: url) }
    guard data.count <= 1 << 20, let text = String(data: data, encoding: .utf8) else {
      throw MienError(
        .format, url.relativePath, "expected a list of classes: words, or numbers and words, one per line")
    }
    if let json = try? JSONSerialization.jsonObject(with: data) {
      self.init(json: json)
    } else {
      self.init(lines: text)
    }
  }

  private init(numbering words: [String]) {
    entries = words.enumerated().map { Entry(name: "\($0)", word: $1) }
  }

  /// `["angry", …]`, `{"0": "angry"}`, `{"angry": 0}`, or any of these one level down (`{"names": …}`).
  private init(json: Any) {
    if let words = json as? [String] {
      self.init(numbering: words)
    } else if let object = json as? [String: Any] {
      let nested = object.sorted { $0.key < $1.key }.first { $0.value is [String] || $0.value is [String: Any] }
      if let nested {
        self.init(json: nested.value)
        return
      }
      let entries = object.compactMap { key, value -> Entry? in
        if let word = value as? String { return Self.entry(key, word) }
        return (value as? NSNumber).map { Entry(name: "\($0.intValue)", word: key) }
      }
      self.init(entries.sorted { $0.name < $1.name })
    } else {
      self.init([])
    }
  }

  /// Text, CSV and the simple part of YAML: lists and mappings, of a key called `names` or `classes` or at the top.
  private init(lines text: String) {
    var lines = text.components(separatedBy: .newlines).map { line in
      line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? ""
    }.filter { !$0.trimmingCharacters(in: .whitespaces).isEmpty }
    var inline: [String]?
    if let start = lines.firstIndex(where: { ["names:", "classes:"].contains(where: $0.hasPrefix) }) {
      let value = lines[start].drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces)
      if value.isEmpty {
        lines = lines.dropFirst(start + 1).prefix { $0.first.map { " \t-".contains($0) } ?? false }.map { $0 }
      } else {
        inline = value.split { "[]{},".contains($0) }.map(Self.cleaned)
      }
    }
    if let inline {
      let pairs = inline.map(Self.words)
      let isMapping = pairs.allSatisfy { $0.count == 2 && ClassNames.number($0[0]) != nil }
      self = isMapping ? ClassList(pairs.map { Self.entry($0[0], $0[1]) }) : ClassList(numbering: inline)
      return
    }
    var rows = lines.map { line in
      Self.words(
        line.trimmingCharacters(in: .whitespaces).hasPrefix("- ") ? String(line.drop { $0 != "-" }.dropFirst()) : line)
    }
    func isPair(_ row: [String]) -> Bool {
      row.count == 2 && (row.contains { ClassNames.number($0) != nil } || Emotion(spelling: row[1]) != nil)
    }
    // A table's header.
    if rows.count > 1, !isPair(rows[0]), rows.dropFirst().allSatisfy(isPair) { rows.removeFirst() }
    if rows.allSatisfy(isPair) {
      self.init(rows.map { Self.entry($0[0], $0[1]) })
    } else {
      self.init(numbering: rows.map { $0.joined(separator: " ") })
    }
  }

  /// A pair in either order: the number is the name.
  private static func entry(_ first: String, _ second: String) -> Entry {
    ClassNames.number(first) == nil && ClassNames.number(second) != nil
      ? Entry(name: second, word: first) : Entry(name: first, word: second)
  }

  /// The words of a line, without quotes and list marks: `0: "angry"`, `1. disgust`, `2,fear`, `3 = happy`.
  private static func words(_ line: String) -> [String] {
    let separators = CharacterSet(charactersIn: ",;:=\t ")
    return line.components(separatedBy: separators).map(cleaned).filter { !$0.isEmpty && $0 != "->" }
  }

  private static func cleaned(_ word: some StringProtocol) -> String {
    let edges = CharacterSet(charactersIn: "\"'`().").union(.whitespaces)
    return word.trimmingCharacters(in: edges)
  }
}
