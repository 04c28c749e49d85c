import MienCore

/// What a decoder made of a file: pixels as stored, and what has to be done and said about them.
struct DecodedPicture {
  var format: PictureFormat
  var width: Int
  var height: Int
  /// 1 or 3.
  var channels: Int
  /// [height, width, channels]
  var pixels: [UInt8]
  /// Size of the whole picture, which may be decoded at 1/2, 1/4 or 1/8.
  var wholeWidth: Int
  var wholeHeight: Int
  var reduction = 1
  /// EXIF's orientation, 1 (as stored) to 8.
  var orientation = 1
  /// Rows of the whole picture, as stored, before the first that is missing or may be wrong.
  var goodRows: Int
  /// Whether the file ends too early.
  var isCut = false
  /// Whether the scans are missing that would have sharpened the picture.
  var isCoarse = false
  /// Whether the file is not as it should be, although every row may have been read.
  var hasFlaws = false
  /// Whether the picture is transparent everywhere.
  var isInvisible = false
  /// The largest sample of a picture of 16-bit samples, else 0.
  var largestSample = 0
  /// Pictures in the file.
  var frames = 1
  /// What else is said of the picture, each a sentence that starts after the file's name.
  var notes: [String] = []

  init(format: PictureFormat, width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    self.format = format
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
    (wholeWidth, wholeHeight, goodRows) = (width, height, height)
  }

  /// Whether rows are missing, coarse or may be wrong.
  var isDamaged: Bool { goodRows < wholeHeight || isCoarse }

  /// All that is said of the picture; nil for nothing.
  var warning: String? {
    var sentences: [String] = []
    if isCoarse {
      sentences.append("is cut off (truncated): what is left of it is coarser than it was")
    } else if isDamaged {
      let rows = goodRows == 0 ? "its rows" : "rows from \(goodRows + 1) of \(wholeHeight) on"
      sentences.append(
        isCut ? "is cut off (truncated): \(rows) are missing" : "is damaged: \(rows) may be wrong or missing")
    } else if isCut {
      sentences.append("ends too early, without an end marker; every row was read")
    } else if hasFlaws {
      sentences.append("has bytes out of place; every row was read")
    }
    if isInvisible { sentences.append("is completely transparent") }
    sentences += notes
    if notes.isEmpty, !isInvisible, isAlmostBlack { sentences.append("is almost black") }
    return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
  }

  /// Whether no sample is brighter than a tenth of white.
  private var isAlmostBlack: Bool { !pixels.contains { $0 > 25 } }

  /// The picture, decoded whole, at its place on a white canvas; what lies outside is left out.
  func placed(x: Int, y: Int, on canvas: (width: Int, height: Int)) -> DecodedPicture {
    var pixels = [UInt8](repeating: 255, count: canvas.width * canvas.height * channels)
    let count = min(width, canvas.width - x) * channels
    if count > 0 {
      for row in 0..<max(0, min(height, canvas.height - y)) {
        let (source, target) = (row * width * channels, ((y + row) * canvas.width + x) * channels)
        pixels.replaceSubrange(target..<target + count, with: self.pixels[source..<source + count])
      }
    }
    var placed = self
    (placed.width, placed.height, placed.pixels) = (canvas.width, canvas.height, pixels)
    (placed.wholeWidth, placed.wholeHeight) = canvas
    placed.goodRows = goodRows == wholeHeight ? canvas.height : goodRows == 0 ? 0 : min(y + goodRows, canvas.height)
    return placed
  }

  /// What is said of an animation.
  static func animation(_ format: PictureFormat, frames: Int) -> String {
    "is an animated \(format.rawValue) of \(frames.grouped) frames, of which the first was read; "
      + Image.videoAdvice
  }

  /// The error for a file that ends before anything of its picture can be read.
  static func truncated(_ format: PictureFormat, count: Int) -> MienError {
    MienError(
      .format, nil,
      "is a damaged or truncated \(format.rawValue) picture: its data end early, after \(count.grouped) bytes")
  }

  /// The error for a file that nothing of the picture can be read from.
  ///
  /// - Parameter words: what is wrong with it.
  static func damaged(_ format: PictureFormat, _ words: String) -> MienError {
    MienError(.format, nil, "is a damaged or truncated \(format.rawValue) picture: \(words)")
  }

  /// The error for a picture that is not too large, but would take too much time or memory.
  ///
  /// - Parameter words: what takes it.
  static func tooCostly(_ format: PictureFormat, _ words: String) -> MienError {
    MienError(
      .limit, nil,
      "is \(format.article) \(format.rawValue) picture that takes too much to decode: \(words); shrink it, or save it as a "
        + "plain JPEG")
  }
}

extension PictureFormat {
  /// The article before the name.
  var article: String { [.avif, .icon].contains(self) ? "an" : "a" }
}

extension UInt8 {
  /// A sample composited on white.
  ///
  /// - Parameter alpha: 0 (transparent) to 255.
  func overWhite(alpha: Int) -> UInt8 {
    let sum = Int(self) * alpha + 255 * (255 - alpha)
    return UInt8((sum + 127) / 255)
  }
}
