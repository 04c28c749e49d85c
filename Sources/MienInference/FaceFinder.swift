package import MienCore
package import MienVision

/// Finds and frames the faces of a picture for a model: all that can be done before its network is compiled.
package struct FaceFinder: Sendable {
  /// The detector.
  package let detector: any FaceDetector
  let frame: FaceFrame

  /// Frames faces as `card` says.
  package init(card: ModelCard, detector: any FaceDetector) {
    self.detector = detector
    frame = FaceFrame(card: card)
  }

  /// A picture's faces, ready for the network.
  package struct PreparedFaces: Sendable {
    /// The faces, in the detector's order.
    package let faces: [DetectedFace]
    /// What may keep each face from being read.
    let doubts: [FaceReading.Doubt?]
    /// [faces.count, C, H, W]
    let inputs: [Float]
    /// Time spent searching.
    let detecting: Duration
    /// Time spent on crops and preprocessing.
    let framing: Duration

    /// Some of the faces.
    package func part(_ range: Range<Int>) -> PreparedFaces {
      let size = faces.isEmpty ? 0 : inputs.count / faces.count
      return PreparedFaces(
        faces: Array(faces[range]), doubts: Array(doubts[range]),
        inputs: Array(inputs[(size * range.lowerBound)..<(size * range.upperBound)]), detecting: detecting,
        framing: framing)
    }
  }

  /// Finds and frames the faces of a picture. Blocks.
  package func prepare(_ image: Image) throws -> PreparedFaces {
    let clock = ContinuousClock()
    let start = clock.now
    let faces = try detector.faces(in: image)
    return try prepare(faces, of: image, detecting: clock.now - start)
  }

  /// Frames faces that were found elsewhere. Blocks.
  ///
  /// - Parameter detecting: the time that it took to find them.
  func prepare(_ faces: [DetectedFace], of image: Image, detecting: Duration) throws -> PreparedFaces {
    let clock = ContinuousClock()
    let start = clock.now
    let crops = try faces.map { try frame.face($0, of: image) }
    return PreparedFaces(
      faces: faces, doubts: zip(faces, crops).map { FaceReading.Doubt(face: $0, crop: $1) },
      inputs: try crops.flatMap { try frame.preprocessing.input($0) }, detecting: detecting, framing: clock.now - start)
  }

  /// The least `minFace` for a search of at most `pixels` pixels of a picture; `nil` if the detector searches no more as it
  /// is. The time of a search grows with these pixels.
  package func leastMinFace(in image: Image, searching pixels: Int) -> Int? {
    guard let sized = detector as? any SizedFaceDetector, var least = sized.minFace,
      sized.searchedPixels(of: image, minFace: least) > pixels
    else { return nil }
    let longSide = max(image.wholeWidth, image.wholeHeight)
    while least < longSide, sized.searchedPixels(of: image, minFace: least) > pixels { least += 1 }
    return least
  }

  /// A found face as the model wants to see it.
  func crop(_ face: DetectedFace, of image: Image) throws -> Image { try frame.face(face, of: image) }
}
