public import MienCore
public import MienVision

/// A face in a picture, and which places of it speak for which emotions.
public struct FaceExplanation: Sendable {
  /// Where the face is, in pixels of the upright picture.
  public let box: Box
  /// The face as the model sees it: its input's size and channels.
  public let face: Image
  /// The same part of the picture in its own resolution, RGB, 192 to 768 pixels square.
  public let largeFace: Image
  /// What it is read as.
  public let distribution: EmotionDistribution
  /// One map an emotion asked for, of the face's size.
  public let maps: [EmotionMap]
}

extension Recognizer {
  /// The faces of a picture, in the detector's order, with the maps of `emotions`.
  ///
  /// - Parameters:
  ///   - emotions: of ``labels``; empty for the one that each face is read as.
  ///   - method: nil for the cheapest that the model has.
  /// - Throws: ``MienError`` where a native library fails, the model does not speak an emotion, or has no class
  ///   activation maps where they are asked for.
  public func explanations(
    in image: Image, emotions: [Emotion] = [], method: EmotionClassifier.MapMethod? = nil
  ) async throws -> [FaceExplanation] {
    try await NativeQueue.shared.run {
      let prepared = try self.finder.prepare(image)
      let found = try self.classifier.maps(
        of: emotions, for: prepared.inputs, count: prepared.faces.count, labels: self.labels, method: method)
      return try zip(prepared.faces, found).map { face, found in
        FaceExplanation(
          box: image.whole(face.box), face: try self.finder.crop(face, of: image),
          largeFace: try self.finder.frame.largeFace(face, of: image), distribution: found.distribution,
          maps: found.maps)
      }
    }
  }

  /// The maps of one framed face of any size, such as an earlier crop.
  ///
  /// - Parameter face: a square face; it is scaled to the model's input.
  public func explanation(
    ofFace face: Image, emotions: [Emotion] = [], method: EmotionClassifier.MapMethod? = nil
  ) async throws -> FaceExplanation {
    try await NativeQueue.shared.run {
      let card = self.classifier.card
      let crop = try FaceFrame(card: card).face(whole: face)
      let input = try card.preprocessing.input(crop)
      let found = try self.classifier.maps(of: emotions, for: input, count: 1, labels: self.labels, method: method)
      return FaceExplanation(
        box: Box(x: 0, y: 0, width: face.width, height: face.height), face: crop,
        largeFace: try FaceFrame(card: card).largeFace(whole: face), distribution: found[0].distribution,
        maps: found[0].maps)
    }
  }
}
