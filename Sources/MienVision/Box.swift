/// A rectangle in whole pixels of the upright picture, its origin at the top left.
public struct Box: Sendable, Codable, Hashable {
  /// Left edge.
  public var x: Int
  /// Top edge.
  public var y: Int
  /// Width; the right edge, `x + width`, is not part of the box.
  public var width: Int
  /// Height.
  public var height: Int

  /// Makes a box.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// Pixels inside; 0 where a side is not positive.
  public var area: Int { width > 0 && height > 0 ? width * height : 0 }

  /// Intersection over union with another box, 0…1.
  public func overlap(_ other: Box) -> Double {
    let common = intersectionArea(other)
    let union = area + other.area - common
    return union > 0 ? Double(common) / Double(union) : 0
  }

  /// Pixels that both boxes hold.
  package func intersectionArea(_ other: Box) -> Int {
    let width = min(x + self.width, other.x + other.width) - max(x, other.x)
    let height = min(y + self.height, other.y + other.height) - max(y, other.y)
    return width > 0 && height > 0 ? width * height : 0
  }
}
