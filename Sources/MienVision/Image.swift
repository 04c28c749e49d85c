import COpenCV
public import Foundation
import MienCore

/// An upright picture of 8-bit samples: grey, or RGB in this order.
public struct Image: Sendable, Equatable {
  /// Width in pixels, at least 1.
  public let width: Int
  /// Height in pixels, at least 1.
  public let height: Int
  /// 1 (grey) or 3 (RGB).
  public let channels: Int
  /// `[height, width, channels]` samples in 0…255, row by row, interleaved.
  public let pixels: [UInt8]
  /// How many pixels of the whole picture one pixel spans along each side: 1, or 2, 4 or 8 for a file of more than
  /// ``ImageLimits/decodedPixels``.
  public let reduction: Int
  /// Width of the whole picture in the file, upright; ``width`` unless it was decoded at a reduced size.
  public let wholeWidth: Int
  /// Height of the whole picture in the file, upright.
  public let wholeHeight: Int
  /// What is wrong with the file, in a sentence that starts after its name: part of it is missing, only its first page
  /// was read; `nil` if nothing is.
  public let warning: String?
  /// What reads all pictures of an animation, as ``warning`` says it. A program that reads them otherwise puts that in its place.
  package static let videoAdvice = "`mien video FILE` reads all"
  /// Whether part of the picture is missing or may be wrong, as in a download that broke off.
  public let isDamaged: Bool

  /// Makes a picture of samples in memory.
  ///
  /// - Parameter pixels: `width * height * channels` samples, interleaved.
  /// - Throws: ``MienError`` where the count does not fit, a side is not in 1…2^31 - 1, or the channels are not 1 or 3.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws {
    try self.init(
      width: width, height: height, channels: channels, pixels: pixels, reduction: 1, wholeWidth: width,
      wholeHeight: height, warning: nil, isDamaged: false)
  }

  /// Makes a picture that another process has decoded.
  ///
  /// - Throws: ``MienError`` as ``init(width:height:channels:pixels:)`` does.
  package init(
    width: Int, height: Int, channels: Int, pixels: [UInt8], reduction: Int, wholeWidth: Int, wholeHeight: Int,
    warning: String?, isDamaged: Bool
  ) throws {
    guard width > 0, height > 0, width <= Int32.max, height <= Int32.max, channels == 1 || channels == 3 else {
      throw MienError(
        .argument, nil,
        "expected a picture with 1 or 3 channels and positive sides, found \(width)x\(height)x\(channels)")
    }
    let (count, overflow) = (width * height).multipliedReportingOverflow(by: channels)
    guard !overflow, count == pixels.count else {
      throw MienError(
        .mismatch, nil, "expected the samples of a \(width)x\(height)x\(channels) picture, found \(pixels.count)")
    }
    self.init(
      uncheckedWidth: width, height: height, channels: channels, pixels: pixels, reduction: reduction,
      wholeWidth: wholeWidth, wholeHeight: wholeHeight, warning: warning, isDamaged: isDamaged)
  }

  /// For samples whose count is known to fit.
  init(
    uncheckedWidth width: Int, height: Int, channels: Int, pixels: [UInt8], reduction: Int = 1, wholeWidth: Int? = nil,
    wholeHeight: Int? = nil, warning: String? = nil, isDamaged: Bool = false
  ) {
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
    self.reduction = reduction
    self.wholeWidth = wholeWidth ?? width
    self.wholeHeight = wholeHeight ?? height
    self.warning = warning
    self.isDamaged = isDamaged
  }
}

extension Image {
  /// Whether two pictures have the same size and pixels; what is said of their files does not count.
  public static func == (first: Image, second: Image) -> Bool {
    (first.width, first.height, first.channels) == (second.width, second.height, second.channels)
      && first.pixels == second.pixels
  }

  /// The largest square picture that is taken for a face cut out of a photo, in pixels of a side.
  private static let largestCrop = 1024

  /// Whether a picture of this size is more likely a whole photo than a face cut out of one: a side is longer by more than a
  /// tenth than the other, or both are longer than 1,024 pixels.
  package static func isLikelyPhoto(width: Int, height: Int) -> Bool {
    max(width, height) * 10 > min(width, height) * 11 || min(width, height) > largestCrop
  }

