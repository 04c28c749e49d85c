package import MienCore
package import MienVision

/// Finds and frames the faces of a picture for a model: all that can be done before its network is compiled.
package struct FaceFinder: Sendable {
  /// The detector; nil takes every picture as one face that fills it.
  let detector: FaceDetector?
  private let frame: FaceFrame

  /// Frames faces as `card` says.
  package init(card: ModelCard, detector: FaceDetector?) {
    self.detector = detector
    frame = FaceFrame(card: card)
  }

  /// A picture's faces, ready for the network.
  package struct PreparedFaces: Sendable {
    /// The faces, in the detector's order.
    package let faces: [DetectedFace]
    /// [faces.count, C, H, W]
    let inputs: [Float]
    /// Time spent searching.
    let detecting: Duration
    /// Time spent on crops and preprocessing.
    let framing: Duration
  }

  /// Finds and frames the faces of a picture. Blocks.
  package func prepare(_ image: Image) throws -> PreparedFaces {
    let clock = ContinuousClock()
    let start = clock.now
    let whole = DetectedFace(box: Box(x: 0, y: 0, width: image.width, height: image.height), score: 0)
    let faces = try detector?.faces(in: image) ?? [whole]
    return try frame(faces, detecting: clock.now - start) { try crop($0, of: image) }
  }

  /// Frames faces that were found elsewhere, whether or not there is a detector. Blocks.
  ///
  /// - Parameter detecting: the time that it took to find them.
  func prepare(_ faces: [DetectedFace], of image: Image, detecting: Duration) throws -> PreparedFaces {
    try frame(faces, detecting: detecting) { try frame.face(in: $0, of: image) }
  }

  private func frame(
    _ faces: [DetectedFace], detecting: Duration, crop: (Box) throws -> Image
  ) throws -> PreparedFaces {
    let clock = ContinuousClock()
    let start = clock.now
    let inputs = try faces.flatMap { face in
      try frame.preprocessing.input(crop(face.box))
    }
    return PreparedFaces(faces: faces, inputs: inputs, detecting: detecting, framing: clock.now - start)
  }

  /// A found face as the model wants to see it.
  func crop(_ box: Box, of image: Image) throws -> Image {
    try detector == nil ? frame.face(whole: image) : frame.face(in: box, of: image)
  }
}
