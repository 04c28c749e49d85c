public import MienCore
public import MienInference
import MienVision

/// A model measured on a labelled set of faces.
public struct Evaluation: Sendable {
  /// What is averaged over for each face.
  public enum Averaging: String, CaseIterable, Sendable {
    /// One pass.
    case none
    /// The face and its mirror image.
    case flip
  }

  /// The faces measured, in the order of the figures, [N]: their places in the FaceSet.
  public let indices: [Int]
  /// Which of the faces belong together, [N]: those of one person or of one sequence, if the set knows them.
  public let clusters: FaceClusters
  /// The figures. Their own intervals take all faces as independent.
  public let metrics: ClassificationMetrics
  /// The model's output that was measured.
  public let output: LabelSet
  /// Classes with faces in the data that the output lacks; those faces count as wrong.
  public let missingClasses: [Emotion]
  /// Faces of the split without a label, left out.
  public let unlabelledCount: Int
  /// Labelled faces that were to be left out.
  public let excludedCount: Int

  /// The 95 % interval of the accuracy, by person or sequence if the set knows them, as `mien evaluate` gives it.
  public var accuracyInterval: ProportionInterval { metrics.accuracyInterval(clusters) }

  /// Runs `faces` through `classifier`.
  ///
  /// The output whose classes are those of the chosen labels is measured; else the one of most classes, restricted to
  /// the shared ones and renormalised.
  ///
  /// - Parameters:
  ///   - split: nil for all faces.
  ///   - excluded: faces to leave out, by their places in the set.
  ///   - corruption: what is done to each face first; nil for nothing.
  ///   - progress: called with how many faces are done, and of how many.
  /// - Throws: ``MienError`` where no face has a label, the faces' size is not the model's input, or no class is shared.
  public init(
    _ classifier: EmotionClassifier, on faces: FaceSet, labels source: LabelSource, split: Split?,
    excluding excluded: Set<Int> = [], averaging: Averaging = .none, corruption: Corruption? = nil,
    progress: @Sendable @escaping (Int, Int) -> Void = { _, _ in }
  ) async throws {
    let preprocessing = classifier.card.preprocessing
    try preprocessing.checkSize(of: faces, for: classifier.card.name)
    let labels = faces.labelSet(source)
    let all = faces.labelled(source, in: split)
    let labelled = all.filter { !excluded.contains($0.index) }
    guard !labelled.isEmpty else {
      let part = split?.rawValue ?? "the set"
      let reason =
        all.isEmpty
        ? "no face of \(part) has a \(labels.name) label"
        : "all \(all.count.grouped) labelled faces of \(part) are left out: their pictures were trained on"
      throw MienError(.mismatch, faces.info.source, reason)
    }
    let output = classifier.labels(for: labels)
    let probabilities = try await NativeQueue.shared.run {
      var probabilities: [Float] = []
      probabilities.reserveCapacity(labelled.count * labels.count)
      for start in stride(from: 0, to: labelled.count, by: Self.chunk) {
        try Task.checkCancellation()
        let rows = labelled[start..<min(start + Self.chunk, labelled.count)]
        let inputs = try rows.flatMap {
          try preprocessing.input(
            pixels: Self.pixels(faces, at: $0.index, corruption), sourceChannels: faces.channels)
        }
        let distributions = try Self.distributions(classifier, inputs, rows.count, output, averaging)
        for distribution in distributions {
          let asked = output == labels ? distribution : try distribution.restricted(to: labels)
          probabilities += asked.probabilities
        }
        progress(start + rows.count, labelled.count)
      }
      return probabilities
    }
    let metrics = try ClassificationMetrics(
      labels: labels, truth: labelled.map { labels.index(of: $0.label) ?? 0 }, probabilities: probabilities)
    missingClasses = zip(labels.emotions, metrics.classes).compactMap { emotion, scores in
      output.index(of: emotion) == nil && scores.support > 0 ? emotion : nil
    }
    indices = labelled.map(\.index)
    clusters = faces.clusters(of: indices)
    self.metrics = metrics
    self.output = output
    unlabelledCount = faces.indices(in: split).count - all.count
    excludedCount = all.count - labelled.count
  }

  /// Faces between two calls of `progress`.
  private static let chunk = 64

  private static func pixels(_ faces: FaceSet, at index: Int, _ corruption: Corruption?) throws -> [UInt8] {
    guard let corruption else { return faces.face(at: index) }
    return try corruption.applied(to: faces.image(at: index), index: index).pixels
  }

  private static func distributions(
    _ classifier: EmotionClassifier, _ inputs: [Float], _ count: Int, _ output: LabelSet, _ averaging: Averaging
  ) throws -> [EmotionDistribution] {
    let plain = try classifier.distributions(for: inputs, count: count, labels: output)
    guard averaging == .flip else { return plain }
    let width = classifier.card.preprocessing.width
    let mirrored = stride(from: 0, to: inputs.count, by: width).flatMap { inputs[$0..<($0 + width)].reversed() }
    return try zip(plain, classifier.distributions(for: mirrored, count: count, labels: output)).map { a, b in
      try EmotionDistribution(
        labels: output, probabilities: zip(a.probabilities, b.probabilities).map { ($0 + $1) / 2 })
    }
  }
}
