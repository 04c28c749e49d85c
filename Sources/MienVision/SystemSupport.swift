package import Foundation
import Glibc
import MienCore

/// What of the system's optional parts is there, for `mien doctor`.
package enum SystemSupport {
  /// Loads the library that reads videos.
  ///
  /// - Throws: ``MienError`` that says what is missing.
  package static func loadVideoLibrary() throws { _ = try VideoShim.functions() }

  /// Whether libheif, which reads HEIC and AVIF pictures, is installed.
  package static var hasHEIF: Bool {
    guard let library = dlopen(ImageCodecs.heifLibrary, RTLD_LAZY | RTLD_LOCAL) else { return false }
    dlclose(library)
    return true
  }

  /// The program that `mien video --annotate` encodes with; `nil` if it is not on the search path.
  package static var ffmpeg: URL? { FFmpegEncoder.program() }

  /// The file of a library that this process has loaded, with its version in the name, as `libopencv_core.so.4.6.0`.
  package static func loadedLibrary(_ name: String) -> String? {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    return maps.split(separator: "\n").lazy.compactMap { $0.split(separator: "/").last.map(String.init) }
      .first { $0.hasPrefix(name) }
  }
}
