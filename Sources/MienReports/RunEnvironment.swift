import Foundation
import MienCore

/// The machine and the day of a measurement.
public struct RunEnvironment: Sendable, Equatable {
  /// The version of Mien, with the commit of an installed program.
  public var version: String
  /// The operating system.
  public var system: String
  /// The processor's name.
  public var processor: String
  /// Processor cores in use.
  public var cores: Int
  /// The day, as `2025-03-31`, in universal time.
  public var date: String

  /// Describes an environment.
  public init(version: String, system: String, processor: String, cores: Int, date: String) {
    self.version = version
    self.system = system
    self.processor = processor
    self.cores = cores
    self.date = date
  }

  /// This machine, now; what the system does not tell is `unknown`.
  public static func current() -> RunEnvironment {
    RunEnvironment(
      version: MienVersion.text,
      system: value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=")
        ?? ProcessInfo.processInfo.operatingSystemVersionString,
      processor: value(of: "model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown",
      cores: ProcessInfo.processInfo.activeProcessorCount,
      date: Date().formatted(.iso8601.year().month().day()))
  }

  /// The command line as one would type it again; addresses without the passwords that may stand in them.
  public static var commandLine: String {
    let words = CommandLine.arguments.dropFirst().map { ShellWord.quoted(NetworkAddress($0)?.shown ?? $0) }
    return (["mien"] + words).joined(separator: " ")
  }

  /// The value of the first line `key separator value` of a file, without blanks and quotes.
  private static func value(of key: String, in path: String, separator: Character) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      return parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
    }
    return nil
  }
}
