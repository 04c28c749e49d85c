import Foundation

/// The 468 points of a face, numbered as in MediaPipe's face mesh.
public struct FaceLandmarks: Sendable, Hashable {
  /// A place in a picture with its depth.
  public struct Point3: Sendable, Hashable {
    /// Distance from the picture's left edge, in pixels.
    public var x: Double
    /// Distance from the picture's upper edge, in pixels.
    public var y: Double
    /// Distance behind the middle of the head, in pixels: negative towards the viewer.
    public var z: Double

    /// Makes a place.
    public init(x: Double, y: Double, z: Double) {
      self.x = x
      self.y = y
      self.z = z
    }
  }

  /// How many points there are.
  public static let count = 468

  /// The points, ``count`` of them.
  public let points: [Point3]
  /// How probable it is that there is a face at all, 0…1.
  public let probability: Double

  /// Takes the points; `nil` if there are not ``count`` finite ones.
  public init?(points: [Point3], probability: Double) {
    guard points.count == Self.count, probability.isFinite,
      points.allSatisfy({ $0.x.isFinite && $0.y.isFinite && $0.z.isFinite })
    else { return nil }
    self.points = points
    self.probability = probability
  }

  /// The points of an eye.
  private struct Eye {
    let corners: (Int, Int)
    /// Of the upper lid, and those opposite them of the lower.
    let upperLid: [Int]
    let lowerLid: [Int]
  }

  /// The eye on the picture's left.
  private static var leftEye: Eye { Eye(corners: (33, 133), upperLid: [159, 158, 160], lowerLid: [145, 153, 144]) }
  /// The eye on the picture's right.
  private static var rightEye: Eye { Eye(corners: (362, 263), upperLid: [386, 385, 387], lowerLid: [374, 380, 373]) }

  /// Eyes, nose, mouth and the sides of the face, which stand in for the ears.
  public var sixPoints: FacePoints {
    func flat(_ vector: Vector) -> Point { Point(x: vector.x, y: vector.y) }
    return FacePoints(
      leftEye: flat(center(Self.leftEye.corners)), rightEye: flat(center(Self.rightEye.corners)), nose: flat(self[1]),
      mouth: flat(center((13, 14))), leftEar: flat(self[234]), rightEar: flat(self[454]))
  }

  /// The square about all points, turned as the line between the eyes.
  public var square: TurnedSquare {
    let degrees = sixPoints.degrees
    let (sine, cosine) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
    var (left, right, top, bottom) = (Double.infinity, -Double.infinity, Double.infinity, -Double.infinity)
    for point in points {
      let (along, down) = (point.x * cosine + point.y * sine, point.y * cosine - point.x * sine)
      (left, right, top, bottom) = (min(left, along), max(right, along), min(top, down), max(bottom, down))
    }
    let (along, down) = ((left + right) / 2, (top + bottom) / 2)
    return TurnedSquare(
      center: Point(x: along * cosine - down * sine, y: along * sine + down * cosine),
      side: max(right - left, bottom - top), degrees: degrees)
  }

  /// The direction in which the head looks.
  public var pose: FacePose {
    let axes = axes
    // The face looks along minus the axis that points into the picture.
    let (x, y, z) = (-axes.depth.x, -axes.depth.y, -axes.depth.z)
    return FacePose(
      yaw: atan2(x, -z) * 180 / .pi, pitch: asin(max(-1, min(1, -y))) * 180 / .pi - Self.pitchOffset,
      roll: atan2(axes.right.y, axes.right.x) * 180 / .pi)
  }

  /// The pitch of the line from the forehead to the chin in a face that looks straight ahead, in degrees: the median of 359
  /// of FER+'s PublicTest faces.
  private static let pitchOffset = -11.0

