import MienCore
import Yams

/// Where the keys of a recipe were set, so that an error names the line or the setting.
struct RecipePlaces {
  /// The recipe's file.
  let file: String
  /// The settings given so far, as an error names them.
  var settings: Set<String> = []
  private var subjects: [String: String] = [:]

  init(file: String) { self.file = file }

  /// `FILE:LINE` or `--set KEY=VALUE` for a dotted key path; of the nearest key above it, else the file.
  subscript(path: String) -> String {
    get {
      var keys = path.split(separator: ".")
      while !keys.isEmpty {
        if let subject = subjects[keys.joined(separator: ".")] { return subject }
        keys.removeLast()
      }
      return file
    }
    set { subjects[path] = newValue }
  }

  /// Whether the key at `path` was given by a setting.
  func isSetting(_ path: String) -> Bool { settings.contains(self[path]) }

  /// Throws ``MienError`` about `key`, saying what was expected, where `holds` is false.
  func require(_ holds: Bool, _ key: String, _ expected: String) throws {
    guard holds else { throw MienError(.argument, self[key], "\(key) must be \(expected)") }
  }

  /// A decoding error as one about the key it arose at, with what was expected and what was found there.
  ///
  /// - Parameters:
  ///   - root: what was decoded.
  ///   - defaults: a value of the type that was decoded.
  ///   - prefix: the path of `root` in the recipe.
  ///   - note: stands after the key.
  func describe(
    _ error: DecodingError, in root: Node, of defaults: Any, below prefix: String = "", note: String = ""
  ) -> MienError {
    func about(_ context: DecodingError.Context, _ expected: (_ keys: [String]) -> String) -> MienError {
      let keys = context.codingPath.filter { $0.intValue == nil }.map(\.stringValue)
      let path = (prefix.isEmpty ? keys : [prefix] + keys).joined(separator: ".")
      let isEntry = context.codingPath.count > keys.count
      return MienError(.format, self[path], "\(isEntry ? "an entry of " : "")\(path)\(note) \(expected(keys))")
    }
    func node(_ context: DecodingError.Context) -> Node? {
      context.codingPath.reduce(Optional(root)) { node, key in
        key.intValue.map { index in node?.sequence.flatMap { $0.indices.contains(index) ? $0[index] : nil } }
          ?? node?[key.stringValue]
      }
    }
    func found(_ context: DecodingError.Context) -> String {
      switch node(context) {
      case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : scalar.string
      case .mapping: "a mapping"
      case .sequence: "a list"
      default: "nothing"
      }
    }
    return switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      about(context) { _ in "must be \(Self.name(of: type)), found \(found(context))" }
    case .keyNotFound(let key, let context):
      about(context) { _ in
        let keys = node(context)?.mapping?.keys.compactMap(\.string) ?? []
        return "lacks the key \(key.stringValue)" + (keys.contains { $0.contains(":") } ? "; \(Self.spaceAdvice)" : "")
      }
    case .dataCorrupted(let context):
      about(context) { keys in
        let choices = Self.choices(at: keys, of: defaults).map { "must be one of \($0.joined(separator: ", "))" }
        return "\(choices ?? "has a value that does not fit"), found \(found(context))"
      }
    @unknown default: MienError(.format, file, "\(error)")
    }
  }

  /// What is said of a key with a colon in it: `labels:ferplus` without a space is one word.
  static let spaceAdvice = "YAML needs a space after the colon"

  /// The names of an enumeration's cases, if there is one at `keys` of `value`.
  private static func choices(at keys: [String], of value: Any) -> [String]? {
    let found = keys.reduce(Optional(value)) { value, key in
      value.flatMap { value in Mirror(reflecting: value).children.first { $0.label == key }?.value }
    }
    func names<Choice: CaseIterable>(_ type: Choice.Type) -> [String] { type.allCases.map { "\($0)" } }
    guard let found, let type = type(of: found) as? any CaseIterable.Type else { return nil }
    return names(type)
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is UInt64.Type: "a whole number from 0"
    case is Double.Type, is Float.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "text"
    case is [Any].Type, is Node.Sequence.Type: "a list"
    case is Node.Mapping.Type: "a mapping of keys to values"
    default: "of type \(type)"
    }
  }
}
