package import Foundation
import MienCore
import MienONNX
import Synchronization

/// The secrets that clients prove themselves with, by `Authorization: Bearer TOKEN`.
///
/// Each token is a client of its own: sessions and jobs belong to the token that made them.
package final class AccessTokens: Sendable {
  /// A client, as a keyed hash of its token; empty where the server asks for none.
  package typealias Client = String

  /// Whether a client may take `count` more: as long as it then has no more than stays free, so that there is something left for
  /// others, however many have their share. Who has none may take as much as there is; so may all, where no tokens are asked for
  /// and all are one client.
  ///
  /// - Parameters:
  ///   - own: how many the client has.
  ///   - others: how many the other clients have.
  ///   - limit: how many there are.
  static func mayTake(_ count: Int = 1, own: Int, others: Int, of limit: Int, for client: Client) -> Bool {
    client.isEmpty || own == 0 || own + count <= (limit - others + 1) / 2
  }

  private static let lengths = 16...512
  private static let fileBytes = 1 << 20
  private let tokens: Mutex<[[UInt8]]>

  /// How many there are.
  package var count: Int { tokens.withLock { $0.count } }

  /// Takes tokens of 16 to 512 printable ASCII characters without spaces.
  ///
  /// - Throws: ``MienError`` that does not repeat a token.
  package init(_ tokens: [String]) throws { self.tokens = Mutex(try Self.checked(tokens)) }

  /// Reads a file with a token a line; blank lines and those that start with `#` are passed over.
  package init(contentsOf url: URL) throws { tokens = Mutex(try Self.read(url)) }

  /// Takes the tokens of a file instead of those that there are, which stay if it cannot be read. Sessions and jobs of
  /// tokens that are gone are out of reach from then on.
  package func reload(from url: URL) throws {
    let new = try Self.read(url)
    tokens.withLock { $0 = new }
  }

  private static func checked(_ tokens: [String]) throws -> [[UInt8]] {
    guard !tokens.isEmpty else { throw MienError(.format, nil, "holds no token") }
    for (index, token) in tokens.enumerated() {
      guard lengths.contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw MienError(
          .format, nil,
          "token \(index + 1): expected 16 to 512 printable ASCII characters without spaces, as from "
            + "`openssl rand -hex 32`")
      }
    }
    return tokens.map { Array($0.utf8) }
  }

  private static func read(_ url: URL) throws -> [[UInt8]] {
    do {
      // A pipe, as `<(command)` makes it, has no length: it is read to its end.
      let data: Data
      do { data = try FileHandle(forReadingFrom: url).read(upToCount: fileBytes + 1) ?? Data() } catch {
        throw MienError(.file, nil, FileProblem.reading(url))
      }
      guard data.count <= fileBytes else {
        throw MienError(.limit, nil, "has more than \(fileBytes.grouped) bytes, expected one token per line")
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw MienError(.format, nil, "expected a text with one token per line")
      }
      let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      return try checked(lines.filter { !$0.isEmpty && !$0.hasPrefix("#") })
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
    let given = Array(authorization[space...].drop { $0 == " " }.utf8)
    var found: Client?
    for token in tokens.withLock({ $0 }) where Self.isSame(token, given) { found = key.client(of: token) }
    return found
  }

  /// All clients, by the names that earlier servers gave them: the SHA-256 of the token, without a key.
  package func clients(key: ClientKey) -> [String: Client] {
    Dictionary(
      tokens.withLock { $0 }.map { (SHA256.hexadecimal(of: Data($0)), key.client(of: $0)) },
      uniquingKeysWith: { first, _ in first })
  }

  private static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
