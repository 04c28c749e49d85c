package import Foundation
import Glibc

/// Where Mien keeps files of its own: the environment first, then the XDG folders, then the home folder.
package enum Folders {
  /// What the environment says of the folders; tests give their own.
  package typealias Environment = [String: String]

  /// The environment of this process.
  package static var environment: Environment { ProcessInfo.processInfo.environment }

  /// The home folder: `HOME`, or what the system's list of users says if that is not set.
  package static func home(_ environment: Environment = environment) -> URL {
    if let home = absolute("HOME", environment) { return home }
    guard let entry = getpwuid(getuid()), let path = entry.pointee.pw_dir else { return URL(fileURLWithPath: "/") }
    return URL(fileURLWithPath: String(cString: path), isDirectory: true)
  }

  /// What can be made again, as compiled networks: `MIEN_CACHE`, else `mien` in `XDG_CACHE_HOME` or `~/.cache`.
  package static func cache(_ environment: Environment = environment) -> URL {
    named("MIEN_CACHE", environment)
      ?? (absolute("XDG_CACHE_HOME", environment) ?? home(environment).appendingPathComponent(".cache"))
      .appendingPathComponent("mien", isDirectory: true)
  }

  /// Profiles: `MIEN_PROFILES`, else `mien/profiles` in `XDG_CONFIG_HOME` or `~/.config`.
  package static func profiles(_ environment: Environment = environment) -> URL {
    named("MIEN_PROFILES", environment)
      ?? (absolute("XDG_CONFIG_HOME", environment) ?? home(environment).appendingPathComponent(".config"))
      .appendingPathComponent("mien/profiles", isDirectory: true)
  }

  /// Training runs: `MIEN_RUNS`, else `~/mien-runs`.
  package static func runs(_ environment: Environment = environment) -> URL {
    named("MIEN_RUNS", environment) ?? home(environment).appendingPathComponent("mien-runs", isDirectory: true)
  }

  /// Makes `folder` and the folders above it, as far as they are missing.
  ///
  /// - Parameters:
  ///   - mode: the permissions of new folders; `nil` for the usual ones.
  ///   - remedy: what a user can do if it cannot be made, for the error.
  /// - Throws: ``MienError`` that names the folder and the reason.
  package static func make(_ folder: URL, mode: Int? = nil, remedy: String? = nil) throws {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: mode.map { [.posixPermissions: $0] })
    } catch {
      throw MienError(
        .file, folder.relativePath,
        "the folder cannot be made: \(reason(against: folder))" + (remedy.map { "; \($0)" } ?? ""))
    }
  }

  /// Why `folder` could not be made.
  private static func reason(against folder: URL) -> String {
    var (place, missing) = (folder.absoluteURL.standardizedFileURL, folder.absoluteURL.standardizedFileURL)
    var isFolder: ObjCBool = false
    // The deepest part of the path that is there.
    while !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder), place.path != "/" {
      (missing, place) = (place, place.deletingLastPathComponent())
    }
    guard isFolder.boolValue else {
      let name = place.path == folder.absoluteURL.standardizedFileURL.path ? "a file of this name" : place.path
      return "\(name) exists and is not a folder"
    }
    return mkdir(missing.path, 0o777) == 0 ? "unknown reason" : String(cString: strerror(errno))
  }

  /// A folder that a variable of our own names; `nil` if it is unset or empty.
  private static func named(_ key: String, _ environment: Environment) -> URL? {
    environment[key].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true) }
  }

  /// The same for a variable that, by the XDG specification, is ignored unless its path is absolute.
  private static func absolute(_ key: String, _ environment: Environment) -> URL? {
    environment[key].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil }
  }
}
