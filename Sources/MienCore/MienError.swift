/// What went wrong with an input, a file or a native library, in words a user can act on.
///
/// Every error that Mien throws across a module boundary is of this type. The message says what was expected and
/// what was found; `subject` names the file, option or value at fault.
public struct MienError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The part of the system that refused.
  public enum Kind: String, Sendable {
    /// A file or folder that is to be read is not there.
    case missing
    /// A file is there but cannot be read, or it cannot be written.
    case file
    /// The bytes are not what their format promises.
    case format
    /// An argument, option or recipe value is out of range or unknown.
    case argument
    /// Sizes, classes or data sets do not fit together.
    case mismatch
    /// A native library reported a failure.
    case native
    /// A limit on size or count was passed.
    case limit
    /// Training diverged: the loss or an output is not a finite number.
    case diverged
  }

  /// The part of the system that refused.
  public let kind: Kind
  /// The file, option or value at fault; nil where the message says all.
  public let subject: String?
  /// What was expected and what was found.
  public let message: String

  /// Makes an error of `kind` about `subject`.
  public init(_ kind: Kind, _ subject: String? = nil, _ message: String) {
    self.kind = kind
    self.subject = subject
    self.message = message
  }

  /// `subject: message`, on one line.
  public var description: String {
    guard let subject, !subject.isEmpty else { return message }
    return "\(subject): \(message)"
  }

  /// The same error about another subject, for callers that know the file's name.
  public func about(_ subject: String) -> MienError { MienError(kind, subject, message) }
}

extension MienError {
  /// The error that `file` is not valid YAML, in one line: where, and what the parser expected.
  ///
  /// - Parameter error: the parser's, whose description also holds the lines around the place.
  package static func notYAML(_ file: String, _ error: any Error) -> MienError {
    let text = "\(error)"
    let start = "is not valid YAML: "
    if let found = text.firstMatch(of: /^(\d+):(\d+): error: \w+: ([\s\S]*?):(\n|$)/) {
      let problem = found.3.split(separator: "\n").joined(separator: ", ")
      let place = problem.firstMatch(of: /in line (\d+)/).map { "line \($0.1)" } ?? "the line above"
      let hint =
        problem.contains("could not find expected ':'")
        ? "; the colon, or the space after it, may be missing in \(place)"
        : problem.contains("cannot start any token") && text.contains("\t")
          ? "; the line has a tab, and YAML takes only spaces there" : ""
      return MienError(.format, file, start + "line \(found.1), column \(found.2): \(problem)\(hint)")
    }
    let line = text.split(separator: "\n").first.map(String.init) ?? "unknown problem"
    let prefix = "Parser: "
    return MienError(.format, file, start + (line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line))
  }
}
