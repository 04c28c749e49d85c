import CImageCodecs
import MienCore

/// Swift's side of the decoders of JPEG, PNG, GIF, HEIC and AVIF: statuses become ``MienError`` and ``DecodedPicture``.
enum ImageCodecs {
  /// The name that libheif's library has on Debian and Ubuntu.
  static let heifLibrary = "libheif.so.1"

  static func jpeg(
    _ file: UnsafeRawBufferPointer, _ limits: ImageLimits, shouldStop: @escaping () -> Bool
  ) throws -> DecodedPicture {
    try decode(.jpeg, file, limits, shouldStop) { mien_image_decode_jpeg($0, file.count, $1, $2, $3) }
  }

  static func png(
    _ file: UnsafeRawBufferPointer, _ limits: ImageLimits, shouldStop: @escaping () -> Bool
  ) throws -> DecodedPicture {
    func read(white: Int32) throws -> DecodedPicture {
      try decode(.png, file, limits, shouldStop) { mien_image_decode_png($0, file.count, $1, white, $2, $3) }
    }
    var picture = try read(white: 0)
    if let brightness = NarrowSamples(largest: picture.largestSample) {
      picture = try read(white: Int32(brightness.largest))
      picture.notes.append(brightness.note)
    }
    return picture
  }

  static func gif(
    _ file: UnsafeRawBufferPointer, _ limits: ImageLimits, shouldStop: @escaping () -> Bool
  ) throws -> DecodedPicture {
    var picture = try decode(.gif, file, limits, shouldStop) { mien_image_decode_gif($0, file.count, $1, $2, $3) }
    if picture.frames > 1 { picture.notes.append(DecodedPicture.animation(.gif, frames: picture.frames)) }
    return picture
  }

  /// Decodes a picture whose boxes ``HEIFFile`` has checked.
  ///
  /// - Parameter library: libheif's file name; tests give one that is not there.
  static func heif(
    _ format: PictureFormat, _ file: UnsafeRawBufferPointer, _ limits: ImageLimits, library: String = heifLibrary
  ) throws -> DecodedPicture {
    try decode(format, file, limits) { mien_image_decode_heif(library, $0, file.count, $1, $2, $3) }
  }

  /// Reduces a picture that was decoded whole, if it has more pixels than are kept.
  static func reduce(_ picture: inout DecodedPicture, _ limits: ImageLimits) throws {
    guard picture.reduction == 1, picture.width * picture.height > limits.decodedPixels else { return }
    var image = mien_image()
    defer { mien_image_free(&image) }
    let (width, height, channels) = (Int32(picture.width), Int32(picture.height), Int32(picture.channels))
    let status = mien_image_reduce(
      picture.pixels, width, height, channels, Int64(limits.decodedPixels), &image, nil)
    guard status == MIEN_IMAGE_OK else {
      throw MienError(.native, nil, "reducing a \(width)x\(height) picture failed: out of memory")
    }
    (picture.width, picture.height, picture.reduction) = (Int(image.width), Int(image.height), Int(image.reduction))
    picture.pixels = Array(
      UnsafeBufferPointer(start: image.pixels, count: picture.width * picture.height * picture.channels))
  }

  /// Lends a closure to C.
  private final class Watch {
    let shouldStop: () -> Bool
    init(_ shouldStop: @escaping () -> Bool) { self.shouldStop = shouldStop }
  }

  private typealias Decoder = (
    UnsafePointer<UInt8>?, UnsafePointer<mien_image_limits>, UnsafeMutablePointer<mien_image>,
    UnsafeMutablePointer<CChar>?
  ) -> Int32

