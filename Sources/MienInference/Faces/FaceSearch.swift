import Foundation
import MienCore
import MienVision

/// A place that a network takes for a face.
struct FaceCandidate: Sendable {
  /// The network's own score, 0…1.
  var score: Double
  /// From the forehead to the chin, turned by the eyes.
  var square: TurnedSquare
  var points: FacePoints
}

/// A network that searches pictures for faces.
protocol FaceSearch: Sendable {
  /// What `--detector` calls it.
  var name: String { get }
  /// Candidates of this score and more are faces, whatever else is known.
  var sureScore: Double { get }
  /// Candidates below this are not looked at.
  var leastScore: Double { get }
  /// Compiles the network for an input's size.
  func prepare(_ size: FaceNetwork.Size) throws
  /// The places in a picture of this size, in its pixels, that the network takes for faces with a score of at least
  /// ``leastScore``.
  ///
  /// - Parameter pixels: RGB, [height, width, 3], both sides multiples of 32.
  func candidates(_ pixels: [UInt8], _ size: FaceNetwork.Size) throws -> [FaceCandidate]
}

/// How a picture is laid out for a ``FaceSearch``.
///
/// A network that sees 11 to 115 pixels of a face finds faces of about 3 to 30 % of a picture of 384 pixels. Larger ones
/// are found in the picture shrunk further: to a quarter, and so on, and last to 96 pixels, in which a face may be larger
/// than the picture. Every copy has a margin, so that faces at the edge have places around them. A copy of more than 1024
/// pixels is searched in overlapping tiles.
struct FacePyramid {
  /// A copy of the picture.
  struct Level: Equatable {
    /// The copy's sides in pixels.
    var width: Int
    var height: Int
    /// Smaller faces than this, in pixels of the copy, are left to the level before.
    var leastSide: Double
  }

  /// A part of a level with its margins: one input of the network.
  struct Tile: Equatable {
    /// Where the part begins in the level.
    var x: Int
    var y: Int
    /// The part's sides.
    var width: Int
    var height: Int
    /// The input's size.
    var size: FaceNetwork.Size
  }

  /// On each side of the finest copy, and of the others, whose faces may be larger than the picture.
  static let (fineMargin, coarseMargin) = (8, 16)
  /// The longer side of the finest copy where no smaller face is asked for: with its margins a multiple of 32.
  static let standardSide = 400
  private static let coarsestSide = 96
  private static let largestTile = 1024
  private static let overlap = 128
  /// How large the smallest face is in the finest copy.
  private static let leastFace = 13.0

  let levels: [Level]

  /// - Parameter minFace: side of the smallest face to find; `nil` for the standard search.
  init(width: Int, height: Int, minFace: Int?) {
    let longSide = Double(max(width, height))
    let needed = minFace.map { Self.leastFace * longSide / Double($0) } ?? 0
    // More than twice the picture's own pixels add nothing.
    let finest = min(max(Double(Self.standardSide), needed), 2 * longSide)
    var sides = [max(finest, Double(Self.coarsestSide))]
    while let last = sides.last, last / 4 > 1.25 * Double(Self.coarsestSide) { sides.append(last / 4) }
    if let last = sides.last, last > Double(Self.coarsestSide) { sides.append(Double(Self.coarsestSide)) }
    levels = sides.enumerated().map { index, side in
      func pixels(_ length: Int) -> Int { max(1, Int((Double(length) * side / longSide).rounded())) }
      return Level(width: pixels(width), height: pixels(height), leastSide: index == 0 ? 0 : 28)
    }
  }

  /// The inputs that a level takes.
  static func tiles(_ level: Level) -> [Tile] {
    func parts(_ length: Int) -> [Range<Int>] {
      guard length > largestTile else { return [0..<length] }
      let step = largestTile - overlap
      let count = (length - overlap + step - 1) / step
      return (0..<count).map { index in
        let start = min(index * step, length - largestTile)
        return start..<(start + largestTile)
      }
    }
    let margin = level.leastSide == 0 ? fineMargin : coarseMargin
    func padded(_ length: Int) -> Int { (length + 2 * margin + 31) / 32 * 32 }
    return parts(level.height).flatMap { rows in
      parts(level.width).map { columns in
        Tile(
          x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count,
          size: FaceNetwork.Size(width: padded(columns.count), height: padded(rows.count)))
      }
    }
  }

