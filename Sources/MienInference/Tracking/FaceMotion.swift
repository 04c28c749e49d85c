import Foundation
import MienVision

/// A face's centre and side, in pixels.
struct FacePlace: Sendable, Hashable {
  var x: Double
  var y: Double
  var side: Double

  init(_ box: Box) {
    x = Double(box.x) + Double(box.width) / 2
    y = Double(box.y) + Double(box.height) / 2
    side = Double(box.width + box.height) / 2
  }

  /// The square around the centre.
  var box: Box {
    let corner = { (center: Double) in Int((center - side / 2).rounded()) }
    return Box(x: corner(x), y: corner(y), width: Int(side.rounded()), height: Int(side.rounded()))
  }

  /// How far the centres lie apart, in mean sides.
  func distance(_ other: FacePlace) -> Double {
    let (dx, dy) = (x - other.x, y - other.y)
    return (dx * dx + dy * dy).squareRoot() / max(1, (side + other.side) / 2)
  }
}

/// Where a face was and how it moves, in pixels and pixels a second.
struct FaceMotion: Sendable {
  private var place: FacePlace
  private var seconds: Double
  private var velocity: (x: Double, y: Double)?
  /// A motion is not trusted for longer.
  private static let horizon = 0.5

  init(_ place: FacePlace, seconds: Double) {
    self.place = place
    self.seconds = seconds
  }

  /// Where the face is expected.
  func place(at seconds: Double) -> FacePlace {
    let elapsed = max(0, min(Self.horizon, seconds - self.seconds))
    var expected = place
    expected.x += (velocity?.x ?? 0) * elapsed
    expected.y += (velocity?.y ?? 0) * elapsed
    return expected
  }

  /// Takes where the face is now.
  mutating func move(to place: FacePlace, seconds: Double) {
    let elapsed = seconds - self.seconds
    if elapsed > 0 {
      let now = (x: (place.x - self.place.x) / elapsed, y: (place.y - self.place.y) / elapsed)
      // Half of the old velocity: boxes jitter from moment to moment.
      let old = elapsed > Self.horizon ? now : velocity ?? now
      velocity = ((old.x + now.x) / 2, (old.y + now.y) / 2)
      self.seconds = seconds
    }
    self.place = place
  }
}
