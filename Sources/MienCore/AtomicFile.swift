public import Foundation
import Glibc

/// Writes files so that a crash or a full disk leaves the old contents in place.
public enum AtomicFile {
  /// Writes `chunks` one after another to a temporary file beside `url`, synchronises it to the disk, and renames it.
  ///
  /// - Throws: ``MienError`` naming the file; the temporary file is removed and an older `url` stays as it was.
  public static func write(to url: URL, chunks: [Data]) throws {
    func failure() -> MienError {
      MienError(.file, url.path, "could not be written: \(String(cString: strerror(errno)))")
    }
    let temporary = url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).tmp").path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure() }
    do {
      for chunk in chunks {
        try chunk.withUnsafeBytes { bytes in
          var rest = bytes[...]
          while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure() }
            rest = rest.dropFirst(written)
          }
        }
      }
      guard fsync(descriptor) == 0 else { throw failure() }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    guard close(descriptor) == 0, rename(temporary, url.path) == 0 else {
      let error = failure()
      unlink(temporary)
      throw error
    }
  }

  /// Writes `data` as ``write(to:chunks:)`` does.
  public static func write(_ data: Data, to url: URL) throws { try write(to: url, chunks: [data]) }
}

/// Says in words why a path cannot be used.
public enum FileProblem {
  /// Why `url` cannot be read: missing, a folder, or no permission.
  public static func reading(_ url: URL) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return "no such file" }
    if isFolder.boolValue { return "is a folder, expected a file" }
    if access(url.path, R_OK) != 0 { return "may not be read: \(String(cString: strerror(errno)))" }
    return "could not be read"
  }
}