  /// The candidates of a picture, in its pixels, before overlapping ones are merged.
  func candidates(in picture: PictureCopies, _ search: any FaceSearch) throws -> [FaceCandidate] {
    var found: [FaceCandidate] = []
    for level in levels {
      let (resampled, scale) = try picture.resampled(width: level.width, height: level.height)
      let copy = resampled.rgb
      for tile in Self.tiles(level) {
        try NativeQueue.checkCancellation()
        let (left, top) = ((tile.size.width - tile.width) / 2, (tile.size.height - tile.height) / 2)
        let input = Self.input(copy, tile, left: left, top: top)
        for var candidate in try search.candidates(input, tile.size) where candidate.square.side >= level.leastSide {
          candidate.map { x, y in
            (Double(tile.x) + x - Double(left), Double(tile.y) + y - Double(top))
          }
          guard (0...Double(level.width)).contains(candidate.square.center.x.rounded()),
            (0...Double(level.height)).contains(candidate.square.center.y.rounded())
          else { continue }
          candidate.map { ($0 * scale.x, $1 * scale.y) }
          candidate.square.side *= (scale.x + scale.y) / 2
          found.append(candidate)
        }
      }
    }
    return found
  }

  /// A tile's pixels within black margins.
  private static func input(_ copy: Image, _ tile: Tile, left: Int, top: Int) -> [UInt8] {
    var input = [UInt8](repeating: 0, count: tile.size.width * tile.size.height * 3)
    input.withUnsafeMutableBufferPointer { target in
      copy.pixels.withUnsafeBufferPointer { source in
        for row in 0..<tile.height {
          let from = ((tile.y + row) * copy.width + tile.x) * 3
          let to = ((top + row) * tile.size.width + left) * 3
          _ = target[to..<(to + tile.width * 3)].update(fromContentsOf: source[from..<(from + tile.width * 3)])
        }
      }
    }
    return input
  }
}

extension FaceCandidate {
  /// Moves every place.
  mutating func map(_ move: (Double, Double) -> (Double, Double)) {
    func moved(_ point: Point) -> Point {
      let (x, y) = move(point.x, point.y)
      return Point(x: x, y: y)
    }
    square.center = moved(square.center)
    points = FacePoints(
      leftEye: moved(points.leftEye), rightEye: moved(points.rightEye), nose: moved(points.nose),
      mouth: moved(points.mouth), leftEar: points.leftEar.map(moved), rightEar: points.rightEar.map(moved))
  }

  var isFinite: Bool {
    let points = [self.points.leftEye, self.points.rightEye, self.points.nose, self.points.mouth, square.center]
    return score.isFinite && square.side.isFinite && square.side > 0
      && points.allSatisfy { $0.x.isFinite && $0.y.isFinite && abs($0.x) < 1e6 && abs($0.y) < 1e6 }
  }
}

extension TurnedSquare {
  /// Intersection over union of two squares laid upright, and the share of the smaller one that both hold.
  func overlap(_ other: TurnedSquare) -> (union: Double, smaller: Double) {
    func common(_ a: Double, _ b: Double) -> Double {
      max(0, min(a + side / 2, b + other.side / 2) - max(a - side / 2, b - other.side / 2))
    }
    let shared = common(center.x, other.center.x) * common(center.y, other.center.y)
    let (area, otherArea) = (side * side, other.side * other.side)
    return (shared / max(1e-9, area + otherArea - shared), shared / max(1e-9, min(area, otherArea)))
  }

  /// Whether both show the same face: an intersection over union of 0.3, or half of the smaller one inside the other.
  func isSameFace(as other: TurnedSquare) -> Bool {
    let overlap = overlap(other)
    return overlap.union >= 0.3 || overlap.smaller >= 0.5
  }
}

extension [FaceCandidate] {
  /// The most candidates of a picture that are looked at, the best ones.
  private static let mostCandidates = 20_000
  /// The most places that are left of them.
  private static let mostPlaces = 1000

  /// Weighted non-maximum suppression (Bazarevsky et al. 2019): of candidates for one face the best stays, at the mean of
  /// those that overlap it, weighted by their scores.
  ///
  /// The time grows with the product of both limits. A face has some ten candidates.
  func merged() -> [FaceCandidate] {
    var rest = sorted { $0.score > $1.score }.prefix(Self.mostCandidates)
    var merged: [FaceCandidate] = []
    while merged.count < Self.mostPlaces, var best = rest.popFirst() {
      var (weight, side) = (0.0, 0.0)
      var sums = [Double](repeating: 0, count: 14)
      for candidate in [best] + rest where candidate.square.overlap(best.square).union >= 0.3 {
        weight += candidate.score
        side += candidate.score * candidate.square.side
        for (index, value) in candidate.coordinates.enumerated() { sums[index] += candidate.score * value }
      }
      rest = rest.filter { !$0.square.isSameFace(as: best.square) }[...]
      let square = best.square
      var mean = sums.map { $0 / weight }.makeIterator()
      best.map { _, _ in (mean.next() ?? 0, mean.next() ?? 0) }
      best.square.side = side / weight
      best.square.degrees = best.points.degrees
      if !best.isFinite { best.square = square }
      merged.append(best)
    }
    return merged
  }
}

extension FaceCandidate {
  /// Every coordinate, in the order in which ``map(_:)`` visits them.
  fileprivate var coordinates: [Double] {
    var copy = self
    var values: [Double] = []
    copy.map { x, y in
      values += [x, y]
      return (x, y)
    }
    return values
  }
}
