public import Foundation
public import MienCore

/// A face in a ``Report``: its picture, what it is labelled, and the probability of each class.
public struct FaceCard: Sendable {
  private let picture: Data
  private let label: Emotion
  private let distribution: EmotionDistribution
  private let name: String

  /// Describes a face.
  ///
  /// - Parameters:
  ///   - png: the picture as a PNG file.
  ///   - name: what tells the face from others, such as its row in the data.
  public init(png: Data, label: Emotion, distribution: EmotionDistribution, name: String) {
    picture = png
    self.label = label
    self.distribution = distribution
    self.name = name
  }

  /// What the bars' colours mean.
  static let key = "Green bar: the label. Orange: the reading, if it is another emotion. Grey: all others."

  /// A probability whose number does not part from its sign at a line's end.
  static func text(_ probability: Float) -> String {
    NumberText.probability(probability).replacing(" ", with: "\u{A0}")
  }

  /// The card's elements.
  var html: String {
    let top = distribution.top
    let bars = zip(distribution.labels.emotions, distribution.probabilities).map { emotion, probability in
      let kind = emotion == label ? " right" : emotion == top.emotion ? " wrong" : ""
      let width = NumberText.fixed(Double(probability) * 100, 1)
      return "<li\(emotion == label ? " class=\"label\"" : "")><span>\(emotion.rawValue)</span>"
        + "<span class=\"bar\(kind)\" style=\"width:\(width)%\"></span>"
        + "<span>\(SVGCanvas.escaped(Self.text(probability)))</span></li>"
    }
    let words = "label \(label.rawValue), read \(top.emotion.rawValue)"
    let probability = SVGCanvas.escaped(Self.text(top.probability))
    let name = SVGCanvas.escaped(name)
    return """
      <figure class="face"><img src="data:image/png;base64,\(picture.base64EncodedString())" \
      alt="\(name): \(words)"/><ul>\(bars.joined())</ul>\
      <figcaption>\(words) \(probability)<span>\(name)</span></figcaption></figure>
      """
  }
}

/// Faces that were measured, with the figures that came of it: what a ``Report`` shows faces from.
public struct MeasuredFaces: Sendable {
  private let faces: FaceSet
  private let indices: [Int]
  private let metrics: ClassificationMetrics

  /// Joins faces and figures.
  ///
  /// - Parameter indices: [N] which face of `faces` each entry of `metrics` is.
  /// - Throws: ``MienError`` where the counts differ, or an index is outside `faces`.
  public init(_ faces: FaceSet, indices: [Int], metrics: ClassificationMetrics) throws {
    guard indices.count == metrics.count, indices.allSatisfy({ (0..<faces.count).contains($0) }) else {
      throw MienError(
        .mismatch, faces.info.source, "expected \(metrics.count) faces of \(faces.count), found \(indices.count)")
    }
    self.faces = faces
    self.indices = indices
    self.metrics = metrics
  }

  /// Up to `count` faces of each class, drawn at random under `seed`, in the order of classes.
  func sample(perClass count: Int, seed: UInt64) -> [Int] {
    metrics.labels.emotions.indices.flatMap { label in
      var random = SeededRandom(seed: seed, stream: UInt64(label))
      let entries = metrics.truth.indices.filter { metrics.truth[$0] == label }.shuffled(using: &random)
      return entries.prefix(count).sorted()
    }
  }

  /// Up to `count` faces that are read as another class than their label, the surest first.
  func surestMistakes(_ count: Int) -> [Int] {
    metrics.truth.indices.filter { metrics.truth[$0] != metrics.predictions[$0] }
      .map { (index: $0, probability: metrics.probabilities(at: $0).max() ?? 0) }
      .sorted { ($1.probability, $0.index) < ($0.probability, $1.index) }
      .prefix(count).map(\.index)
  }

  /// How many faces are read as another class than their label.
  var mistakeCount: Int { metrics.count - metrics.correct }

  /// The cards of `entries`, indices into the figures.
  func cards(_ entries: [Int]) throws -> [FaceCard] {
    try entries.map { entry in
      let index = indices[entry]
      return FaceCard(
        png: try PNG.encoded(
          width: faces.width, height: faces.height, channels: faces.channels, pixels: faces.face(at: index)),
        label: metrics.labels.emotions[metrics.truth[entry]],
        distribution: try EmotionDistribution(
          labels: metrics.labels, probabilities: Array(metrics.probabilities(at: entry))),
        name: "face \(index)")
    }
  }
}
