package import Foundation
import MienCore
package import MienInference

/// The folder in which a server keeps what must outlast it. One server uses it at a time.
package final class StateFolder: Sendable {
  /// The folder.
  package let url: URL
  /// Where the server's key is: beside the folders that are used without `--state-dir`, so that it is the same whichever
  /// of them is free.
  package let keys: URL
  /// Where the profiles are that clients fit; `nil` for a folder in the cache, which may be cleared: then they are beside the
  /// operator's.
  package let profiles: ProfileStore?
  private let lock: FileLock

  /// Takes `url`, and makes it where it is missing. Only this user may look into it.
  ///
  /// - Parameter keys: where the server's key is; nil for `url`.
  /// - Throws: ``MienError`` where it cannot be made, or another server uses it.
  package init(_ url: URL, keys: URL? = nil) throws {
    self.url = url
    self.keys = keys ?? url
    profiles = keys == nil ? ProfileStore(folder: url.appendingPathComponent("profiles", isDirectory: true)) : nil
    try Folders.make(url, mode: 0o700, remedy: "name another one with --state-dir")
    guard let lock = try FileLock(url.appendingPathComponent("server.lock"), mode: 0o600) else {
      throw MienError(.file, url.path, "another server uses this folder; name another one with --state-dir")
    }
    self.lock = lock
  }

  /// The first folder of `server/1`, `server/2`, … in the cache folder (`Folders.cache`) that no other server uses.
  package static func first(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> StateFolder {
    let servers = Folders.cache(environment).appendingPathComponent("server", isDirectory: true)
    func folder(_ number: Int) throws -> StateFolder {
      try StateFolder(servers.appendingPathComponent("\(number)", isDirectory: true), keys: servers)
    }
    do { return try folder(1) } catch let error {
      // Where none can be made, the first one's error says why.
      for number in 2...16 { if let folder = try? folder(number) { return folder } }
      throw error
    }
  }

  /// Where the video jobs are.
  var jobs: URL { url.appendingPathComponent("videos", isDirectory: true) }
}
