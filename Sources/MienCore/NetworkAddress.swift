/// The address of something in a network, as `rtsp://camera.local/stream`.
package struct NetworkAddress: Sendable, Hashable {
  /// As it was given; may hold a password.
  package let text: String
  /// What stands before `://`, in lower case.
  package let scheme: String

  /// Protocols by which videos are read.
  package static let videoSchemes = ["http", "https", "rtsp", "rtsps", "rtmp", "rtmps"]

  /// Takes a text that begins with a scheme; a file's path or `file:` address is none.
  package init?(_ text: String) {
    guard let colon = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<colon.lowerBound].lowercased()
    let isScheme =
      scheme.first?.isLetter == true
      && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    guard isScheme, scheme != "file", colon.upperBound < text.endIndex else { return nil }
    self.text = text
    self.scheme = scheme
  }

  /// For messages and reports: without a user's name, a password and a query, which may hold a key.
  package var shown: String {
    let rest = text[(text.firstRange(of: "://")?.upperBound ?? text.startIndex)...]
    let authority = rest.prefix { !"/?#".contains($0) }
    // What comes before an @ is secret, whatever signs a password has that was written without percent signs.
    let port = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first ?? ""
    let isPlain = authority.hasPrefix("[") || (!authority.contains("@") && port.allSatisfy(\.isNumber))
    let open = isPlain ? rest : rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? ""
    let path = open.prefix { !"?#".contains($0) }
    return "\(scheme)://\(path)\(path.count < open.count ? "?…" : "")"
  }
}
