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
    package fileprivate(set) var faces: [DetectedFace] = []
    /// [faces.count, C, H, W]
    var inputs: [Float] = []
    /// Time spent searching.
    var detecting: Duration = .zero
    /// Time spent on crops and preprocessing.
    var framing: Duration = .zero
  }

  /// Finds and frames the faces of a picture. Blocks.
  package func prepare(_ image: Image) throws -> PreparedFaces {
    var prepared = PreparedFaces()
    let clock = ContinuousClock()
    prepared.detecting = try clock.measure {
      if let detector {
        prepared.faces = try detector.faces(in: image)
      } else {
        let whole = Box(x: 0, y: 0, width: image.width, height: image.height)
        prepared.faces = [DetectedFace(box: whole, score: 0)]
      }
    }
    prepared.framing = try clock.measure {
      for face in prepared.faces {
        let crop = try crop(face.box, of: image)
        prepared.inputs += try frame.preprocessing.input(pixels: crop.pixels, sourceChannels: crop.channels)
      }
    }
    return prepared
  }

  /// A found face as the model wants to see it.
  func crop(_ box: Box, of image: Image) throws -> Image {
    try detector == nil ? frame.face(whole: image) : frame.face(in: box, of: image)
  }

  /// The network's input for faces that were found elsewhere: [faces.count, C, H, W]. Blocks.
  func inputs(for faces: [DetectedFace], of image: Image) throws -> [Float] {
    try faces.flatMap { face in
      let crop = try frame.face(in: face.box, of: image)
      return try frame.preprocessing.input(pixels: crop.pixels, sourceChannels: crop.channels)
    }
  }
}
