import MienCore

/// A face on its way from frame to frame; see ``FaceFollower``. Places are in pixels of the searched picture.
struct FollowedFace: Sendable {
  private(set) var place: FaceLook
  /// The cascade that saw it last.
  private(set) var view: Int
  /// Windows that have agreed on it so far.
  private(set) var windows: Int
  private(set) var isSure: Bool
  private var velocity = (x: 0.0, y: 0.0)
  /// What it looked like last.
  private var look: FacePatch
  private var lastSeen: Double
  private var nextLook: Double
  private var age = 0
  /// The frames, counted by ``age``, in which windows agreed, and how many did.
  private var recent: [(age: Int, windows: Int)]
  private var misses = 0
  private var lostFrames = 0

  /// How alike a place must be to the last look, as a correlation of -1…1.
  private static let likeness = 0.5
  /// Seconds between two close looks at a face that is sure.
  private static let lookInterval = 0.2

  var side: Double { place.side }

  /// Starts to follow what a cascade has seen.
  ///
  /// - Parameter isAlone: whether there are no frames near this one that could confirm it.
  init(
    _ seen: FaceLook, view: Int, in picture: Image, seconds: Double, _ cascade: ViewCascade, isAlone: Bool
  ) throws {
    place = seen
    self.view = view
    windows = seen.windows
    look = try FacePatch(at: seen, in: picture)
    lastSeen = seconds
    nextLook = seconds
    recent = [(0, seen.windows)]
    isSure = isAlone ? seen.windows >= (cascade.isProfile ? 9 : 6) : !cascade.isProfile && seen.windows >= 6
  }

  func overlaps(_ other: FaceLook) -> Bool { place.overlaps(other) }

  /// Whether `other` is where hands and clothes of a person with this face are.
  func hasOnItsBody(_ other: FaceLook) -> Bool {
    let below = other.y - place.y
    return other.side < 0.8 * side && abs(other.x - place.x) < side && below > 0.6 * side && below < 2.5 * side
  }

  func isLost(at seconds: Double, in picture: Image) -> Bool {
    let isOutside =
      place.x <= 0 || place.y <= 0 || place.x >= Double(picture.width) || place.y >= Double(picture.height)
    let isForgotten = isSure ? seconds - lastSeen > 2 : age - (recent.last?.age ?? 0) > 12
    return isOutside || isForgotten || lostFrames >= 3
  }

  /// Goes to where the face is in the next frame, `step` seconds later.
  mutating func follow(in picture: Image, step: Double, seconds: Double, _ cascades: [ViewCascade]) throws {
    age += 1
    let old = place
    // Pictures that come unevenly make a small shift look fast: no face goes further than half its side.
    let reach = place.side / 2
    place.x += max(-reach, min(velocity.x * step, reach))
    place.y += max(-reach, min(velocity.y * step, reach))
    let match = try look.match(around: place, in: picture)
    if match.likeness >= Self.likeness {
      place.x += match.x
      place.y += match.y
      if step > 0 {
        velocity.x = (velocity.x + (place.x - old.x) / step) / 2
        velocity.y = (velocity.y + (place.y - old.y) / step) / 2
      }
    }
    let isSeen = try !isSure || seconds >= nextLook ? lookAgain(in: picture, seconds: seconds, cascades) : false
    if !isSeen, match.likeness > 0.85 { look.blend(try FacePatch(at: place, in: picture)) }
    lostFrames = isSeen || match.likeness >= Self.likeness ? 0 : lostFrames + 1
  }

  /// Whether a cascade sees the face where it should be; then place and size move a third of the way to what it sees.
  private mutating func lookAgain(in picture: Image, seconds: Double, _ cascades: [ViewCascade]) throws -> Bool {
    nextLook = seconds + Self.lookInterval
    let candidate = (view + misses) % cascades.count
    let reach = 0.35 * side
    guard let seen = try cascades[candidate].closeLook(at: place, in: picture), abs(seen.x - place.x) < reach,
      abs(seen.y - place.y) < reach
    else {
      misses += 1
      return false
    }
    place.x += 0.35 * (seen.x - place.x)
    place.y += 0.35 * (seen.y - place.y)
    place.side += 0.35 * (seen.side - place.side)
    place.windows = seen.windows
    (view, misses, lastSeen) = (candidate, 0, seconds)
    windows += seen.windows
    recent.append((age, seen.windows))
    recent.removeAll { age - $0.age > 10 }
    if recent.reduce(0, { $0 + $1.windows }) >= 12 { isSure = true }
    look = try FacePatch(at: place, in: picture)
    return true
  }

