public import MienCore
public import MienVision

/// A face in a picture and what it shows.
public struct FaceReading: Sendable, Hashable {
  /// Why a reading should not be relied on.
  public enum Doubt: String, Sendable, Hashable, Codable, CaseIterable {
    /// No emotion reaches the recognizer's threshold.
    case unsure
    /// The face is too small.
    case small
    /// The face is turned too far from the camera.
    case turned
    /// The face is too dark.
    case dark
  }

  /// The usual threshold of ``Doubt/unsure``. Of FER+'s PublicTest faces 99 % reach it, of which the built-in model reads 87 %
  /// right; of those below it reads seven in ten wrong.
  public static let standardMinConfidence: Float = 0.4

  /// The face: where it is, how sure the detector is, its points.
  public let face: DetectedFace
  /// The probabilities of the emotions.
  public let distribution: EmotionDistribution
  /// Why the reading should not be relied on; `nil` if nothing speaks against it.
  public let doubt: Doubt?

  /// Makes a reading.
  public init(face: DetectedFace, distribution: EmotionDistribution, doubt: Doubt? = nil) {
    self.face = face
    self.distribution = distribution
    self.doubt = doubt
  }

  /// Where the face is, in pixels of the whole upright picture.
  public var box: Box { face.box }
  /// How sure the detector is that this is a face, 0…1; `nil` if the picture was taken as a face without a search.
  public var score: Double? { face.score }
  /// The direction in which the head looks; `nil` if its landmarks are not known.
  public var pose: FacePose? { face.landmarks?.pose }
  /// Whether nothing speaks against the reading.
  public var isConfident: Bool { doubt == nil }
  /// The reading marked as unsure where its probability is less.
  package func marked(minConfidence: Float) -> FaceReading {
    guard doubt == nil, probability < minConfidence else { return self }
    return FaceReading(face: face, distribution: distribution, doubt: .unsure)
  }

  /// The most probable emotion.
  public var emotion: Emotion { distribution.top.emotion }
  /// Its probability, 0…1.
  public var probability: Float { distribution.top.probability }
}

extension FaceReading.Doubt {
  /// Smaller faces than this, in pixels from the forehead to the chin, are doubted: of FER+'s PublicTest faces shrunk to
  /// this size 62 % are read right, of the faces as they are 87 %.
  static let smallestSide = 14.0
  /// Heads turned further to a side than this, in degrees, show too little of the face.
  static let largestYaw = 65.0
  /// Faces of a lower mean brightness, of 255, are doubted: darkened to it, 55 % are read right.
  static let leastBrightness = 12.0

  /// What keeps a face from being read, before its emotion is looked at. Pictures that were taken as a face without a search
  /// are not doubted: their maker chose them.
  ///
  /// - Parameter crop: the face as the model sees it.
  package init?(face: DetectedFace, crop: Image) {
    if face.score == nil {
      return nil
    } else if face.square.side < Self.smallestSide {
      self = .small
    } else if let pose = face.landmarks?.pose, abs(pose.yaw) > Self.largestYaw {
      self = .turned
    } else if Double(crop.pixels.reduce(0) { $0 + Int($1) }) < Self.leastBrightness * Double(crop.pixels.count) {
      self = .dark
    } else {
      return nil
    }
  }
}