  private static func decode(
    _ format: PictureFormat, _ file: UnsafeRawBufferPointer, _ limits: ImageLimits,
    _ shouldStop: @escaping () -> Bool = { false }, _ decoder: Decoder
  ) throws -> DecodedPicture {
    let watch = Watch(shouldStop)
    var bounds = mien_image_limits(
      pixels: Int64(limits.maxPixels), decoded_pixels: Int64(limits.decodedPixels),
      whole_pixels: Int64(limits.maxWholePixels), whole_bytes: Int64(limits.sampleBytes),
      held_bytes: Int64(limits.heldBytes),
      go_on: { context in
        guard let context else { return 1 }
        return Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue().shouldStop() ? 0 : 1
      },
      go_on_context: Unmanaged.passUnretained(watch).toOpaque())
    var image = mien_image()
    defer { mien_image_free(&image) }
    var words = [CChar](repeating: 0, count: Int(MIEN_IMAGE_MESSAGE))
    let status = withExtendedLifetime(watch) {
      decoder(file.bindMemory(to: UInt8.self).baseAddress, &bounds, &image, &words)
    }
    if status == MIEN_IMAGE_STOPPED { throw CancellationError() }
    guard status == MIEN_IMAGE_OK else {
      let text = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw error(status, text, format, image, limits, count: file.count)
    }
    let count = Int(image.width) * Int(image.height) * Int(image.channels)
    var picture = DecodedPicture(
      format: format, width: Int(image.width), height: Int(image.height), channels: Int(image.channels),
      pixels: Array(UnsafeBufferPointer(start: image.pixels, count: count)))
    picture.wholeWidth = Int(image.full_width)
    picture.wholeHeight = Int(image.full_height)
    picture.reduction = Int(image.reduction)
    picture.goodRows = Int(image.good_rows)
    picture.isCut = image.is_cut != 0
    picture.isCoarse = image.is_coarse != 0
    picture.hasFlaws = image.has_flaws != 0
    picture.isInvisible = image.is_invisible != 0
    picture.largestSample = Int(image.largest_sample)
    picture.frames = Int(image.frames)
    if let exif = image.exif {
      let view = ByteView(bytes: UnsafeRawBufferPointer(start: exif, count: image.exif_count))
      picture.orientation = TIFFDirectory(view)?.orientation ?? 1
    }
    return picture
  }

  private static func error(
    _ status: Int32, _ words: String, _ format: PictureFormat, _ image: mien_image, _ limits: ImageLimits, count: Int
  ) -> MienError {
    let name = format.rawValue
    switch status {
    case MIEN_IMAGE_TOO_LARGE where Int64(image.full_width) * Int64(image.full_height) > limits.maxWholePixels:
      return limits.error(width: Int(image.full_width), height: Int(image.full_height), format)
    case MIEN_IMAGE_TOO_LARGE, MIEN_IMAGE_TOO_COSTLY: return DecodedPicture.tooCostly(format, words)
    case MIEN_IMAGE_MISSING where words == "decoder":
      let (codec, package) = format == .avif ? ("AV1", "libheif-plugin-dav1d") : ("HEVC", "libheif-plugin-libde265")
      return MienError(
        .native, nil,
        "is \(format.article) \(name) picture; reading it needs libheif's \(codec) decoder, which is not installed: "
          + "apt-get install \(package), or convert the picture first: heif-convert in.\(name.lowercased()) out.jpg")
    case MIEN_IMAGE_MISSING:
      return MienError(
        .native, nil,
        "is \(format.article) \(name) picture; reading it needs libheif, which is not installed: "
          + "apt-get install libheif1, or convert the picture first: heif-convert in.\(name.lowercased()) out.jpg")
    case MIEN_IMAGE_UNSUPPORTED:
      return MienError(.format, nil, "is \(format.article) \(name) picture of a kind that is not read: \(words)")
    default:
      if image.is_cut != 0 { return DecodedPicture.truncated(format, count: count) }
      return DecodedPicture.damaged(format, words)
    }
  }
}

/// 16-bit samples that end far below white, as cameras of 10 or 12 bits leave them.
struct NarrowSamples {
  let largest: Int

  /// Nil where the largest sample has 13 bits or more, or is 0.
  init?(largest: Int) {
    guard (1..<4096).contains(largest) else { return nil }
    self.largest = largest
  }

  /// What is said of the picture.
  var note: String {
    "is almost black as it is stored: the largest of its 16-bit samples is \(largest) of 65535; it was brightened so that "
      + "\(largest) is white"
  }
}
