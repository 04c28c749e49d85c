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

  /// A folder that a variable of our own names; `nil` if it is unset or empty.
  private static func named(_ key: String, _ environment: Environment) -> URL? {
    environment[key].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true) }
  }

  /// The same for a variable that, by the XDG specification, is ignored unless its path is absolute.
  private static func absolute(_ key: String, _ environment: Environment) -> URL? {
    environment[key].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil }
  }
}
