import Foundation
import MienCore

/// Keeps other processes out of a run folder.
struct RunLock {
  /// The file that is locked.
  static let name = "run.lock"
  private let lock: FileLock

  /// Takes the lock `run.lock` in `folder`.
  ///
  /// - Throws: ``MienError`` naming the folder where someone else holds it.
  init(_ folder: URL) throws {
    let file = folder.appendingPathComponent(Self.name)
    guard let lock = try FileLock(file, mode: 0o644) else {
      let owner = (try? String(contentsOf: file, encoding: .utf8)).flatMap { Int($0) }
      let who = owner.map { " (process \($0))" } ?? ""
      throw MienError(.file, folder.relativePath, "another process\(who) is training this run; wait for it, or stop it")
    }
    lock.note("\(getpid())")
    self.lock = lock
  }
}
