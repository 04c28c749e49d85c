import MienCore
import MienVision
import Synchronization

/// A picture with copies of half, a quarter, … of its sides, made when they are first needed: shrinking is fast from a copy
/// that is not much larger than the result, and loses nothing.
final class PictureCopies: Sendable {
  /// The picture itself.
  let image: Image
  private let copies: Mutex<[Image]>

  init(_ image: Image) {
    self.image = image
    copies = Mutex([image])
  }

  /// The smallest copy that is still to be shrunk, by less than 2, if the picture is to be shrunk by `factor`, and how many
  /// of the picture's pixels one of its pixels is wide.
  private func copy(shrinkingBy factor: Double) throws -> (copy: Image, factor: Double) {
    var halvings = 0
    while halvings < 12, factor >= Double(2 << halvings) { halvings += 1 }
    return try copies.withLock { copies in
      while copies.count <= halvings, let last = copies.last, min(last.width, last.height) > 1 {
        copies.append(try last.halved())
      }
      let index = min(halvings, copies.count - 1)
      return (copies[index], Double(1 << index))
    }
  }

  /// The picture shrunk, or enlarged, to this size, and how many of the picture's pixels one of its pixels is wide and high.
  func resampled(width: Int, height: Int) throws -> (picture: Image, scale: (x: Double, y: Double)) {
    let (copy, factor) = try copy(shrinkingBy: Double(image.width) / Double(width))
    let scale = (x: factor * Double(copy.width) / Double(width), y: factor * Double(copy.height) / Double(height))
    return (try copy.resampled(width: width, height: height), scale)
  }

  /// A square of the picture as ``MienVision/Image/crop(_:size:)`` cuts it out, from the copy that suits its size.
  func crop(_ square: TurnedSquare, size: Int) throws -> Image {
    let (copy, factor) = try copy(shrinkingBy: square.side / Double(size))
    var square = square
    square.center = Point(x: square.center.x / factor, y: square.center.y / factor)
    square.side /= factor
    return try copy.crop(square, size: size)
  }
}
