package import Foundation
import Glibc

/// A lock on a file against other processes. The kernel lets go of it when the process ends, however it ends.
package final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of `url`, which is made with `mode` where it is missing; nil where someone else holds it, unless it
  /// `waits` until they let go.
  ///
  /// - Throws: ``MienError`` naming the file where it cannot be opened, or cannot be waited for.
  package init?(_ url: URL, mode: UInt32, waits: Bool = false) throws {
    let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw MienError(.file, url.relativePath, "could not be opened: \(String(cString: strerror(errno)))")
    }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      // A signal ends the wait, not the need for the lock.
      let reason = errno
      if waits && reason == EINTR { continue }
      close(descriptor)
      guard !waits else {
        throw MienError(.file, url.relativePath, "could not be locked: \(String(cString: strerror(reason)))")
      }
      return nil
    }
    self.descriptor = descriptor
  }

  /// Puts `text` into the file, as a courtesy to readers; whether that succeeds changes nothing about the lock.
  package func note(_ text: String) {
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.utf8.count, 0)
  }

  deinit {
    // A process that is being started holds a copy of the descriptor until its program begins, and the lock with it.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
