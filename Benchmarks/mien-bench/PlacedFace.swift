import ArgumentParser
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienVision

/// A labelled face of a set, enlarged and set into a larger picture as if it were part of a photo, and found there.
struct PlacedFace {
  /// The set's own picture.
  let original: Image
  /// The larger one.
  let image: Image
  /// What the detector found in it.
  let face: DetectedFace
  /// What it is labelled as.
  let label: Emotion

  /// Enlargement before detection, and side of the padded picture relative to the face picture.
  private static let enlargement = 4
  static let padded = 1.5

  fileprivate static func found(
    _ faces: FaceSet, _ labelled: [(index: Int, label: Emotion)], by detector: any FaceDetector
  ) throws -> [PlacedFace] {
    let progress = ProgressLine("faces")
    defer { progress.clear() }
    return try labelled.enumerated().compactMap { done, face in
      progress.update(done, of: labelled.count)
      let original = try faces.image(at: face.index)
      let side = Double(faces.width) * padded
      let image = try original.crop(
        centerX: Double(faces.width) / 2, centerY: Double(faces.height) / 2, side: side, size: Int(side) * enlargement)
      return try detector.faces(in: image).first.map {
        PlacedFace(original: original, image: image, face: $0, label: face.label)
      }
    }
  }

  static func accuracy(
    _ classifier: EmotionClassifier, _ labels: LabelSet, _ faces: [(image: Image, label: Emotion)]
  ) throws -> Double {
    Double(try hits(classifier, labels, faces).count { $0 }) / Double(faces.count)
  }

  /// Whether each face is classified correctly.
  static func hits(
    _ classifier: EmotionClassifier, _ labels: LabelSet, _ faces: [(image: Image, label: Emotion)]
  ) throws -> [Bool] {
    let inputs = try faces.flatMap { try classifier.card.preprocessing.input($0.image) }
    let readings = try classifier.distributions(for: inputs, count: faces.count, labels: labels)
    return zip(readings, faces).map { $0.top.emotion == $1.label }
  }
}

/// The faces that a benchmark measures, and what reads them.
struct BenchmarkFaces: ParsableArguments {
  @Option(help: ArgumentHelp("A set of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: "The part of the set.")
  var split = Split.Choice.validation

  @OptionGroup var model: ModelOptions

  /// The set, the classifier, its labels that the set has, and the faces that have one.
  ///
  /// - Throws: ``MienCore/MienError`` if the model has no output for the labels.
  func labelled() throws -> (
    set: FaceSet, classifier: EmotionClassifier, labels: LabelSet, faces: [(index: Int, label: Emotion)]
  ) {
    let set = try FaceSet.given(data)
    let source = try set.labelSource(named: nil)
    let labels = set.labelSet(source)
    let classifier = try model.classifier()
    guard classifier.labelSets.contains(labels) else {
      throw MienError(.mismatch, data, "\(classifier.card.name) has no output for \(labels.name)")
    }
    return (set, classifier, labels, set.labelled(source, in: split.split))
  }
}

/// What placed faces are made from, and what finds and reads them.
struct PlacedFaceOptions: ParsableArguments {
  @OptionGroup var faces: BenchmarkFaces

  @OptionGroup var detector: DetectorOptions

  /// The classifier, its labels that the set has, and the faces that the detector found.
  ///
  /// - Throws: ``MienCore/MienError`` if the model has no output for the labels, or no face is found.
  func found() throws -> (classifier: EmotionClassifier, labels: LabelSet, faces: [PlacedFace]) {
    let (set, classifier, labels, labelled) = try faces.labelled()
    let found = try PlacedFace.found(set, labelled, by: detector.faceDetector())
    guard !found.isEmpty else { throw MienError(.mismatch, faces.data, "the detector found no face in the set") }
    return (classifier, labels, found)
  }
}