  /// How far eyes and mouth are open and brows raised, corrected for the head's pose.
  public var measures: FaceMeasures {
    let axes = axes
    let (left, right) = (center(Self.leftEye.corners), center(Self.rightEye.corners))
    let unit = max(1e-9, (right - left).length)
    func openness(_ eye: Eye) -> Double {
      zip(eye.upperLid, eye.lowerLid).reduce(0) { $0 + (self[$1.1] - self[$1.0]).length } / Double(eye.upperLid.count)
        / unit
    }
    func raise(_ brow: [Int], over eye: Vector) -> Double {
      brow.reduce(0) { $0 + (eye - self[$1]).dot(axes.down) } / Double(brow.count) / unit
    }
    return FaceMeasures(
      leftEyeOpenness: openness(Self.leftEye), rightEyeOpenness: openness(Self.rightEye),
      mouthOpenness: (self[14] - self[13]).length / unit, mouthWidth: (self[291] - self[61]).length / unit,
      browRaise: (raise([63, 105, 66], over: left) + raise([293, 334, 296], over: right)) / 2)
  }

  private struct Vector {
    var x: Double
    var y: Double
    var z: Double

    static func + (a: Vector, b: Vector) -> Vector { Vector(x: a.x + b.x, y: a.y + b.y, z: a.z + b.z) }
    static func - (a: Vector, b: Vector) -> Vector { Vector(x: a.x - b.x, y: a.y - b.y, z: a.z - b.z) }
    static func * (a: Vector, scale: Double) -> Vector { Vector(x: a.x * scale, y: a.y * scale, z: a.z * scale) }
    func dot(_ other: Vector) -> Double { x * other.x + y * other.y + z * other.z }
    var length: Double { dot(self).squareRoot() }
    var normalized: Vector { length > 1e-9 ? self * (1 / length) : Vector(x: 0, y: 0, z: 0) }
    func cross(_ other: Vector) -> Vector {
      Vector(x: y * other.z - z * other.y, y: z * other.x - x * other.z, z: x * other.y - y * other.x)
    }
  }

  private subscript(_ index: Int) -> Vector {
    Vector(x: points[index].x, y: points[index].y, z: points[index].z)
  }

  private func center(_ pair: (Int, Int)) -> Vector { (self[pair.0] + self[pair.1]) * 0.5 }

  /// The head's own axes: to the picture's right, down and into the picture where it looks straight ahead.
  private var axes: (right: Vector, down: Vector, depth: Vector) {
    // The eyes' outer corners and the sides of the face; the forehead and the chin.
    let right = ((self[263] - self[33]).normalized + (self[454] - self[234]).normalized).normalized
    let along = self[152] - self[10]
    let down = (along - right * along.dot(right)).normalized
    return (right, down, right.cross(down))
  }
}

/// The direction in which a head looks, in degrees; all 0 for a face that looks straight into the camera.
public struct FacePose: Sendable, Hashable, Codable {
  /// Positive where the face looks to the picture's right, -90…90 for what can be seen of a face.
  public var yaw: Double
  /// Positive where the face looks up.
  public var pitch: Double
  /// Positive where the head is turned clockwise as one sees the picture, -180…180.
  public var roll: Double

  /// Makes a pose.
  public init(yaw: Double, pitch: Double, roll: Double) {
    self.yaw = yaw
    self.pitch = pitch
    self.roll = roll
  }
}

/// Measures of a face, in distances between its eyes' centres and corrected for the head's pose. Left and right are those
/// of the picture.
public struct FaceMeasures: Sendable, Hashable, Codable {
  /// The gap between the lids of the eye on the picture's left.
  public var leftEyeOpenness: Double
  /// The gap between the lids of the eye on the picture's right.
  public var rightEyeOpenness: Double
  /// The gap between the lips.
  public var mouthOpenness: Double
  /// From one corner of the mouth to the other.
  public var mouthWidth: Double
  /// How far the brows stand above the eyes' centres, the mean of both.
  public var browRaise: Double

  /// Makes the measures.
  public init(
    leftEyeOpenness: Double, rightEyeOpenness: Double, mouthOpenness: Double, mouthWidth: Double, browRaise: Double
  ) {
    self.leftEyeOpenness = leftEyeOpenness
    self.rightEyeOpenness = rightEyeOpenness
    self.mouthOpenness = mouthOpenness
    self.mouthWidth = mouthWidth
    self.browRaise = browRaise
  }
}
