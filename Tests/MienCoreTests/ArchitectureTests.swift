import Foundation
import Testing

/// What the documents say of the package is what Package.swift says.
@Suite struct ArchitectureTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static var hasPython: Bool {
    ["/usr/bin/python3", "/usr/local/bin/python3"].contains { FileManager.default.isExecutableFile(atPath: $0) }
      || (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/python3")
      }
  }

  @Test(
    .enabled(if: hasPython, "needs python3"),
    arguments: ["architecture.py", "resources.py"])
  func generatedFilesAreUpToDate(script: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", Self.root.appendingPathComponent("scripts/\(script)").path, "--check"]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let message = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(message)")
  }

  /// A client that needs another version of a package that Mien uses too must find one that suits both.
  @Test func dependenciesAreRanges() throws {
    let manifest = try String(contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
    let packages = manifest.split(separator: "\n").filter { $0.contains(".package(url:") }
    #expect(!packages.isEmpty)
    for line in packages {
      for pin in ["exact:", "revision:", "branch:"] { #expect(!line.contains(pin), "\(line)") }
    }
  }
}
