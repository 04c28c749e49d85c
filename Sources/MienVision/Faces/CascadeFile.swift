import Foundation
import MienCore

/// Finds the cascade that OpenCV ships; `package` for the tests.
package enum CascadeFile {
  /// Knows frontal faces by Haar features (Viola and Jones 2001; Lienhart and Maydt 2002).
  package static let name = "haarcascade_frontalface_alt2.xml"

  /// The path of the first copy of the cascade that exists.
  ///
  /// - Throws: ``MienError`` that says how to install it.
  package static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> String {
    let folders = folders(environment)
    for folder in folders {
      let path = folder.appendingPathComponent(name).path
      if FileManager.default.isReadableFile(atPath: path) { return path }
    }
    throw MienError(
      .file, name,
      "the cascade of the detector `haar` was not found in \(folders.map(\.path).joined(separator: ", ")); install it with "
        + "apt-get install opencv-data, or name its folder in MIEN_HAARCASCADES")
  }

  /// A folder that the user names is the only one searched: a wrong name should show.
  private static func folders(_ environment: [String: String]) -> [URL] {
    if let named = environment["MIEN_HAARCASCADES"], !named.isEmpty {
      return [URL(fileURLWithPath: named, isDirectory: true)]
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    return [
      program.appendingPathComponent("../share/mien/haarcascades").standardizedFileURL,
      program.appendingPathComponent("../share/opencv4/haarcascades").standardizedFileURL,
      URL(fileURLWithPath: "/usr/share/opencv4/haarcascades"),
      URL(fileURLWithPath: "/usr/local/share/opencv4/haarcascades"),
      URL(fileURLWithPath: "/usr/share/opencv/haarcascades"),
    ]
  }
}
