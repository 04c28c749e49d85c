import MienCore

/// Where a cascade sees a face, in pixels of the searched picture.
struct FaceLook: Sendable {
  var x: Double
  var y: Double
  var side: Double
  /// How many windows agreed.
  var windows = 0

  /// Whether the squares share more than two fifths of the smaller one.
  func overlaps(_ other: FaceLook) -> Bool {
    func common(_ a: Double, _ b: Double) -> Double {
      max(0, min(a + side / 2, b + other.side / 2) - max(a - side / 2, b - other.side / 2))
    }
    let least = min(side, other.side)
    return common(x, other.x) * common(y, other.y) > 0.4 * least * least
  }
}

/// A cascade for faces seen from one direction.
struct ViewCascade: Sendable {
  /// The size to which a face is brought for a close look, in pixels.
  static let closeSide = 40
  /// The cascades' own window.
  private static let window = 20.0

  let cascade: Cascade
  /// Whether pictures are mirrored first.
  let isMirrored: Bool
  let isProfile: Bool

  /// How many windows must agree in a close look before a face is followed. Chance patterns gather more of the profile
  /// cascade's windows.
  var neededWindows: Int { isProfile ? 4 : 3 }

  /// Seconds between two searches of the whole picture. Profiles take longer to search for and are rarer.
  var searchInterval: Double { isProfile ? 2 : 1 }

  /// Where the whole picture may hold a face of at least `smallest` pixels: a search in coarse steps.
  func proposals(in picture: Image, smallest: Double) throws -> [FaceLook] {
    let scale = min(1, Self.window / smallest)
    let searched = try picture.resized(
      width: max(1, Int((Double(picture.width) * scale).rounded())),
      height: max(1, Int((Double(picture.height) * scale).rounded())))
    return try looks(in: searched, scaleFactor: 1.2, sides: Int(Self.window)...0x7FFF).map { look in
      FaceLook(x: look.x / scale, y: look.y / scale, side: look.side / scale)
    }
  }

  /// The face near `place` on which most windows agree in fine steps of size; nil where none does.
  func closeLook(at place: FaceLook, in picture: Image) throws -> FaceLook? {
    let side = Self.closeSide
    let near = try picture.crop(centerX: place.x, centerY: place.y, side: 2 * place.side, size: 2 * side)
    let center = Double(side)
    let reach = 0.5 * center
    let best = try looks(in: near, scaleFactor: 1.05, sides: (side * 3 / 4)...(side * 27 / 20))
      .filter { abs($0.x - center) < reach && abs($0.y - center) < reach }
      .max { ($0.windows, $1.y, $1.x) < ($1.windows, $0.y, $0.x) }
    return best.map { look in
      let scale = place.side / center
      return FaceLook(
        x: place.x + (look.x - center) * scale, y: place.y + (look.y - center) * scale, side: look.side * scale,
        windows: look.windows)
    }
  }

  private func looks(in picture: Image, scaleFactor: Double, sides: ClosedRange<Int>) throws -> [FaceLook] {
    try cascade.detections(
      in: isMirrored ? picture.flipped(.horizontal) : picture, scaleFactor: scaleFactor, minNeighbors: 1,
      minSide: sides.lowerBound, maxSide: sides.upperBound
    ).map { face in
      let x = Double(face.box.x) + Double(face.box.width) / 2
      return FaceLook(
        x: isMirrored ? Double(picture.width) - x : x, y: Double(face.box.y) + Double(face.box.height) / 2,
        side: Double(face.box.width), windows: Int(face.score))
    }
  }
}
