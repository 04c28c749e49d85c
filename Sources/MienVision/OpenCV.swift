import COpenCV
import MienCore

/// Swift's side of the shim: statuses become ``MienError``, handles are freed, pixels are lent for one call only.
enum OpenCV {
  /// Calls a shim function and throws what it reports.
  static func check(_ what: String, _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32) throws {
    var message: UnsafeMutablePointer<CChar>?
    let status = call(&message)
    guard status != MIEN_OPENCV_OK else { return }
    defer { mien_opencv_string_free(message) }
    let text = message.map { String(cString: $0) } ?? "no reason given"
    throw MienError(status == MIEN_OPENCV_INVALID ? .argument : .native, nil, "\(what): \(text)")
  }

  /// Lends an image's pixels to `body`.
  static func lending<Result>(_ image: Image, _ body: (mien_opencv_picture) throws -> Result) rethrows -> Result {
    try image.pixels.withUnsafeBufferPointer { buffer in
      try body(
        mien_opencv_picture(
          pixels: buffer.baseAddress, count: buffer.count, width: Int32(image.width), height: Int32(image.height),
          channels: Int32(image.channels)))
    }
  }

  /// The bytes of a buffer, which is freed.
  static func bytes(taking buffer: OpaquePointer?) -> [UInt8] {
    defer { mien_opencv_buffer_free(buffer) }
    return Array(
      UnsafeBufferPointer(start: mien_opencv_buffer_bytes(buffer), count: mien_opencv_buffer_count(buffer)))
  }
}
