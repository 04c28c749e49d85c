import CMienVideoFunctions
import Foundation
import Glibc
import MienCore

/// `libMienVideoShim.so`, loaded when the first video is opened: it pulls in FFmpeg's libraries and OpenCV's videoio, which
/// a program that reads photos need not wait for.
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
            "not found in \(candidates.joined(separator: ", ")) or the system's library path; reading videos needs it: in "
              + "Mien's sources `make build` makes it; a program that depends on Mien lists it among its target's "
              + "dependencies, .product(name: \"MienVideoShim\", package: \"mien\")"))
      }
      return .failure(
        MienError(.native, path, "cannot be loaded: \(reason); install libopencv-videoio406 and FFmpeg's libraries"))
    }
    guard let symbol = dlsym(library, "mien_opencv_video_functions"),
      let table = unsafeBitCast(symbol, to: mien_opencv_video_functions_type.self)()?.pointee,
      table.version == MIEN_OPENCV_VIDEO_VERSION
    else {
      return .failure(
        MienError(
          .native, path ?? name,
          "belongs to another version of Mien than this program; run `make build` in Mien's sources, or install Mien again"
        ))
    }
    return .success(table)
  }()

  /// Calls a function of the shim and throws what it reports.
  static func check(
    _ functions: mien_opencv_video_functions_table,
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) throws {
    var message: UnsafeMutablePointer<CChar>?
    let status = call(&message)
    guard status != MIEN_OPENCV_VIDEO_OK else { return }
    defer { functions.string_free(message) }
    let kind: MienError.Kind =
      switch status {
      case MIEN_OPENCV_VIDEO_INVALID: .argument
      case MIEN_OPENCV_VIDEO_LIMIT: .limit
      default: .native
      }
    throw MienError(kind, nil, message.map { String(cString: $0) } ?? "no reason given")
  }

  /// Lends a file of a known container to a function of the shim.
  static func withSource<Result>(
    _ path: String, _ container: VideoContainer, _ limits: VideoLimits = VideoLimits(),
    _ body: (UnsafePointer<mien_opencv_video_source>) -> Result
  ) -> Result {
    path.withCString { location in
      container.format.withCString { format in
        var source = mien_opencv_video_source()
        (source.location, source.format) = (location, format)
        source.is_untimed = container.isUntimed ? 1 : 0
        limits.apply(to: &source)
        return body(&source)
      }
    }
  }

  /// The sound of a video file.
  struct Sound {
    /// How many streams of sound the file has.
    let count: Int
    /// The number of the one to keep; `nil` if none can be decoded.
    let stream: Int?
    /// Seconds from the file's start to its first picture.
    let videoStart: Double
    /// FFmpeg's name of the file's format.
    let format: String

    init(of url: URL) throws {
      let (functions, container) = (try VideoShim.functions(), try VideoContainer(contentsOf: url))
      var found = mien_opencv_video_sound()
      try VideoShim.check(functions) { error in
        VideoShim.withSource(url.path, container) { functions.sound_find($0, &found, error) }
      }
      (count, stream, videoStart) = (Int(found.count), found.stream >= 0 ? Int(found.stream) : nil, found.video_start)
      format = container.format
    }
  }

  /// OpenCV's writer of video files.
  final class Writer {
    private let functions: mien_opencv_video_functions_table
    private var handle: OpaquePointer?

    init(path: String, _ format: VideoFormat) throws {
      let functions = try VideoShim.functions()
      var opened: OpaquePointer?
      try VideoShim.check(functions) {
        functions.writer_open(
          path, Int32(clamping: format.width), Int32(clamping: format.height), format.framesPerSecond, &opened, $0)
      }
      (self.functions, handle) = (functions, opened)
    }

    deinit { close() }

    func write(_ pixels: [UInt8]) throws {
      try VideoShim.check(functions) { functions.writer_write(handle, pixels, pixels.count, $0) }
    }

    func close() {
      functions.writer_close(handle)
      handle = nil
    }
  }
}
