public import MienCore

/// Cuts a detected face out of a picture the way a model wants to see it.
///
/// The crop is a square of `framing.scale` times the box's longer side, about the box's centre moved down by
/// `framing.shiftDown` of the box's height; over the picture's edge the border is repeated.
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

  /// A square of a picture, in continuous coordinates: pixel `i` covers `i ..< i + 1`. It may lie partly outside.
  public struct Square: Sendable, Equatable {
    /// The centre's distance from the picture's left edge, in pixels.
    public let centerX: Double
    /// The centre's distance from the picture's upper edge, in pixels.
    public let centerY: Double
    /// The side in pixels.
    public let side: Double
  }

  /// What of a picture the model sees of the face in `box`.
  public func square(around box: Box) -> Square {
    Square(
      centerX: Double(box.x) + Double(box.width) / 2,
      centerY: Double(box.y) + Double(box.height) / 2 + Double(framing.shiftDown) * Double(box.height),
      side: Double(max(box.width, box.height)) * Double(framing.scale))
  }

  /// What the model sees where a picture is taken as one face: the picture, made square.
  public func square(whole image: Image) -> Square {
    Square(
      centerX: Double(image.width) / 2, centerY: Double(image.height) / 2,
      side: Double(max(image.width, image.height)))
  }

  /// The face in `box`: `preprocessing.width` pixels square, grey or RGB by `preprocessing.channels`.
  ///
  /// - Throws: ``MienError`` where the box is empty or the model's input is not square.
  public func face(in box: Box, of image: Image) throws -> Image {
    guard box.width > 0, box.height > 0 else {
      throw MienError(.argument, nil, "expected a box with pixels, found \(box.width)x\(box.height)")
    }
    return try face(square(around: box), of: image)
  }

  /// The whole picture as one face, for pictures that are face crops already: no framing is applied. A picture of the
  /// input's size comes back unchanged; the shorter side's border is repeated to make it square.
  ///
  /// - Throws: ``MienError`` where the model's input is not square.
  public func face(whole image: Image) throws -> Image { try face(square(whole: image), of: image) }

  private func face(_ square: Square, of image: Image) throws -> Image {
    guard preprocessing.width == preprocessing.height else {
      throw MienError(
        .mismatch, nil, "expected a square model input, found \(preprocessing.width)x\(preprocessing.height)")
    }
    let crop = try image.crop(
      centerX: square.centerX, centerY: square.centerY, side: square.side, size: preprocessing.width)
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
