package import Foundation
import MienCore
import MienONNX

/// The secrets that clients prove themselves with, by `Authorization: Bearer TOKEN`.
///
/// Each token is a client of its own: sessions and jobs belong to the token that made them.
package struct AccessTokens: Sendable {
  /// A client, as a keyed hash of its token; empty where the server asks for none.
  package typealias Client = String

  private static let lengths = 16...512
  private static let fileBytes = 1 << 20
  private let tokens: [[UInt8]]

  /// Takes tokens of 16 to 512 printable ASCII characters without spaces.
  ///
  /// - Throws: ``MienError`` that does not repeat a token.
  package init(_ tokens: [String]) throws {
    guard !tokens.isEmpty else { throw MienError(.format, nil, "expected a token, found none") }
    for (index, token) in tokens.enumerated() {
      guard Self.lengths.contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw MienError(
          .format, nil,
          "token \(index + 1): expected 16 to 512 printable ASCII characters without spaces, as from "
            + "`openssl rand -hex 32`")
      }
    }
    self.tokens = tokens.map { Array($0.utf8) }
  }

  /// Reads a file with a token a line; blank lines and those that start with `#` are passed over.
  package init(contentsOf url: URL) throws {
    do {
      // A pipe, as `<(command)` makes it, has no length: it is read to its end.
      guard let file = try? FileHandle(forReadingFrom: url), let data = try? file.read(upToCount: Self.fileBytes + 1),
        data.count <= Self.fileBytes
      else {
        throw MienError(.file, nil, FileProblem.reading(url))
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw MienError(.format, nil, "expected a text with a token a line")
      }
      let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      try self.init(lines.filter { !$0.isEmpty && !$0.hasPrefix("#") })
    } catch let error as MienError {
      throw error.about(url.path)
    }
  }

  /// The client that an `Authorization` header proves; nil where it proves none. The time taken does not tell how much
  /// of a token was right.
  ///
  /// - Parameter key: what makes the client's name out of the token.
  package func client(authorization: String?, key: ClientKey) -> Client? {
    guard let authorization, let space = authorization.firstIndex(of: " "),
      authorization[..<space].lowercased() == "bearer"
    else { return nil }
    let given = Array(authorization[authorization.index(after: space)...].utf8)
    var found: Client?
    for token in tokens where Self.isSame(token, given) { found = key.client(of: token) }
    return found
  }

  /// All clients, by the names that earlier servers gave them: the SHA-256 of the token, without a key.
  package func clients(key: ClientKey) -> [String: Client] {
    Dictionary(
      tokens.map { (SHA256.hexadecimal(of: Data($0)), key.client(of: $0)) }, uniquingKeysWith: { first, _ in first })
  }

  private static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