  /// The face as a square inside the frame, of which the searched picture is `scale`.
  func detection(scale: Double, within frame: Image) -> DetectedFace {
    let side = max(1, min(Int((place.side / scale).rounded()), frame.width, frame.height))
    let x = Int(((place.x - place.side / 2) / scale).rounded())
    let y = Int(((place.y - place.side / 2) / scale).rounded())
    let box = Box(
      x: max(0, min(x, frame.width - side)), y: max(0, min(y, frame.height - side)), width: side, height: side)
    return DetectedFace(box: box, score: Double(place.windows))
  }
}

/// A face as a few grey values, to be found again in the next frame.
struct FacePatch: Sendable {
  private static let size = 24
  /// How far it is searched for, in its own pixels.
  private static let reach = 8
  /// [size, size], row by row.
  private var values: [UInt8]

  /// Cuts out what is at `place`.
  init(at place: FaceLook, in picture: Image) throws {
    values = try picture.crop(centerX: place.x, centerY: place.y, side: place.side, size: Self.size).pixels
  }

  /// Takes on a tenth of a later look.
  mutating func blend(_ other: FacePatch) {
    for index in values.indices { values[index] = UInt8((9 * Int(values[index]) + Int(other.values[index]) + 5) / 10) }
  }

  /// Where, within a third of a side of `place`, the picture is most like this, in pixels from `place`, by normalised
  /// cross-correlation (Gonzalez and Woods, section 12.2): its largest value, and between grid points the vertex of the
  /// parabola through it and its neighbours.
  func match(around place: FaceLook, in picture: Image) throws -> (x: Double, y: Double, likeness: Double) {
    let (size, area) = (Self.size, Self.size + 2 * Self.reach)
    let near = try picture.crop(
      centerX: place.x, centerY: place.y, side: place.side * Double(area) / Double(size), size: area
    ).pixels
    let steps = 2 * Self.reach + 1
    var scores = [Double](repeating: 0, count: steps * steps)
    let count = Double(size * size)
    let sum = Double(values.reduce(0) { $0 + Int($1) })
    let variance = values.reduce(0) { $0 + Double($1) * Double($1) } - sum * sum / count
    near.withUnsafeBufferPointer { near in
      values.withUnsafeBufferPointer { values in
        for top in 0..<steps {
          for left in 0..<steps {
            // Whole numbers, whose sums may be reordered, are what the compiler vectorises.
            var (product, plain, square) = (Int32(0), Int32(0), Int32(0))
            for row in 0..<size {
              let start = (top + row) * area + left
              for column in 0..<size {
                let here = Int32(near[start + column])
                product &+= here &* Int32(values[row * size + column])
                plain &+= here
                square &+= here &* here
              }
            }
            let spread = (Double(square) - Double(plain) * Double(plain) / count) * variance
            let common = Double(product) - Double(plain) * sum / count
            scores[top * steps + left] = spread > 1 ? common / spread.squareRoot() : 0
          }
        }
      }
    }
    let best = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
    func vertex(_ position: Int, _ stride: Int) -> Double {
      guard position > 0, position < steps - 1 else { return 0 }
      let (before, after) = (scores[best - stride], scores[best + stride])
      let bend = before - 2 * scores[best] + after
      return bend < 0 ? max(-0.5, min(0.5, 0.5 * (before - after) / bend)) : 0
    }
    let (row, column) = (best / steps, best % steps)
    let scale = place.side / Double(size)
    return (
      (Double(column - Self.reach) + vertex(column, 1)) * scale,
      (Double(row - Self.reach) + vertex(row, steps)) * scale,
      scores[best]
    )
  }
}
