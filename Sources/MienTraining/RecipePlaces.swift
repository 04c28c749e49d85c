import MienCore

/// Where the keys of a recipe were set, so that an error names the line or the setting.
public struct RecipePlaces: Sendable {
  /// The recipe's file.
  public let file: String
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

  /// Throws ``MienError`` about `key`, saying what was expected, where `holds` is false.
  func require(_ holds: Bool, _ key: String, _ expected: String) throws {
    guard holds else { throw MienError(.argument, self[key], "\(key) must be \(expected)") }
  }

  /// A decoding error as one about the key it arose at.
  func describe(_ error: DecodingError) -> MienError {
    func about(_ context: DecodingError.Context, _ what: (String) -> String) -> MienError {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return MienError(.format, self[path], what(path))
    }
    return switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      about(context) { "\($0) must be \(Self.name(of: type))" }
    case .keyNotFound(let key, let context): about(context) { "\($0) lacks the key \(key.stringValue)" }
    case .dataCorrupted(let context): about(context) { "\($0) has a value that is not known" }
    @unknown default: MienError(.format, file, "\(error)")
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is Int.Type, is UInt64.Type: "a whole number"
    case is Double.Type, is Float.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "text"
    case is [Any].Type: "a list"
    default: "of type \(type)"
    }
  }
}
