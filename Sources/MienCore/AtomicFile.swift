public import Foundation
import Glibc
import Synchronization

/// Writes files so that a crash or a full disk leaves the old contents in place.
public enum AtomicFile {
  /// How many temporary files this process made.
  private static let made = Atomic(0)

  /// Writes `chunks` one after another to a temporary file beside `url`, synchronises it to the disk, renames it, and
  /// synchronises the folder, so that the new contents outlast a loss of power. A link stays and its target is replaced;
  /// a device or a pipe is written to as it is.
  ///
  /// - Throws: ``MienError`` naming the file; the temporary file is removed and an older `url` stays as it was.
  public static func write(to url: URL, chunks: [Data]) throws {
    func failure() -> MienError {
      MienError(.file, url.relativePath, "could not be written: \(String(cString: strerror(errno)))")
    }
    if isSpecial(url) {
      let descriptor = open(url.path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure() }
      defer { close(descriptor) }
      guard chunks.allSatisfy({ writeAll($0, to: descriptor) }) else { throw failure() }
      return
    }
    let target = url.resolvingSymlinksInPath()
    var (temporary, descriptor) = ("", Int32(-1))
    repeat {
      // A name for each write: two of one process may be of one file.
      let number = made.wrappingAdd(1, ordering: .relaxed).newValue
      temporary = Self.temporary(target, named: target.lastPathComponent, "\(number).tmp").path
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      // A killed process of the same number may have left one behind.
    } while descriptor < 0 && errno == EEXIST
    guard descriptor >= 0 else { throw failure() }
    var old = stat()
    // What others may not read stays so.
    if stat(target.path, &old) == 0 { fchmod(descriptor, old.st_mode & 0o777) }
    do {
      guard chunks.allSatisfy({ writeAll($0, to: descriptor) }), fsync(descriptor) == 0 else { throw failure() }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    guard close(descriptor) == 0, rename(temporary, target.path) == 0 else {
      let error = failure()
      unlink(temporary)
      throw error
    }
    guard synchronize(folder: target.deletingLastPathComponent()) else { throw failure() }
  }

  /// A hidden name of this process beside `target`, for what becomes `target` when it is whole.
  package static func temporary(_ target: URL, named name: String, _ end: String) -> URL {
    // A long name leaves no room for what is added to it: names have 255 bytes at most.
    target.deletingLastPathComponent()
      .appendingPathComponent(".\(name.utf8.count > 200 ? "mien" : name).\(getpid()).\(end)")
  }

  /// Checks before long work that ``write(_:to:)`` could write `url`; makes nothing.
  ///
  /// - Throws: ``MienError`` naming the file, where it is a folder, its folder is missing or may not be written to.
  public static func checkWritable(_ url: URL) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
      throw MienError(.file, url.relativePath, "is a folder, expected a file to write")
    }
    if isSpecial(url) {
      guard access(url.path, W_OK) == 0 else {
        throw MienError(.file, url.relativePath, "may not be written to: \(String(cString: strerror(errno)))")
      }
      return
    }
    let folder = url.resolvingSymlinksInPath().deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw MienError(.file, url.relativePath, "cannot be written: its folder does not exist")
    }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw MienError(
        .file, url.relativePath,
        "cannot be written: its folder may not be written to: \(String(cString: strerror(errno)))")
    }
  }

  /// Whether the names in `folder` are on the disk; else `errno` says why not.
  private static func synchronize(folder: URL) -> Bool {
    let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder that may be written to but not read has no descriptor to synchronise.
    guard descriptor >= 0 else { return errno == EACCES }
    defer { close(descriptor) }
    // Some file systems cannot synchronise folders, and say so.
    return fsync(descriptor) == 0 || errno == EINVAL
  }

  /// Whether `url` is there and is neither a file nor a folder: renaming over it would replace a device by a file.
  public static func isSpecial(_ url: URL) -> Bool {
    var status = stat()
    guard stat(url.path, &status) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// Whether everything could be written; else `errno` says why not.
  package static func writeAll(_ data: Data, to descriptor: Int32) -> Bool {
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        rest = rest.dropFirst(written)
      }
      return true
    }
  }

  /// Writes `data` as ``write(to:chunks:)`` does.
  public static func write(_ data: Data, to url: URL) throws { try write(to: url, chunks: [data]) }
}

/// Says in words why a path cannot be used.
public enum FileProblem {
  /// The error for `url`, which could not be read: of kind `missing` if it is not there, else of kind `file`.
  public static func error(reading url: URL) -> MienError {
    let isThere = FileManager.default.fileExists(atPath: url.path)
    return MienError(isThere ? .file : .missing, url.relativePath, reading(url))
  }

  /// The text of a file.
  ///
  /// - Parameter expected: what the file should be, such as `a recipe (YAML)`.
  /// - Throws: ``MienError`` naming the file: it cannot be read, or is not text in UTF-8.
  package static func text(of url: URL, expected: String) throws -> String {
    guard let data = try? Data(contentsOf: url, options: .mappedIfSafe) else { throw error(reading: url) }
    if let text = String(data: data, encoding: .utf8) { return text }
    let found = FileSignature([UInt8](data.prefix(FileSignature.bytes)))?.name ?? "not text in UTF-8"
    throw MienError(.format, url.relativePath, "is \(found), expected \(expected)")
  }

  /// Why `url` cannot be read: missing, a folder, or no permission.
  public static func reading(_ url: URL) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return "no such file" }
    if isFolder.boolValue { return "is a folder, expected a file" }
    if access(url.path, R_OK) != 0 { return "may not be read: \(String(cString: strerror(errno)))" }
    return "could not be read"
  }
}

extension MienError {
  /// Whether the error is about the file at `url`, as it was named or by its whole path.
  package func isAbout(_ url: URL) -> Bool { subject == url.path || subject == url.relativePath }
}
