package import Foundation
import Glibc
import MienCore
import MienONNX

/// The secret by which a server makes the names of its clients out of their tokens (HMAC-SHA-256): what is stored of a
/// client tells nothing about its token to those who do not have the key, not even by trying out likely tokens.
package struct ClientKey: Sendable {
  private static let length = 32
  private static let fileName = "client.key"
  private let bytes: Data

  /// A key that is forgotten with the process.
  package static func random() -> ClientKey {
    var system = SystemRandomNumberGenerator()
    return ClientKey(bytes: Data((0..<length).map { _ in UInt8.random(in: 0...255, using: &system) }))
  }

  private init(bytes: Data) { self.bytes = bytes }

  /// The key in `folder`, which is made for its owner's eyes only if it is not there.
  ///
  /// - Throws: ``MienError`` naming the file.
  package init(in folder: URL) throws {
    let url = folder.appendingPathComponent(Self.fileName)
    if let found = try Self.read(url) {
      bytes = found
      return
    }
    // Written whole under another name, then linked: of two servers that start at a time, one makes the key.
    let made = Self.random().bytes
    let temporary = AtomicFile.temporary(url, named: Self.fileName, "tmp").path
    func failure() -> MienError {
      MienError(.file, url.path, "could not be written: \(String(cString: strerror(errno)))")
    }
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure() }
    let isWritten = AtomicFile.writeAll(made, to: descriptor) && fsync(descriptor) == 0
    close(descriptor)
    defer { unlink(temporary) }
    guard isWritten, link(temporary, url.path) == 0 || errno == EEXIST else { throw failure() }
    guard let found = try Self.read(url) else { throw FileProblem.error(reading: url) }
    bytes = found
  }

  private static func read(_ url: URL) throws -> Data? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    guard let data = try? Data(contentsOf: url) else { throw FileProblem.error(reading: url) }
    guard data.count == length else {
      throw MienError(
        .format, url.path,
        "expected a key of \(length) bytes, found \(data.count); without the right one, clients lose sight of what they "
          + "stored. Put it back from a backup, or remove the file")
    }
    return data
  }

  /// The name of the client that has `token`.
  func client(of token: [UInt8]) -> AccessTokens.Client {
    SHA256.authenticationCode(of: Data(token), key: bytes).map { String(format: "%02x", $0) }.joined()
  }
}
