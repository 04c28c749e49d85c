import COpenCV
import MienCore

extension Image {
  /// A square part of the picture, turned upright and scaled to `size` x `size`: an exact crop where the square is upright,
  /// else bilinear, and averaged where it shrinks.
  ///
  /// - Throws: ``MienError`` where a number is not finite, the side is not in 0.5…1,000,000 or the size not in 1…4096.
  public func crop(_ square: TurnedSquare, size: Int) throws -> Image {
    guard square.degrees != 0 else {
      return try crop(centerX: square.center.x, centerY: square.center.y, side: square.side, size: size)
    }
    guard (1...4096).contains(size) else { throw MienError(.argument, nil, "cannot crop to \(size) pixels") }
    let count = size * size * channels
    let cropped = try OpenCV.lending(self) { picture in
      var picture = picture
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        try OpenCV.check("cropping a square of \(square.side) pixels") {
          mien_opencv_crop_turned(
            &picture, square.center.x, square.center.y, square.side, square.degrees, Int32(size), buffer.baseAddress,
            count, $0)
        }
        initialized = count
      }
    }
    return Image(uncheckedWidth: size, height: size, channels: channels, pixels: cropped)
  }

  /// A square part of the picture, scaled to `size` x `size`.
  ///
  /// Coordinates are continuous: pixel `i` covers `i ..< i + 1`, so the crop covers `centerX - side / 2` to
  /// `centerX + side / 2`. It may lie partly or wholly outside: the border's pixels are repeated. Where it shrinks,
  /// each result is the mean over the area that it covers (no aliasing); where it enlarges, it is bilinear. A crop of
  /// `size` whole pixels is an exact copy.
  ///
  /// - Throws: ``MienError`` where a number is not finite, the side is not in 0.5…1,000,000 or the size not in 1…4096.
  public func crop(centerX: Double, centerY: Double, side: Double, size: Int) throws -> Image {
    guard centerX.isFinite, centerY.isFinite, abs(centerX) < 1e9, abs(centerY) < 1e9, side >= 0.5, side <= 1_000_000,
      (1...4096).contains(size)
    else {
      throw MienError(.argument, nil, "cannot crop a square of \(side) pixels at (\(centerX), \(centerY)) to \(size)")
    }
    let columns = SampleWeights(start: centerX - side / 2, length: side, count: size, limit: width)
    let rows = SampleWeights(start: centerY - side / 2, length: side, count: size, limit: height)
    // Columns first, for the source rows in use only; then rows.
    let rowLength = size * channels
    var narrowed = [Float](repeating: 0, count: rows.range.count * rowLength)
    var result = [UInt8](repeating: 0, count: size * rowLength)
    pixels.withUnsafeBufferPointer { source in
      columns.taps.withUnsafeBufferPointer { taps in
        for row in rows.range {
          let sourceRow = row * width * channels
          let targetRow = (row - rows.range.lowerBound) * rowLength
          for column in 0..<size {
            for channel in 0..<channels {
              var sum: Float = 0
              for tap in columns.taps(column) {
                sum += taps[tap].weight * Float(source[sourceRow + taps[tap].index * channels + channel])
              }
              narrowed[targetRow + column * channels + channel] = sum
            }
          }
        }
      }
    }
    var sums = [Float](repeating: 0, count: rowLength)
    for row in 0..<size {
      for index in 0..<rowLength { sums[index] = 0 }
      for tap in rows.taps(row) {
        let sourceRow = (rows.taps[tap].index - rows.range.lowerBound) * rowLength
        let weight = rows.taps[tap].weight
        for index in 0..<rowLength { sums[index] += weight * narrowed[sourceRow + index] }
      }
      for index in 0..<rowLength {
        result[row * rowLength + index] = UInt8(max(0, min(255, sums[index].rounded())))
      }
    }
    return Image(uncheckedWidth: size, height: size, channels: channels, pixels: result)
  }
}

/// Along one axis: which source samples make each result, and with what weight. Weights of a result sum to 1.
private struct SampleWeights {
  private(set) var taps: [(index: Int, weight: Float)] = []
  /// The source samples that any result uses.
  private(set) var range: Range<Int> = 0..<0
  private var starts: [Int] = [0]

  /// Weights for `count` results that share `start ..< start + length` of `limit` samples equally.
  init(start: Double, length: Double, count: Int, limit: Int) {
    let step = length / Double(count)
    for index in 0..<count {
      let lower = start + Double(index) * step
      if step > 1 {
        addArea(lower, lower + step, limit)
      } else {
        // Sample centres lie at whole numbers + 0.5.
        let position = max(0, min(Double(limit - 1), lower + step / 2 - 0.5))
        let first = Int(position.rounded(.down))
        let share = position - Double(first)
        append(first, 1 - share)
        if share > 0 { append(min(first + 1, limit - 1), share) }
      }
      starts.append(taps.count)
    }
    let indices = taps.map(\.index)
    range = (indices.min() ?? 0)..<((indices.max() ?? 0) + 1)
  }

  /// Where result `index`'s samples stand in ``taps``.
  func taps(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// The mean over `lower ..< upper`; what lies outside counts for the border's sample.
  private mutating func addArea(_ lower: Double, _ upper: Double, _ limit: Int) {
    let length = upper - lower
    let end = Double(limit)
    let before = max(0, min(upper, 0) - lower)
    let after = max(0, upper - max(lower, end))
    if before > 0 { append(0, before / length) }
    let inside = max(lower, 0)..<max(max(lower, 0), min(upper, end))
    var position = inside.lowerBound
    while position < inside.upperBound {
      let sample = Int(position)
      let next = min(Double(sample + 1), inside.upperBound)
      append(sample, (next - position) / length)
      position = next
    }
    if after > 0 { append(limit - 1, after / length) }
  }

  private mutating func append(_ index: Int, _ weight: Double) {
    taps.append((index, Float(weight)))
  }
}
