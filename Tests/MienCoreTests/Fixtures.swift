import Foundation

/// Files that stand beside these tests.
enum Fixtures {
  /// The file `name` of `Fixtures/`.
  static func url(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
  }

  /// The JSON file `name`, decoded.
  static func decode<Value: Decodable>(_ name: String, as _: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: url(name)))
  }
}

/// A folder that lives as long as the test that made it.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("mien-test-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A path inside.
  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}
