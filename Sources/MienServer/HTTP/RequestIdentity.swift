import HTTPTypes

/// The names by which a request is found in the logs of several programs.
enum RequestIdentity {
  /// `X-Request-Id`.
  static let field = HTTPField.Name("X-Request-Id") ?? .eTag
  /// `traceparent` (https://www.w3.org/TR/trace-context/).
  static let traceField = HTTPField.Name("traceparent") ?? .eTag

  /// The id that a client gives its request, if it is 1 to 128 letters, digits and `-._~+/=:`; else a new one.
  static func id(given: String?) -> String {
    guard let given, (1...128).contains(given.utf8.count), given.utf8.allSatisfy(isAllowed) else {
      return Identifier.random()
    }
    return given
  }

  /// The trace of a `traceparent` field: `00-TRACE-PARENT-FLAGS`; nil if it is no such field.
  static func trace(_ field: String?) -> String? {
    let parts = (field ?? "").split(separator: "-", omittingEmptySubsequences: false)
    func isHexadecimal(_ part: Substring, _ count: Int) -> Bool {
      part.utf8.count == count && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
    guard parts.count >= 4, isHexadecimal(parts[0], 2), parts[0] != "ff", isHexadecimal(parts[1], 32),
      isHexadecimal(parts[2], 16), isHexadecimal(parts[3], 2), parts[1].contains(where: { $0 != "0" }),
      parts[2].contains(where: { $0 != "0" }), parts.count == 4 || parts[0] != "00"
    else { return nil }
    return parts.prefix(4).joined(separator: "-")
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "-._~+/=:".utf8.contains(byte)
    }
  }
}
