import Foundation

/// A face that a detector found.
public struct DetectedFace: Sendable, Hashable {
  /// The face from the forehead to the chin, as far as it lies inside the picture.
  public let box: Box
  /// How sure the detector is that this is a face, 0…1; `nil` where the picture was taken as a face without a search.
  public let score: Double?
  /// The face's place without regard to the picture's edges, turned as the head is.
  public let square: TurnedSquare
  /// Eyes, nose, mouth and ears, or `nil` if the detector does not tell.
  public let points: FacePoints?
  /// The 468 points of the face, or `nil` if they were not looked for or the face could not be made out.
  public let landmarks: FaceLandmarks?
  /// The number of a face that is followed from frame to frame: the same as long as the follower does not lose it.
  package var follow: Int?

  /// Makes a detection.
  ///
  /// - Parameter square: `nil` for the square about the box's centre on its longer side.
  public init(
    box: Box, score: Double?, square: TurnedSquare? = nil, points: FacePoints? = nil, landmarks: FaceLandmarks? = nil
  ) {
    self.box = box
    self.score = score
    self.square = square ?? TurnedSquare(around: box)
    self.points = points
    self.landmarks = landmarks
  }

  /// The face in pixels of the whole picture that `image`, in which it was found, was decoded from.
  package func inWholePicture(of image: Image) -> DetectedFace {
    guard image.reduction > 1 else { return self }
    let factor = Double(image.reduction)
    func whole(_ point: Point) -> Point { Point(x: point.x * factor, y: point.y * factor) }
    var face = DetectedFace(
      box: image.whole(box), score: score,
      square: TurnedSquare(center: whole(square.center), side: square.side * factor, degrees: square.degrees),
      points: points.map {
        FacePoints(
          leftEye: whole($0.leftEye), rightEye: whole($0.rightEye), nose: whole($0.nose), mouth: whole($0.mouth),
          leftEar: $0.leftEar.map(whole), rightEar: $0.rightEar.map(whole))
      },
      landmarks: landmarks.flatMap { mesh in
        FaceLandmarks(
          points: mesh.points.map { FaceLandmarks.Point3(x: $0.x * factor, y: $0.y * factor, z: $0.z * factor) },
          probability: mesh.probability)
      })
    face.follow = follow
    return face
  }

  /// A picture that is one face.
  static func whole(_ image: Image) -> DetectedFace {
    DetectedFace(box: Box(x: 0, y: 0, width: image.width, height: image.height), score: nil)
  }

  /// Whether it is the picture itself, taken as a face without a search.
  var isWhole: Bool { score == nil }
}

/// A place in a picture, in continuous coordinates: pixel `i` covers `i ..< i + 1`.
public struct Point: Sendable, Hashable, Codable {
  /// Distance from the picture's left edge, in pixels.
  public var x: Double
  /// Distance from the picture's upper edge, in pixels.
  public var y: Double

  /// Makes a place.
  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// A square of a picture, turned about its centre, in continuous coordinates. It may lie partly outside.
public struct TurnedSquare: Sendable, Hashable {
  /// The centre.
  public var center: Point
  /// The side in pixels.
  public var side: Double
  /// How far it is turned clockwise as one sees the picture, in degrees.
  public var degrees: Double

  /// Makes a square.
  public init(center: Point, side: Double, degrees: Double = 0) {
    self.center = center
    self.side = side
    self.degrees = degrees
  }

  /// The square about a box's centre on its longer side.
  public init(around box: Box) {
    self.init(
      center: Point(x: Double(box.x) + Double(box.width) / 2, y: Double(box.y) + Double(box.height) / 2),
      side: Double(max(box.width, box.height)))
  }

  /// The square moved by shares of its side along its own axes, and scaled.
  package func moved(right: Double = 0, down: Double = 0, scale: Double = 1) -> TurnedSquare {
    let (sine, cosine) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
    return TurnedSquare(
      center: Point(
        x: center.x + side * (right * cosine - down * sine), y: center.y + side * (right * sine + down * cosine)),
      side: side * scale, degrees: degrees)
  }

  /// The upright square of the same centre and side as whole pixels, as far as it lies in a picture of this size; `nil`
  /// if nothing of it does.
  package func box(width: Int, height: Int) -> Box? {
    guard center.x.isFinite, center.y.isFinite, side.isFinite, abs(center.x) < 1e9, abs(center.y) < 1e9, side < 1e9
    else { return nil }
    func edges(_ center: Double, _ limit: Int) -> Range<Int>? {
      let first = max(0, Int((center - side / 2).rounded()))
      let last = min(limit, Int((center + side / 2).rounded()))
      return first < last ? first..<last : nil
    }
    guard let columns = edges(center.x, width), let rows = edges(center.y, height) else { return nil }
    return Box(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }
}

/// Six points of a face. Left and right are those of the picture, not the person's.
public struct FacePoints: Sendable, Hashable, Codable {
  /// The centre of the eye on the picture's left side.
  public var leftEye: Point
  /// The centre of the eye on the picture's right side.
  public var rightEye: Point
  /// The tip of the nose.
  public var nose: Point
  /// The middle of the mouth.
  public var mouth: Point
  /// The ear on the picture's left side, or `nil` if the detector does not tell.
  public var leftEar: Point?
  /// The ear on the picture's right side, or `nil` if the detector does not tell.
  public var rightEar: Point?

  /// Makes the points.
  public init(
    leftEye: Point, rightEye: Point, nose: Point, mouth: Point, leftEar: Point? = nil, rightEar: Point? = nil
  ) {
    self.leftEye = leftEye
    self.rightEye = rightEye
    self.nose = nose
    self.mouth = mouth
    self.leftEar = leftEar
    self.rightEar = rightEar
  }

  /// How far the line between the eyes is turned clockwise, in degrees.
  package var degrees: Double { atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x) * 180 / .pi }
}
