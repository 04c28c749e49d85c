public import MienCore

/// Cuts a detected face out of a picture the way a model wants to see it.
///
/// The crop is a square of `framing.scale` times the anchor's side, about its centre moved down by `framing.shiftDown` of
/// that side, and turned as the head is where `framing.isTurned`. Over the picture's edge the border is repeated.
public struct FaceFrame: Sendable, Equatable {
  /// The crop's size and place relative to the detector's box.
  public var framing: ModelCard.Framing
  /// The model's input: `width` (equal to `height`) and `channels` are used here.
  public var preprocessing: Preprocessing

  /// Frames faces by `framing` for the input that `preprocessing` describes.
  public init(framing: ModelCard.Framing = .init(), preprocessing: Preprocessing = .init()) {
    self.framing = framing
    self.preprocessing = preprocessing
  }

  /// Frames faces as a model's card says.
  public init(card: ModelCard) { self.init(framing: card.framing, preprocessing: card.preprocessing) }

  /// What of a picture the model sees of a face.
  public func square(around face: DetectedFace) -> TurnedSquare {
    var anchor = face.square
    if framing.anchor == .points, let points = face.points, let square = Self.square(of: points) { anchor = square }
    if !framing.isTurned { anchor.degrees = 0 }
    return anchor.moved(down: Double(framing.shiftDown), scale: Double(framing.scale))
  }

  /// Where the points of FER2013's faces lie, as shares of the picture's side (medians of 989 faces).
  private enum Typical {
    static let eyeDistance = 17.5 / 48
    static let eyesToMouth = 18.2 / 48
    static let eyesAboveCenter = 5.0 / 48
  }

  /// The square in which eyes and mouth lie as they do in FER2013's faces; `nil` if the points coincide. A turned head
  /// brings the eyes closer together, a raised one the mouth closer to them: the larger distance counts.
  private static func square(of points: FacePoints) -> TurnedSquare? {
    let eyes = Point(
      x: (points.leftEye.x + points.rightEye.x) / 2, y: (points.leftEye.y + points.rightEye.y) / 2)
    func distance(_ a: Point, _ b: Point) -> Double {
      ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
    }
    let side = max(
      distance(points.leftEye, points.rightEye) / Typical.eyeDistance,
      distance(eyes, points.mouth) / Typical.eyesToMouth)
    guard side.isFinite, side >= 1 else { return nil }
    return TurnedSquare(center: eyes, side: side, degrees: points.degrees).moved(down: Typical.eyesAboveCenter)
  }

  /// What the model sees where a picture is taken as one face: the picture, made square.
  public func square(whole image: Image) -> TurnedSquare { DetectedFace.whole(image).square }

  /// A found face: `preprocessing.width` pixels square, grey or RGB by `preprocessing.channels`. A picture that was taken as
  /// a face without a search is not framed.
  ///
  /// - Throws: ``MienError`` where the box is empty or the model's input is not square.
  public func face(_ face: DetectedFace, of image: Image) throws -> Image {
    if face.isWhole { return try self.face(whole: image) }
    guard face.square.side > 0 else {
      throw MienError(.argument, nil, "expected a face with pixels, found \(face.box.width)x\(face.box.height)")
    }
    return try crop(square(around: face), of: image)
  }

  /// What ``face(_:of:)`` shows in the picture's own resolution, for people to look at: RGB, square, at least 192 and at
  /// most 768 pixels wide.
  ///
  /// - Throws: ``MienError`` if the box is empty.
  public func largeFace(_ face: DetectedFace, of image: Image) throws -> Image {
    if face.isWhole { return try largeFace(whole: image) }
    guard face.square.side > 0 else {
      throw MienError(.argument, nil, "expected a face with pixels, found \(face.box.width)x\(face.box.height)")
    }
    return try large(square(around: face), of: image)
  }

  /// The same of a whole picture, as ``face(whole:)`` shows it.
  public func largeFace(whole image: Image) throws -> Image { try large(square(whole: image), of: image) }

  private func large(_ square: TurnedSquare, of image: Image) throws -> Image {
    try image.crop(square, size: Int(min(max(square.side.rounded(), 192), 768))).rgb
  }

  /// The whole picture as one face, for pictures that are face crops already: no framing is applied. A picture of the
  /// input's size comes back unchanged; the shorter side's border is repeated to make it square.
  ///
  /// - Throws: ``MienError`` where the model's input is not square.
  public func face(whole image: Image) throws -> Image { try crop(square(whole: image), of: image) }

  private func crop(_ square: TurnedSquare, of image: Image) throws -> Image {
    guard preprocessing.width == preprocessing.height else {
      throw MienError(
        .mismatch, nil, "expected a square model input, found \(preprocessing.width)x\(preprocessing.height)")
    }
    let crop = try image.crop(square, size: preprocessing.width)
    return preprocessing.channels == 1 ? crop.grey : crop.rgb
  }
}

extension Preprocessing {
  /// The network's input for a framed face.
  ///
  /// - Throws: ``MienError`` where the face's size is not the model's input.
  package func input(_ face: Image) throws -> [Float] {
    try input(pixels: face.pixels, sourceChannels: face.channels)
  }
}
