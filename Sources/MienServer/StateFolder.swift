package import Foundation
import MienCore

/// The folder in which a server keeps what must outlast it. One server uses it at a time.
package final class StateFolder: Sendable {
  /// The folder.
  package let url: URL
  private let lock: FileLock

  /// Takes `url`, and makes it where it is missing. Only this user may look into it.
  ///
  /// - Throws: ``MienError`` where it cannot be made, or another server uses it.
  package init(_ url: URL) throws {
    self.url = url
    do {
      try FileManager.default.createDirectory(
        at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw MienError(.file, url.path, "the folder cannot be made")
    }
    guard let lock = try FileLock(url.appendingPathComponent("server.lock"), mode: 0o600) else {
      throw MienError(.file, url.path, "another server uses this folder; name another one with --state-dir")
    }
    self.lock = lock
  }

  /// The first folder of `server/1`, `server/2`, … in the cache folder (`MIEN_CACHE`, or `~/.cache/mien`) that no other
  /// server uses.
  package static func first(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> StateFolder {
    let cache =
      environment["MIEN_CACHE"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/mien", isDirectory: true)
    let servers = cache.appendingPathComponent("server", isDirectory: true)
    for number in 1..<16 {
      if let folder = try? StateFolder(servers.appendingPathComponent("\(number)", isDirectory: true)) { return folder }
    }
    return try StateFolder(servers.appendingPathComponent("16", isDirectory: true))
  }

  /// Where the video jobs are.
  var jobs: URL { url.appendingPathComponent("videos", isDirectory: true) }
}
