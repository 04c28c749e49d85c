import Foundation

/// Files that only developers have: `../shared` beside the checkout, or the folder that `MIEN_SHARED` names.
enum Shared {
  static let root: URL = {
    if let named = ProcessInfo.processInfo.environment["MIEN_SHARED"], !named.isEmpty {
      return URL(fileURLWithPath: named, isDirectory: true)
    }
    let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return repository.deletingLastPathComponent().appendingPathComponent("shared", isDirectory: true)
  }()

  static var hasMedia: Bool { FileManager.default.isReadableFile(atPath: media("obama.jpg").path) }

  static func media(_ name: String) -> URL { root.appendingPathComponent("media/\(name)") }
}