  /// The picture as a file's bytes.
  ///
  /// - Throws: ``MienError`` where the quality is not 1…100 or the encoder fails (JPEG's sides end at 65,535).
  public func encoded(as format: ImageFormat) throws -> Data {
    var buffer: OpaquePointer?
    try OpenCV.lending(self) { picture in
      var picture = picture
      try OpenCV.check("encoding a \(width)x\(height) picture") { error in
        switch format {
        case .png: mien_opencv_encode(&picture, ".png", 0, &buffer, error)
        case .jpeg(let quality): mien_opencv_encode(&picture, ".jpg", Int32(clamping: quality), &buffer, error)
        }
      }
    }
    return Data(OpenCV.bytes(taking: buffer))
  }

  /// Writes the picture as PNG or JPEG, by the file's extension; an older file is replaced whole or not at all.
  ///
  /// - Throws: ``MienError`` that names the file: another extension, or it could not be written.
  public func write(to url: URL) throws {
    guard let format = ImageFormat(fileExtension: url.pathExtension) else {
      throw MienError(.argument, url.path, "expected a name that ends in .png, .jpg or .jpeg")
    }
    do { try AtomicFile.write(encoded(as: format), to: url) } catch let error as MienError {
      throw error.about(url.path)
    }
  }

  /// The picture with one channel, by ``Preprocessing/grey(rgb:)``.
  public var grey: Image {
    guard channels == 3 else { return self }
    return Image(uncheckedWidth: width, height: height, channels: 1, pixels: Preprocessing.grey(rgb: pixels))
  }

  /// The picture with three equal channels where it is grey, else itself.
  public var rgb: Image {
    guard channels == 1 else { return self }
    let tripled = [UInt8](unsafeUninitializedCapacity: pixels.count * 3) { buffer, count in
      for (index, value) in pixels.enumerated() {
        for channel in 0..<3 { buffer.initializeElement(at: 3 * index + channel, to: value) }
      }
      count = pixels.count * 3
    }
    return Image(uncheckedWidth: width, height: height, channels: 3, pixels: tripled)
  }

  /// The picture at another size: by pixel area (OpenCV's `INTER_AREA`) where neither side grows, else bilinear.
  ///
  /// - Throws: ``MienError`` where a side is not positive.
  public func resized(width: Int, height: Int) throws -> Image {
    try resized(width: width, height: height, byArea: true)
  }

  /// The picture at another size, bilinear. What is shrunk to less than half loses detail unevenly, so halve it first;
  /// above that it is several times as fast as by area.
  ///
  /// - Throws: ``MienError`` where a side is not positive.
  package func resampled(width: Int, height: Int) throws -> Image {
    try resized(width: width, height: height, byArea: false)
  }

  private func resized(width: Int, height: Int, byArea: Bool) throws -> Image {
    guard width > 0, height > 0, width <= Int32.max, height <= Int32.max else {
      throw MienError(.argument, nil, "expected a size of at least 1x1, found \(width)x\(height)")
    }
    if width == self.width, height == self.height { return self }
    let (count, overflow) = (width * height).multipliedReportingOverflow(by: channels)
    guard !overflow, count <= 1 << 32 else {
      throw MienError(.limit, nil, "a \(width)x\(height) picture is too large")
    }
    let resized = try OpenCV.lending(self) { picture in
      var picture = picture
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        try OpenCV.check("resizing to \(width)x\(height)") {
          mien_opencv_resize(
            &picture, Int32(width), Int32(height), byArea ? 1 : 0, buffer.baseAddress, count, $0)
        }
        initialized = count
      }
    }
    return Image(uncheckedWidth: width, height: height, channels: channels, pixels: resized)
  }

  /// The picture with half the sides, each pixel the mean of four; an odd last column or row is left out.
  ///
  /// - Throws: ``MienError`` if a side is less than 2 pixels.
  package func halved() throws -> Image {
    let count = (width / 2) * (height / 2) * channels
    let halved = try OpenCV.lending(self) { picture in
      var picture = picture
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        try OpenCV.check("halving the picture") { mien_opencv_halve(&picture, buffer.baseAddress, count, $0) }
        initialized = count
      }
    }
    return Image(uncheckedWidth: width / 2, height: height / 2, channels: channels, pixels: halved)
  }

  /// The picture with sides `factor` times as long, rounded, of at least one pixel.
  ///
  /// - Throws: ``MienError`` where OpenCV fails.
  func scaled(by factor: Double) throws -> Image {
    func side(_ length: Int) -> Int { max(1, Int((Double(length) * factor).rounded())) }
    return try resized(width: side(width), height: side(height))
  }
}

extension FaceSet {
  /// Face `index` as a picture.
  package func image(at index: Int) throws -> Image {
    try Image(width: width, height: height, channels: channels, pixels: face(at: index))
  }
}
