import Foundation
import MienCore

/// Keeps other processes out of a run folder. The kernel lets go of it when the process ends, however it ends.
final class RunLock {
  /// The file that is locked.
  static let name = "run.lock"
  private let descriptor: Int32

  /// Takes the lock `run.lock` in `folder`.
  ///
  /// - Throws: ``MienError`` naming the folder where someone else holds it.
  init(_ folder: URL) throws {
    let path = folder.appendingPathComponent(Self.name).path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw MienError(.file, path, "could not be opened: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let owner = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int($0) }
      let who = owner.map { " (process \($0))" } ?? ""
      close(descriptor)
      throw MienError(.file, folder.path, "another process\(who) is training this run; wait for it, or stop it")
    }
    // Who holds it is a courtesy to readers; the lock does not depend on it.
    let text = Data("\(getpid())".utf8)
    _ = ftruncate(descriptor, 0)
    _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  deinit {
    // A process that is being started holds a copy of the descriptor until its program begins, and the lock with it.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
