import Foundation
public import MienCore
public import MienVision

/// Finds the faces of a picture and reads what each shows: detect, frame, preprocess, classify.
public final class Recognizer: Sendable {
  /// The network.
  public let classifier: EmotionClassifier
  /// The label set of the readings, one of the classifier's.
  public let labels: LabelSet
  /// Readings whose top probability is less are marked as not confident, 0…1.
  public let minConfidence: Float
  let finder: FaceFinder

  /// The built-in model with the built-in detector. The network is compiled off the cooperative pool.
  ///
  /// - Throws: ``MienError`` if a network cannot be compiled, or `minConfidence` is not 0…1.
  public convenience init(minConfidence: Float = FaceReading.standardMinConfidence) async throws {
    let classifier = try await NativeQueue.shared.run { try EmotionClassifier.default() }
    try self.init(classifier: classifier, detector: NetworkDetector(), minConfidence: minConfidence)
  }

  /// Puts a recognizer together.
  ///
  /// - Parameters:
  ///   - detector: finds the faces; `WholePicture` for pictures that are face crops already.
  ///   - labels: nil for the label set of most classes.
  /// - Throws: ``MienError`` where the classifier does not speak `labels`, or `minConfidence` is not 0…1.
  public convenience init(
    classifier: EmotionClassifier, detector: any FaceDetector, labels: LabelSet? = nil,
    minConfidence: Float = FaceReading.standardMinConfidence
  ) throws {
    try self.init(
      classifier: classifier, finder: FaceFinder(card: classifier.card, detector: detector), labels: labels,
      minConfidence: minConfidence)
  }

  package init(
    classifier: EmotionClassifier, finder: FaceFinder, labels: LabelSet? = nil,
    minConfidence: Float = FaceReading.standardMinConfidence
  ) throws {
    guard (0...1).contains(minConfidence) else {
      throw MienError(.argument, "min-confidence", "expected 0 to 1, found \(minConfidence)")
    }
    if let labels, !classifier.labelSets.contains(labels) {
      throw MienError(.argument, "labels \(labels.name)", classifier.expectedLabels)
    }
    self.classifier = classifier
    self.finder = finder
    self.labels = labels ?? classifier.widestLabels
    self.minConfidence = minConfidence
  }

  /// The readings of a picture's faces, in the detector's order (the largest first).
  ///
  /// - Throws: ``MienError`` where a native library fails.
  public func readings(in image: Image) async throws -> [FaceReading] {
    try await NativeQueue.shared.run {
      try self.classify([self.finder.prepare(image).inWholePicture(of: image)]).first ?? []
    }
  }

  /// Starts on the pictures of a video or a camera; see ``FaceSequence``.
  package func sequence() -> FaceSequence { FaceSequence(finder: finder) }

  /// Reads the faces of several pictures in one go. Blocks.
  ///
  /// - Parameters:
  ///   - minConfidence: the threshold of these readings; `nil` for ``minConfidence``.
  ///   - prior: the mix of emotions that these readings expect; `nil` for the classifier's own.
  package func classify(
    _ pictures: [FaceFinder.PreparedFaces], minConfidence: Float? = nil, prior: ClassPrior? = nil
  ) throws -> [[FaceReading]] {
    let distributions = try classifier.distributions(
      for: pictures.flatMap(\.inputs), count: pictures.reduce(0) { $0 + $1.faces.count }, labels: labels, prior: prior)
    var next = 0
    return pictures.map { picture in
      zip(picture.faces, picture.doubts).map { face, doubt in
        defer { next += 1 }
        return reading(face, distributions[next], doubt, minConfidence: minConfidence)
      }
    }
  }

  /// A face with what the network says of it.
  func reading(
    _ face: DetectedFace, _ distribution: EmotionDistribution, _ doubt: FaceReading.Doubt?, minConfidence: Float? = nil
  ) -> FaceReading {
    let isSure = distribution.top.probability >= minConfidence ?? self.minConfidence
    return FaceReading(face: face, distribution: distribution, doubt: doubt ?? (isSure ? nil : .unsure))
  }
}
