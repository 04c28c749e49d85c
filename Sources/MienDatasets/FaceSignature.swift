import Foundation
import MienCore
package import MienVision

/// What of a face is compared to find near copies: 48x48 equalised grey values, and 128 bits that are alike for like
/// faces.
///
/// Equalisation takes brightness and contrast out. The bits are the signs of the 128 lowest frequencies of the discrete
/// cosine transform, the mean left out: those change little with a shift of a pixel, a watermark or another codec.
package struct FaceSignature: Sendable {
  /// Width and height of the values compared.
  static let side = 48
  /// The standard deviation of the grey values below which a picture is blank. FER2013's faces start at 9; its 14 blank
  /// pictures, the odd speck included, end at 4.2.
  package static let blankDeviation = 5.0
  /// The similarity from which on two faces are near copies; `docs/datasets.md` says how it was chosen.
  package static let nearThreshold: Float = 0.92
  /// The most bits in which near copies differ: 45 in the 2,297 pairs of FER2013.
  static let maximumDistance = 44
  /// Byte `c` of the bits, for `c` below this, holds frequencies from the lowest to the 96th: a bucket's key.
  static let keyCount = 12

  /// Equalised grey values, [48, 48].
  let pixels: [UInt8]
  /// Signs of the frequencies.
  let bits: SIMD2<UInt64>
  /// Of the inner values, one for each of `shifts`.
  private let windows: [Window]
  /// Whether the picture is of one grey, or nearly.
  package let isBlank: Bool

  /// Describes a face of any size and colour.
  package init(_ image: Image) throws {
    let grey = image.grey
    isBlank = Self.deviation(grey.pixels) < Self.blankDeviation
    pixels = Preprocessing.equalized(try grey.resized(width: Self.side, height: Self.side).pixels)
    bits = Self.bits(of: pixels)
    windows = pixels.withUnsafeBufferPointer { pixels in Self.shifts.map { Window(pixels, $0) } }
  }

  private static func deviation(_ values: [UInt8]) -> Double {
    var (sum, squares) = (0, 0)
    for value in values {
      sum += Int(value)
      squares += Int(value) * Int(value)
    }
    let mean = Double(sum) / Double(values.count)
    return max(0, Double(squares) / Double(values.count) - mean * mean).squareRoot()
  }

  // MARK: - Bits

  private static let frequencies = 14
  /// [frequency, position] of the transform, unnormalised: only signs are used.
  private static let basis: [Float] = (0..<frequencies).flatMap { frequency in
    (0..<side).map { Float(cos(Double.pi * (Double($0) + 0.5) * Double(frequency) / Double(side))) }
  }
  /// The 128 lowest frequencies but the mean, as vertical * `frequencies` + horizontal.
  private static let order: [Int] = (1..<(frequencies * frequencies))
    .sorted { a, b in (squaredRadius(a), a) < (squaredRadius(b), b) }
    .prefix(128).map(\.self)

  private static func squaredRadius(_ index: Int) -> Int {
    let (vertical, horizontal) = index.quotientAndRemainder(dividingBy: frequencies)
    return vertical * vertical + horizontal * horizontal
  }

  private static func bits(of pixels: [UInt8]) -> SIMD2<UInt64> {
    // Columns of each row first, then rows: [side, frequencies], then [frequencies, frequencies].
    var narrowed = [Float](repeating: 0, count: side * frequencies)
    var spectrum = [Float](repeating: 0, count: frequencies * frequencies)
    basis.withUnsafeBufferPointer { basis in
      pixels.withUnsafeBufferPointer { pixels in
        for row in 0..<side {
          for frequency in 0..<frequencies {
            var sums = SIMD8<Float>.zero
            for start in stride(from: 0, to: side, by: 8) {
              var (values, factors) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
              for lane in 0..<8 {
                values[lane] = Float(pixels[row * side + start + lane])
                factors[lane] = basis[frequency * side + start + lane]
              }
              sums += values * factors
            }
            narrowed[row * frequencies + frequency] = sums.sum()
          }
        }
        for vertical in 0..<frequencies {
          for row in 0..<side {
            let factor = basis[vertical * side + row]
            for horizontal in 0..<frequencies {
              spectrum[vertical * frequencies + horizontal] += factor * narrowed[row * frequencies + horizontal]
            }
          }
        }
      }
    }
    var bits = SIMD2<UInt64>.zero
    for (index, frequency) in order.enumerated() where spectrum[frequency] > 0 {
      // Every key gets low and high frequencies.
      let position = index < 8 * keyCount ? index % keyCount * 8 + index / keyCount : index
      bits[position / 64] |= 1 << UInt64(position % 64)
    }
    return bits
  }

  /// How many of the 128 bits differ.
  static func distance(_ a: SIMD2<UInt64>, _ b: SIMD2<UInt64>) -> Int {
    let difference = a ^ b
    return difference[0].nonzeroBitCount + difference[1].nonzeroBitCount
  }

  // MARK: - Comparison

  /// Whether two faces are near copies, from a similarity of `threshold` on; blank pictures are none.
  package func isNearCopy(of other: FaceSignature, threshold: Float = Self.nearThreshold) -> Bool {
    !isBlank && !other.isBlank && Self.distance(bits, other.bits) <= Self.maximumDistance
      && Self.areSimilar(other, self, threshold)
  }

  /// Whether the normalised correlation of `b`'s middle 44x44 equalised values with `a`'s, the best of shifts by up to
  /// one pixel in each direction, is at least `threshold`.
  static func areSimilar(_ a: FaceSignature, _ b: FaceSignature, _ threshold: Float = Self.nearThreshold) -> Bool {
    let centred = correlation(a, b, 0)
    // A shift brings near copies of FER2013 0.29 at most.
    guard centred >= nearThreshold - 0.3 else { return false }
    return centred >= threshold || shifts.indices.dropFirst().contains { correlation(a, b, $0) >= threshold }
  }

  private static let margin = 2
  private static let inner = side - 2 * margin
  private static let innerCount = Double(inner * inner)
  /// No shift comes first.
  private static let shifts: [(right: Int, down: Int)] = [
    (0, 0), (-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1),
  ]

  /// Sums over the 44x44 values at a shift.
  private struct Window {
    let sum: Double
    /// The variance, times the square of the count.
    let variance: Double

    init(_ pixels: UnsafeBufferPointer<UInt8>, _ shift: (right: Int, down: Int)) {
      // 44 * 44 * 255 * 255 fits in 32 bits.
      var (sum, squares) = (UInt32(0), UInt32(0))
      for row in 0..<FaceSignature.inner {
        let values = FaceSignature.row(row, of: pixels, shift)
        for column in 0..<FaceSignature.inner {
          let value = UInt32(values[column])
          sum &+= value
          squares &+= value &* value
        }
      }
      self.sum = Double(sum)
      variance = FaceSignature.innerCount * Double(squares) - Double(sum) * Double(sum)
    }
  }

  /// 44 values of an inner row.
  private static func row(
    _ row: Int, of pixels: UnsafeBufferPointer<UInt8>, _ shift: (right: Int, down: Int)
  ) -> UnsafeBufferPointer<UInt8> {
    let start = (row + margin + shift.down) * side + margin + shift.right
    return UnsafeBufferPointer(rebasing: pixels[start..<(start + inner)])
  }

  private static func correlation(_ a: FaceSignature, _ b: FaceSignature, _ index: Int) -> Float {
    let (windowA, windowB) = (a.windows[index], b.windows[0])
    guard windowA.variance > 0, windowB.variance > 0 else { return 0 }
    let products = a.pixels.withUnsafeBufferPointer { pixelsA -> UInt32 in
      b.pixels.withUnsafeBufferPointer { pixelsB -> UInt32 in
        var products = UInt32(0)
        for row in 0..<inner {
          let (valuesA, valuesB) = (Self.row(row, of: pixelsA, shifts[index]), Self.row(row, of: pixelsB, shifts[0]))
          for column in 0..<inner { products &+= UInt32(valuesA[column]) &* UInt32(valuesB[column]) }
        }
        return products
      }
    }
    return Float(
      (innerCount * Double(products) - windowA.sum * windowB.sum)
        / (windowA.variance * windowB.variance).squareRoot())
  }
}
