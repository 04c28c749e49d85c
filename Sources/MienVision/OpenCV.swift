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

  /// Decodes a file of which `header` tells the kind.
  ///
  /// - Throws: ``MienError`` of kind `format`.
  static func decode(_ file: UnsafeRawBufferPointer, _ header: ImageHeader) throws -> DecodedPicture {
    var buffer: OpaquePointer?
    var range = mien_opencv_range()
    var message: UnsafeMutablePointer<CChar>?
    let status = mien_opencv_decode(
      file.bindMemory(to: UInt8.self).baseAddress, file.count, header.format == .bmp ? 1 : 0, &buffer, &range, &message)
    guard status == MIEN_OPENCV_OK else {
      defer { mien_opencv_string_free(message) }
      let text = message.map { String(cString: $0) } ?? "no reason given"
      let name = header.format.rawValue
      throw MienError(
        .format, nil,
        status == MIEN_OPENCV_UNSUPPORTED
          ? "is a \(name) picture of a kind that is not read: \(text); save it with 8 or 16 bits per sample"
          : "is a damaged or truncated \(name) picture: \(text)")
    }
    var picture = DecodedPicture(
      format: header.format, width: Int(mien_opencv_buffer_width(buffer)),
      height: Int(mien_opencv_buffer_height(buffer)), channels: Int(mien_opencv_buffer_channels(buffer)),
      pixels: bytes(taking: buffer))
    picture.orientation = header.orientation
    picture.notes = header.notes
    picture.isInvisible = range.is_invisible != 0
    if range.is_scaled != 0, range.is_float != 0 {
      picture.notes.append(
        "has floating-point samples from \(range.smallest) to \(range.largest) where 0 to 1 is usual; they were scaled so "
          + "that the largest is white")
    } else if range.is_scaled != 0, let narrow = NarrowSamples(largest: Int(range.largest)) {
      picture.notes.append(narrow.note)
    }
    return picture
  }
}

extension Image {
  /// The picture as EXIF's `orientation` (1 to 8) says that it must be turned to be seen upright.
  func turned(byOrientation orientation: Int) throws -> Image {
    guard (2...8).contains(orientation) else { return self }
    let turned = try OpenCV.lending(self) { picture in
      var picture = picture
      return try [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, initialized in
        try OpenCV.check("turning a \(width)x\(height) picture") {
          mien_opencv_turn(&picture, Int32(orientation), buffer.baseAddress, pixels.count, $0)
        }
        initialized = pixels.count
      }
    }
    let isOnItsSide = orientation > 4
    return Image(
      uncheckedWidth: isOnItsSide ? height : width, height: isOnItsSide ? width : height, channels: channels,
      pixels: turned, reduction: reduction, wholeWidth: isOnItsSide ? wholeHeight : wholeWidth,
      wholeHeight: isOnItsSide ? wholeWidth : wholeHeight, warning: warning, isDamaged: isDamaged)
  }
}
