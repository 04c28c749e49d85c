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

/// The cascades for faces seen from one direction.
struct ViewCascade: Sendable {
  /// The size to which a face is brought for a close look, in pixels.
  static let closeSide = 40

  /// Looks closely.
  let cascade: Cascade
  /// Searches whole pictures.
  let scout: Scout
  /// Whether pictures are mirrored first.
  let isMirrored: Bool
  let isProfile: Bool

  /// A cascade that searches whole pictures.
  struct Scout: Sendable {
    let cascade: Cascade
    /// Side of the cascade's own window, in pixels.
    let window: Double
    /// Ratio of one size that is searched for to the next.
    let step: Double
  }

  /// Faces from the front. Local binary patterns search whole pictures three times as fast as Haar features and find as
  /// many faces, but their count of windows tells less.
  static func frontal(_ environment: [String: String]) throws -> ViewCascade {
    let scout = Scout(cascade: try .named(CascadeFile.scoutName, environment), window: 24, step: 1.1)
    return ViewCascade(
      cascade: try .named(CascadeFile.name, environment), scout: scout, isMirrored: false, isProfile: false)
  }

  /// Faces from their left, and, mirrored, from their right side.
  static func profiles(_ environment: [String: String]) throws -> [ViewCascade] {
    let cascade = try Cascade.named(CascadeFile.profileName, environment)
    return [false, true].map { isMirrored in
      ViewCascade(
        cascade: cascade, scout: Scout(cascade: cascade, window: 20, step: 1.44), isMirrored: isMirrored,
        isProfile: true)
    }
  }

  /// How many windows must agree in a close look before a face is followed. Chance patterns gather more of the profile
  /// cascade's windows.
  var neededWindows: Int { isProfile ? 4 : 3 }

  /// Seconds between two searches of the whole picture. Profiles take longer to search for and are rarer.
  var searchInterval: Double { isProfile ? 2 : 1 }

  /// Where the whole picture may hold a face of at least `smallest` pixels.
  ///
  /// - Parameter number: how many searches there were before: the sizes of every second lie between those of the others.
  func proposals(in picture: Image, smallest: Double, number: Int) throws -> [FaceLook] {
    let least = number.isMultiple(of: 2) ? smallest : smallest * scout.step.squareRoot()
    let scale = scout.window / least
    let searched = try picture.scaled(by: scale)
    return try looks(scout.cascade, in: searched, scaleFactor: scout.step, sides: Int(scout.window)...0x7FFF).map {
      FaceLook(x: $0.x / scale, y: $0.y / scale, side: $0.side / scale)
    }
  }

  /// The face near `place` on which most windows agree in fine steps of size; nil where none does.
  func closeLook(at place: FaceLook, in picture: Image) throws -> FaceLook? {
    let side = Self.closeSide
    let near = try picture.crop(centerX: place.x, centerY: place.y, side: 2 * place.side, size: 2 * side)
    let center = Double(side)
    let reach = 0.5 * center
    let best = try looks(cascade, in: near, scaleFactor: 1.05, sides: (side * 3 / 4)...(side * 27 / 20))
      .filter { abs($0.x - center) < reach && abs($0.y - center) < reach }
      .max { ($0.windows, $1.y, $1.x) < ($1.windows, $0.y, $0.x) }
    return best.map { look in
      let scale = place.side / center
      return FaceLook(
        x: place.x + (look.x - center) * scale, y: place.y + (look.y - center) * scale, side: look.side * scale,
        windows: look.windows)
    }
  }

  private func looks(
    _ cascade: Cascade, in picture: Image, scaleFactor: Double, sides: ClosedRange<Int>
  ) throws -> [FaceLook] {
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
