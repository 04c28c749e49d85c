/// The one path from a face's 8-bit pixels to a network's input, used by training and at run time alike.
///
/// 1. colour to grey where the model takes one channel: `(299 R + 587 G + 114 B + 500) / 1000`, integer division
///    (ITU-R BT.601 weights, rounded to nearest);
/// 2. histogram equalisation where the card asks for it (grey only);
/// 3. `value / 255` as a 32-bit float. Any further scaling is part of the network's graph.
///
/// A single picture is a batch of one. Nothing depends on a picture's contents but equalisation.
public struct Preprocessing: Sendable, Hashable, Codable {
  /// Input width in pixels.
  public var width: Int
  /// Input height in pixels.
  public var height: Int
  /// 1 (grey) or 3 (RGB, in this order).
  public var channels: Int
  /// Whether the histogram is equalised first.
  public var equalize: Bool

  /// Describes an input of `width` x `height` with `channels` channels.
  public init(width: Int = 48, height: Int = 48, channels: Int = 1, equalize: Bool = false) {
    self.width = width
    self.height = height
    self.channels = channels
    self.equalize = equalize
  }

  /// Elements a face: width x height x channels.
  public var elementCount: Int { width * height * channels }

  /// The network's input of one face.
  ///
  /// - Parameters:
  ///   - pixels: `width * height * sourceChannels` bytes, row-major, interleaved (RGB where three).
  ///   - sourceChannels: 1 or 3.
  /// - Returns: `[channels, height, width]` floats in 0…1, planar.
  /// - Throws: ``MienError`` where the byte count does not fit.
  public func input(pixels: [UInt8], sourceChannels: Int) throws -> [Float] {
    let area = width * height
    guard sourceChannels == 1 || sourceChannels == 3, pixels.count == area * sourceChannels else {
      throw MienError(
        .mismatch, nil,
        "expected a \(width)x\(height) face with 1 or 3 channels, found \(pixels.count) bytes in \(sourceChannels)")
    }
    if channels == 1 {
      var grey = sourceChannels == 3 ? Self.grey(rgb: pixels) : pixels
      if equalize { grey = Self.equalized(grey) }
      return grey.map(Self.scaled)
    }
    guard !equalize else { throw MienError(.argument, nil, "histogram equalisation takes grey input") }
    return (0..<3).flatMap { channel in
      (0..<area).map { Self.scaled(pixels[sourceChannels == 3 ? $0 * 3 + channel : $0]) }
    }
  }

  /// Interleaved 8-bit pixels with the channels that the model takes: colour becomes grey as above, grey is repeated.
  public func bytes(_ pixels: [UInt8], sourceChannels: Int) -> [UInt8] {
    if sourceChannels == channels { return pixels }
    if channels == 1 { return Self.grey(rgb: pixels) }
    return [UInt8](unsafeUninitializedCapacity: pixels.count * 3) { colour, count in
      for (index, value) in pixels.enumerated() {
        for channel in 0..<3 { colour.initializeElement(at: 3 * index + channel, to: value) }
      }
      count = pixels.count * 3
    }
  }

  /// An 8-bit value in 0…1.
  public static func scaled(_ value: UInt8) -> Float { Float(value) / 255 }

  /// Grey values of interleaved RGB bytes.
  public static func grey(rgb: [UInt8]) -> [UInt8] {
    // Frames of a video pass here: without bounds checks, and in 32 bits, the loop is vectorised.
    rgb.withUnsafeBufferPointer { samples in
      [UInt8](unsafeUninitializedCapacity: samples.count / 3) { grey, count in
        count = samples.count / 3
        for index in 0..<count {
          let (red, green, blue) = (samples[3 * index], samples[3 * index + 1], samples[3 * index + 2])
          let sum = 299 * UInt32(red) + 587 * UInt32(green) + 114 * UInt32(blue) + 500
          // Equal to sum / 1000 for every sum that can be, without leaving 32 bits.
          grey.initializeElement(at: index, to: UInt8(truncatingIfNeeded: ((sum >> 3) &* 33555) >> 22))
        }
      }
    }
  }

  /// Histogram equalisation of 8-bit grey values (Gonzalez and Woods, section 3.3; the usual form that maps the
  /// darkest value present to 0 and the brightest to 255). A picture of one value stays as it is.
  public static func equalized(_ grey: [UInt8]) -> [UInt8] {
    var histogram = [Int](repeating: 0, count: 256)
    for value in grey { histogram[Int(value)] += 1 }
    guard let darkest = histogram.firstIndex(where: { $0 > 0 }), histogram[darkest] < grey.count else { return grey }
    let scale = 255 / Float(grey.count - histogram[darkest])
    var sum = 0
    var table = [UInt8](repeating: 0, count: 256)
    for value in (darkest + 1)..<256 {
      sum += histogram[value]
      table[value] = UInt8(min(255, (Float(sum) * scale).rounded(.toNearestOrEven)))
    }
    return grey.map { table[Int($0)] }
  }
}

extension Preprocessing {
  /// Checks that the faces of `set` have the size of the input.
  ///
  /// - Parameter reader: what takes the input, a model's name for instance.
  /// - Throws: ``MienError`` about the set's source that says how to import it again.
  package func checkSize(of set: FaceSet, for reader: String) throws {
    guard set.width != width || set.height != height else { return }
    throw MienError(
      .mismatch, set.info.source,
      "faces of \(set.width)x\(set.height) pixels, \(reader) takes \(width)x\(height): import them with --size \(width)"
    )
  }
}
