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
  /// Whether the picture is of one grey, or nearly.
  package let isBlank: Bool

  /// Describes a face of any size and colour.
  package init(_ image: Image) throws {
    let grey = image.grey
    isBlank = Self.deviation(grey.pixels) < Self.blankDeviation
    pixels = Preprocessing.equalized(try grey.resized(width: Self.side, height: Self.side).pixels)
    bits = Self.bits(of: pixels)
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

  /// Whether two faces are near copies; blank pictures are none.
  package func isNearCopy(of other: FaceSignature) -> Bool {
    !isBlank && !other.isBlank && Self.distance(bits, other.bits) <= Self.maximumDistance
      && Self.similarity(other, self) >= Self.nearThreshold
  }

  /// The normalised correlation of `b`'s middle 44x44 equalised values with `a`'s, the best of shifts by up to one pixel
  /// in each direction; -1…1, and 0 where one is constant.
  static func similarity(_ a: FaceSignature, _ b: FaceSignature) -> Float {
    a.pixels.withUnsafeBufferPointer { a in
      b.pixels.withUnsafeBufferPointer { b in
        let centred = correlation(a, b, 0, 0)
        // A shift brings near copies of FER2013 0.29 at most.
        guard centred >= nearThreshold - 0.3 else { return centred }
        var best = centred
        for down in -1...1 {
          for right in -1...1 where (down, right) != (0, 0) { best = max(best, correlation(a, b, right, down)) }
        }
        return best
      }
    }
  }

  private static let margin = 2

  private static func correlation(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, _ right: Int, _ down: Int
  ) -> Float {
    // 44 * 44 * 255 * 255 fits in 32 bits.
    var (sumA, sumB, squaresA, squaresB, products) = (UInt32(0), UInt32(0), UInt32(0), UInt32(0), UInt32(0))
    for row in margin..<(side - margin) {
      let startA = (row + down) * side + right
      let startB = row * side
      for column in margin..<(side - margin) {
        let (valueA, valueB) = (UInt32(a[startA + column]), UInt32(b[startB + column]))
        sumA &+= valueA
        sumB &+= valueB
        squaresA &+= valueA &* valueA
        squaresB &+= valueB &* valueB
        products &+= valueA &* valueB
      }
    }
    let count = Double((side - 2 * margin) * (side - 2 * margin))
    let varianceA = count * Double(squaresA) - Double(sumA) * Double(sumA)
    let varianceB = count * Double(squaresB) - Double(sumB) * Double(sumB)
    guard varianceA > 0, varianceB > 0 else { return 0 }
    return Float((count * Double(products) - Double(sumA) * Double(sumB)) / (varianceA * varianceB).squareRoot())
  }
}
