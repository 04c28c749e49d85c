import Foundation
import MienCore

extension Image {
  /// A mirror's direction.
  public enum Flip: String, CaseIterable, Sendable {
    /// Left and right change places.
    case horizontal
    /// Top and bottom change places.
    case vertical
  }

  /// The picture in a mirror; twice is the picture itself.
  public func flipped(_ flip: Flip) -> Image {
    let flipped = [UInt8](unsafeUninitializedCapacity: pixels.count) { result, count in
      for row in 0..<height {
        let sourceRow = flip == .vertical ? height - 1 - row : row
        for column in 0..<width {
          let sourceColumn = flip == .horizontal ? width - 1 - column : column
          for channel in 0..<channels {
            result.initializeElement(
              at: (row * width + column) * channels + channel,
              to: pixels[(sourceRow * width + sourceColumn) * channels + channel])
          }
        }
      }
      count = pixels.count
    }
    return Image(uncheckedWidth: width, height: height, channels: channels, pixels: flipped)
  }

  /// The picture turned clockwise by quarter turns.
  package func turned(quarterTurns: Int) -> Image {
    let turns = ((quarterTurns % 4) + 4) % 4
    guard turns > 0 else { return self }
    let (newWidth, newHeight) = turns == 2 ? (width, height) : (height, width)
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { result, count in
      var target = 0
      for row in 0..<newHeight {
        for column in 0..<newWidth {
          let (x, y) =
            switch turns {
            case 1: (row, height - 1 - column)
            case 2: (width - 1 - column, height - 1 - row)
            default: (width - 1 - row, column)
            }
          for channel in 0..<channels {
            result.initializeElement(at: target, to: pixels[(y * width + x) * channels + channel])
            target += 1
          }
        }
      }
      count = pixels.count
    }
    return Image(uncheckedWidth: newWidth, height: newHeight, channels: channels, pixels: turned)
  }

  /// The picture turned about its centre at the same size, bilinear; the border's pixels are repeated where the corners
  /// of the result lie outside.
  ///
  /// - Parameter degrees: counter-clockwise as one sees it; a finite number.
  /// - Throws: ``MienError`` where the angle is not finite.
  public func rotated(degrees: Double) throws -> Image {
    guard degrees.isFinite else { throw MienError(.argument, nil, "expected an angle in degrees, found \(degrees)") }
    let radians = degrees * .pi / 180
    let (sine, cosine) = (sin(radians), cos(radians))
    let (centerX, centerY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count)
    for row in 0..<height {
      for column in 0..<width {
        let (x, y) = (Double(column) - centerX, Double(row) - centerY)
        // Rows run downwards, so this is the inverse of a counter-clockwise turn.
        let sourceX = min(max(centerX + cosine * x - sine * y, 0), Double(width - 1))
        let sourceY = min(max(centerY + sine * x + cosine * y, 0), Double(height - 1))
        let (left, top) = (Int(sourceX), Int(sourceY))
        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
        let (shareX, shareY) = (sourceX - Double(left), sourceY - Double(top))
        for channel in 0..<channels {
          func sample(_ column: Int, _ row: Int) -> Double {
            Double(pixels[(row * width + column) * channels + channel])
          }
          let upper = sample(left, top) * (1 - shareX) + sample(right, top) * shareX
          let lower = sample(left, bottom) * (1 - shareX) + sample(right, bottom) * shareX
          result.append(UInt8((upper * (1 - shareY) + lower * shareY).rounded()))
        }
      }
    }
    return Image(uncheckedWidth: width, height: height, channels: channels, pixels: result)
  }
}
