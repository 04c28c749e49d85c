import Foundation
public import MienCore
public import MienVision

/// Finds the faces of a picture and reads what each shows: detect, frame, preprocess, classify.
public final class Recognizer: Sendable {
  /// The network.
  public let classifier: EmotionClassifier
  /// The detector; nil takes every picture as one face that fills it.
  public let detector: FaceDetector?
  /// The label set of the readings, one of the classifier's.
  public let labels: LabelSet
  /// Readings whose top probability is less are marked as not confident, 0…1.
  public let minConfidence: Float
  private let frame: FaceFrame

  /// Puts a recognizer together.
  ///
  /// - Parameters:
  ///   - detector: nil where pictures are face crops already.
  ///   - labels: nil for the label set of most classes.
  /// - Throws: ``MienError`` where the classifier does not speak `labels`, or `minConfidence` is not 0…1.
  public init(
    classifier: EmotionClassifier, detector: FaceDetector?, labels: LabelSet? = nil, minConfidence: Float = 0
  ) throws {
    guard (0...1).contains(minConfidence) else {
      throw MienError(.argument, "min-confidence", "expected 0 to 1, found \(minConfidence)")
    }
    if let labels, !classifier.labelSets.contains(labels) {
      let choices = classifier.labelSets.map(\.name).joined(separator: ", ")
      throw MienError(.argument, labels.name, "\(classifier.card.name) speaks \(choices)")
    }
    self.classifier = classifier
    self.detector = detector
    self.labels = labels ?? classifier.widestLabels
    self.minConfidence = minConfidence
    frame = FaceFrame(card: classifier.card)
  }

  /// The readings of a picture's faces, in the detector's order (the largest first).
  ///
  /// - Throws: ``MienError`` where a native library fails.
  public func readings(in image: Image) async throws -> [FaceReading] {
    try await NativeQueue.shared.run {
      try self.classify([self.prepare(image)]).first ?? []
    }
  }

  /// A picture's faces, ready for the network.
  package struct PreparedFaces: Sendable {
    package fileprivate(set) var faces: [DetectedFace] = []
    /// [faces.count, C, H, W]
    fileprivate var inputs: [Float] = []
    package fileprivate(set) var detecting: Duration = .zero
    package fileprivate(set) var framing: Duration = .zero
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
        let crop = try detector == nil ? frame.face(whole: image) : frame.face(in: face.box, of: image)
        prepared.inputs += try frame.preprocessing.input(pixels: crop.pixels, sourceChannels: crop.channels)
      }
    }
    return prepared
  }

  /// Reads the faces of several pictures in one go. Blocks.
  package func classify(_ pictures: [PreparedFaces]) throws -> [[FaceReading]] {
    let distributions = try classifier.distributions(
      for: pictures.flatMap(\.inputs), count: pictures.reduce(0) { $0 + $1.faces.count }, labels: labels)
    var next = 0
    return pictures.map { picture in
      picture.faces.map { face in
        defer { next += 1 }
        let distribution = distributions[next]
        return FaceReading(
          box: face.box, detectionScore: detector == nil ? nil : face.score, distribution: distribution,
          isConfident: distribution.top.probability >= minConfidence)
      }
    }
  }
}
