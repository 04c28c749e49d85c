import Glibc

/// How well probabilities agree with labels: the figures of `mien evaluate`.
///
/// Conventions, as in scikit-learn: the prediction is the most probable class, of equals the first in the label set's
/// order; a confusion matrix has a row a true class and a column a predicted one; a ratio whose denominator is zero
/// counts as 0; macro figures are means over the classes that have support, that is, at least one true face.
public struct ClassificationMetrics: Sendable, Equatable {
  /// The figures of one class.
  public struct ClassScores: Sendable, Equatable {
    /// Share of the faces predicted as this class that are of it, 0…1; 0 where none is predicted.
    public var precision: Double
    /// Share of the faces of this class that are predicted as it, 0…1; 0 where there are none.
    public var recall: Double
    /// Harmonic mean of precision and recall, 0…1; 0 where both are 0.
    public var f1: Double
    /// Area under the one-vs-rest ROC curve, 0…1; nil where either side has no face.
    public var auc: Double?
    /// How many faces are of this class.
    public var support: Int
    /// How many faces are predicted as this class. Of none, the precision is undefined and stands as 0.
    public var predictedCount: Int

    /// Collects the figures of one class.
    public init(precision: Double, recall: Double, f1: Double, auc: Double?, support: Int, predictedCount: Int) {
      self.precision = precision
      self.recall = recall
      self.f1 = f1
      self.auc = auc
      self.support = support
      self.predictedCount = predictedCount
    }
  }

  /// The meaning of class indices.
  public let labels: LabelSet
  /// The true class of each face, [N].
  public let truth: [Int]
  /// The most probable class of each face, [N].
  public let predictions: [Int]
  /// Faces by true class (row) and predicted class (column), [K, K].
  public let confusion: [[Int]]
  /// The figures of each class, in the order of ``labels``, [K].
  public let classes: [ClassScores]
  /// Mean of -ln p(true class), in nats. As scikit-learn does for 32-bit floats, p is first clipped to
  /// 2^-23…1 - 2^-23, so that a certain mistake costs 15.9 and not infinity.
  public let logLoss: Double
  /// How far the top probability is from the share that is right, with intervals for which all faces are independent.
  public let calibration: Calibration
  private let probabilities: [Float]

  /// How far the sum of a row may be from 1.
  private static let sumTolerance: Float = 1e-3

  /// The faces of several measurements together, one after another.
  ///
  /// - Throws: ``MienError`` where there is none, or their labels differ.
  package init(joining parts: [ClassificationMetrics]) throws {
    guard let labels = parts.first?.labels, parts.allSatisfy({ $0.labels == labels }) else {
      throw MienError(.mismatch, nil, "expected measurements of the same labels")
    }
    try self.init(labels: labels, truth: parts.flatMap(\.truth), probabilities: parts.flatMap(\.probabilities))
  }

  /// Measures `probabilities` against `truth`.
  ///
  /// - Parameters:
  ///   - truth: [N] indices into `labels`.
  ///   - probabilities: [N, K] row-major, K the number of `labels`; each row 0…1 with the sum 1.
  /// - Throws: ``MienError`` where there is no face, sizes do not fit, an index is outside `labels`, or a row is no
  ///   distribution.
  public init(labels: LabelSet, truth: [Int], probabilities: [Float]) throws {
    let width = labels.count
    guard !truth.isEmpty else { throw MienError(.mismatch, labels.name, "no face to measure") }
    guard probabilities.count == truth.count * width else {
      throw MienError(
        .mismatch, labels.name,
        "expected \(truth.count) x \(width) probabilities, found \(probabilities.count) numbers")
    }
    if let row = truth.firstIndex(where: { !labels.emotions.indices.contains($0) }) {
      throw MienError(.mismatch, labels.name, "face \(row) has the label \(truth[row]), expected 0 to \(width - 1)")
    }
    for start in stride(from: 0, to: probabilities.count, by: width) {
      let row = probabilities[start..<(start + width)]
      guard row.allSatisfy({ $0.isFinite && $0 >= 0 }), abs(row.reduce(0, +) - 1) <= Self.sumTolerance else {
        throw MienError(.format, labels.name, "face \(start / width): probabilities must be 0 to 1 with the sum 1")
      }
    }
    self.labels = labels
    self.truth = truth
    self.probabilities = probabilities

    var confusion = [[Int]](repeating: [Int](repeating: 0, count: width), count: width)
    var predictions: [Int] = []
    predictions.reserveCapacity(truth.count)
    var loss = 0.0
    var confidences: [Double] = []
    confidences.reserveCapacity(truth.count)
    let floor = Double(Float.ulpOfOne)
    for (index, label) in truth.enumerated() {
      let row = probabilities[(index * width)..<((index + 1) * width)]
      var best = row.startIndex
      for entry in row.indices where row[entry] > row[best] { best = entry }
      let predicted = best - row.startIndex
      predictions.append(predicted)
      confusion[label][predicted] += 1
      loss -= log(min(max(Double(row[row.startIndex + label]), floor), 1 - floor))
      confidences.append(Double(row[best]))
    }
    self.confusion = confusion
    self.predictions = predictions
    calibration = Calibration(confidences: confidences, hits: zip(truth, predictions).map { $0 == $1 })
    logLoss = loss / Double(truth.count)
    classes = (0..<width).map { label in
      let hits = Double(confusion[label][label])
      let support = confusion[label].reduce(0, +)
      let predicted = confusion.reduce(0) { $0 + $1[label] }
      return ClassScores(
        precision: predicted > 0 ? hits / Double(predicted) : 0,
        recall: support > 0 ? hits / Double(support) : 0,
        f1: support + predicted > 0 ? 2 * hits / Double(support + predicted) : 0,
        auc: ROCCurve(Self.column(label, of: probabilities, width: width), positive: truth.map { $0 == label })?.area,
        support: support, predictedCount: predicted)
    }
  }

