import COpenCV
package import Foundation
import Glibc
import MienCore

/// What of the system's optional parts is there, for `mien doctor`.
package enum SystemSupport {
  /// Loads the library that reads videos.
  ///
  /// - Throws: ``MienError`` that says what is missing.
  package static func loadVideoLibrary() throws { _ = try VideoShim.functions() }

  /// The version of libheif, which reads HEIC and AVIF pictures; `nil` if it is not installed.
  package static var heifVersion: String? {
    guard let library = dlopen(ImageCodecs.heifLibrary, RTLD_LAZY | RTLD_LOCAL) else { return nil }
    defer { dlclose(library) }
    guard let symbol = dlsym(library, "heif_get_version") else { return "unknown" }
    typealias Version = @convention(c) () -> UnsafePointer<CChar>?
    return unsafeBitCast(symbol, to: Version.self)().map { String(cString: $0) } ?? "unknown"
  }

  /// The version of OpenCV that this process runs.
  package static var openCVVersion: String {
    var (major, minor, revision): (Int32, Int32, Int32) = (0, 0, 0)
    mien_opencv_version(&major, &minor, &revision)
    return "\(major).\(minor).\(revision)"
  }

  /// The program that `mien video --annotate` encodes with; `nil` if it is not on the search path.
  package static var ffmpeg: URL? { FFmpegEncoder.program() }
}
