import COpenCV
import MienCore
import Synchronization

/// One loaded cascade; OpenCV's classifier keeps scratch memory, so one thread uses it at a time.
final class Cascade: Sendable {
  private let handle: Mutex<OpaquePointer>

  init(path: String) throws {
    var loaded: OpaquePointer?
    do {
      try OpenCV.check("cannot be loaded") { mien_opencv_cascade_load(path, &loaded, $0) }
    } catch let error as MienError {
      throw error.about(path)
    }
    guard let loaded else { throw MienError(.native, path, "cannot be loaded") }
    handle = Mutex(loaded)
  }

  deinit { handle.withLock { mien_opencv_cascade_free($0) } }

  /// What the cascade finds in a grey picture, whose histogram is equalised first.
  ///
  /// - Parameters:
  ///   - scaleFactor: ratio of one search size to the next, at least 1.01.
  ///   - minNeighbors: how many windows must agree.
  ///   - minSide: the least side of what is looked for, in pixels.
  ///   - maxSide: the largest side; 0 for the picture's.
  /// - Returns: places, and how many windows agreed on each.
  func detections(
    in grey: Image, scaleFactor: Double, minNeighbors: Int, minSide: Int, maxSide: Int = 0
  ) throws -> [(box: Box, windows: Int)] {
    try handle.withLock { handle in
      try OpenCV.lending(grey) { picture in
        var picture = picture
        var found: UnsafeMutablePointer<mien_opencv_detection>?
        var count = 0
        try OpenCV.check("detecting faces") {
          mien_opencv_cascade_detect(
            handle, &picture, scaleFactor, Int32(clamping: minNeighbors), Int32(clamping: minSide),
            Int32(clamping: maxSide), &found, &count, $0)
        }
        defer { mien_opencv_detections_free(found) }
        return UnsafeBufferPointer(start: found, count: count).map {
          (Box(x: Int($0.x), y: Int($0.y), width: Int($0.width), height: Int($0.height)), Int($0.neighbors))
        }
      }
    }
  }
}
