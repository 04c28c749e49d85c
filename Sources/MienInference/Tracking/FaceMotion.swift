import Foundation
import MienVision

/// A face's centre and side, in pixels.
struct FacePlace: Sendable, Hashable {
  var x: Double
  var y: Double
  var side: Double

  init(_ square: TurnedSquare) { (x, y, side) = (square.center.x, square.center.y, square.side) }

  /// The square around the centre. Its numbers end at ±2^30, so that sums of edges and of areas are whole numbers too.
  var box: Box {
    func whole(_ value: Double) -> Int {
      if value.magnitude < 0x1p30 { return Int(value.rounded()) }
      return value < 0 ? -(1 << 30) : 1 << 30
    }
    return Box(x: whole(x - side / 2), y: whole(y - side / 2), width: whole(side), height: whole(side))
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
  /// Nor one that was measured over less: a box that jitters by a pixel would have any speed.
  private static let shortest = 1e-3

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
    if elapsed >= Self.shortest {
      let now = (x: (place.x - self.place.x) / elapsed, y: (place.y - self.place.y) / elapsed)
      // Half of the old velocity: boxes jitter from moment to moment.
      let old = elapsed > Self.horizon ? now : velocity ?? now
      velocity = ((old.x + now.x) / 2, (old.y + now.y) / 2)
    }
    if elapsed > 0 { self.seconds = seconds }
    self.place = place
  }
}
