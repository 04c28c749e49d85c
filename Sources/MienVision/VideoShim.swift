import CMienVideoFunctions
import Foundation
import Glibc
import MienCore

/// `libMienVideoShim.so`, loaded when the first video is opened: it pulls in OpenCV's videoio and FFmpeg, which a program
/// that reads photos need not wait for.
enum VideoShim {
  private static let name = "libMienVideoShim.so"

  /// The shim's functions.
  ///
  /// - Throws: ``MienError`` that says where the library was looked for, or which of its own libraries is missing.
  static func functions() throws -> mien_opencv_video_functions_table { try loaded.get() }

  private static let loaded: Result<mien_opencv_video_functions_table, MienError> = {
    // Beside the program (a build), or where an installation puts libraries; else the system's search path.
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let candidates = [
      program.appendingPathComponent(name).path,
      program.appendingPathComponent("../lib/mien/\(name)").standardizedFileURL.path,
    ]
    let path = candidates.first { FileManager.default.fileExists(atPath: $0) }
    guard let library = dlopen(path ?? name, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      guard path != nil else {
        return .failure(
          MienError(
            .native, name,
            "not found in \(candidates.joined(separator: ", ")) or the system's library path; reading videos needs it: "
              + "build it with `swift build --product MienVideoShim`"))
      }
      return .failure(
        MienError(.native, path, "cannot be loaded: \(reason); install libopencv-videoio406 and FFmpeg's libraries"))
    }
    guard let symbol = dlsym(library, "mien_opencv_video_functions"),
      let table = unsafeBitCast(symbol, to: mien_opencv_video_functions_type.self)()?.pointee,
      table.version == MIEN_OPENCV_VIDEO_VERSION
    else { return .failure(MienError(.native, path ?? name, "belongs to another version of Mien")) }
    return .success(table)
  }()
}
