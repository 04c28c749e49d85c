package import Foundation

/// A folder that lives as long as the test that made it.
package final class TemporaryFolder: Sendable {
  /// The folder.
  package let url: URL

  /// Makes it.
  package init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("mien-test-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A path inside.
  package func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// The development data beside the checkout, which is no part of it; `MIEN_SHARED` names another place.
package enum Shared {
  /// A path below it.
  package static func url(_ path: String) -> URL {
    let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
    let named = ProcessInfo.processInfo.environment["MIEN_SHARED"].flatMap { $0.isEmpty ? nil : $0 }
    let root = named.map { URL(fileURLWithPath: $0) } ?? beside
    return root.appendingPathComponent(path)
  }

  /// Whether a test of `path` is to run: it is there, or nothing may be skipped, in which case the test fails.
  package static func has(_ path: String) -> Bool { isStrict || FileManager.default.fileExists(atPath: url(path).path) }

  /// Whether tests whose data is missing fail instead of being skipped: `MIEN_STRICT=1`.
  package static let isStrict = ProcessInfo.processInfo.environment["MIEN_STRICT"] == "1"
}

/// Name spaces, in which a test makes disks of its own that fill up.
package enum NameSpace {
  /// Whether this process may mount a file system in one.
  package static let canMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// What stands before a command that runs with a disk of its own at `path`, of a size such as `1m`.
  package static func disk(at path: String, size: String) -> [String] {
    let script = "mount -t tmpfs -o size=\(size) tmpfs \(path) && exec \"$@\""
    return ["/usr/bin/unshare", "-m", "bash", "-c", script, "bash"]
  }
}