  /// How many faces.
  public var count: Int { truth.count }
  /// How many faces are predicted as what they are.
  public var correct: Int { confusion.indices.reduce(0) { $0 + confusion[$1][$1] } }
  /// Share of faces predicted as what they are, 0…1.
  public var accuracy: Double { Double(correct) / Double(count) }
  /// Whether each face is predicted as what it is, [N].
  public var hits: [Bool] { zip(truth, predictions).map { $0 == $1 } }
  /// The 95 % interval of ``accuracy``, all faces taken as independent; too narrow for several faces of one person, see
  /// ``accuracyInterval(_:)``.
  public var accuracyInterval: ProportionInterval { ProportionInterval(successes: correct, of: count) }

  /// The 95 % interval of ``accuracy`` by groups.
  public func accuracyInterval(_ clusters: FaceClusters) -> ProportionInterval {
    ProportionInterval(hits: hits, clusters: clusters)
  }

  /// The 95 % interval of each class's recall; nil if it has no face.
  ///
  /// - Parameter clusters: [N] which faces belong together; nil if all are independent.
  public func recallIntervals(_ clusters: FaceClusters? = nil) -> [ProportionInterval?] {
    labels.emotions.indices.map { label in
      let entries = truth.indices.filter { truth[$0] == label }
      guard !entries.isEmpty else { return nil }
      let hits = entries.map { predictions[$0] == label }
      return clusters.map { ProportionInterval(hits: hits, clusters: $0.subset(entries)) }
        ?? ProportionInterval(successes: hits.count { $0 }, of: hits.count)
    }
  }

  /// ``calibration`` with intervals by groups.
  public func calibration(_ clusters: FaceClusters) -> Calibration {
    Calibration(confidences: confidences.map(Double.init), hits: hits, clusters: clusters)
  }

  /// The accuracy of the faces that are read as ``RiskCoverage`` describes.
  public var coverage: RiskCoverage { RiskCoverage(confidences: confidences, hits: hits) }

  /// The probability of each face's most probable class, [N].
  private var confidences: [Float] { truth.indices.map { probabilities(at: $0).max() ?? 0 } }

  /// Mean recall over the classes with support, 0…1.
  public var balancedAccuracy: Double { macroRecall }
  /// Mean precision over the classes with support, 0…1.
  public var macroPrecision: Double { macro(\.precision) }
  /// Mean recall over the classes with support, 0…1.
  public var macroRecall: Double { macro(\.recall) }
  /// Mean F1 over the classes with support, 0…1.
  public var macroF1: Double { macro(\.f1) }

  /// The probabilities of entry `index`, [K] in the order of ``labels``.
  public func probabilities(at index: Int) -> ArraySlice<Float> {
    probabilities[(index * labels.count)..<((index + 1) * labels.count)]
  }

  /// The one-vs-rest ROC curve of `emotion`; nil where the label set lacks it, or either side has no face.
  public func rocCurve(of emotion: Emotion) -> ROCCurve? {
    labels.index(of: emotion).flatMap { label in
      ROCCurve(
        Self.column(label, of: probabilities, width: labels.count), positive: truth.map { $0 == label })
    }
  }

  private func macro(_ value: (ClassScores) -> Double) -> Double {
    let supported = classes.filter { $0.support > 0 }
    return supported.reduce(0) { $0 + value($1) } / Double(supported.count)
  }

  private static func column(_ index: Int, of matrix: [Float], width: Int) -> [Float] {
    stride(from: index, to: matrix.count, by: width).map { matrix[$0] }
  }
}
