import Foundation
import MienCore

/// Finds the cascade that OpenCV ships; `package` for the tests.
package enum CascadeFile {
  /// Knows frontal faces by Haar features (Viola and Jones 2001; Lienhart and Maydt 2002).
  package static let name = "haarcascade_frontalface_alt2.xml"
  /// Finds faces seen from their left side.
  package static let profileName = "haarcascade_profileface.xml"
  /// Finds frontal faces by local binary patterns (Liao et al. 2007): fast.
  package static let scoutName = "lbpcascade_frontalface.xml"

  /// The path of the first copy of the cascade called `name` that exists.
  ///
  /// - Throws: ``MienError`` that says how to install it.
  package static func find(
    _ name: String = name, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> String {
    let folders = folders(environment).flatMap { folder in
      // Those of local binary patterns lie in a folder beside.
      name.hasPrefix("lbp") ? [folder, folder.appendingPathComponent("../lbpcascades").standardizedFileURL] : [folder]
    }
    for folder in folders {
      let path = folder.appendingPathComponent(name).path
      if FileManager.default.isReadableFile(atPath: path) { return path }
    }
    throw MienError(
      .file, name,
      "the face detector's cascade was not found in \(folders.map(\.path).joined(separator: ", ")); install it with "
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
