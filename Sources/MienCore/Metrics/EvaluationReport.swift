public import Foundation

/// What `mien evaluate --json` writes. The names are part of the command's contract.
public struct EvaluationReport: Codable, Sendable, Equatable {
  /// The figures of one class; what is undefined is null.
  public struct ClassReport: Codable, Sendable, Equatable {
    /// Share of the faces read as this class that are of it, 0…1; nil if none is read as it.
    public let precision: Double?
    /// Share of the faces of this class that are read as it, 0…1; nil if there are none.
    public let recall: Double?
    /// The 95 % interval of `recall`; nil if there are no faces, and in files of earlier versions.
    public let recallInterval: ProportionInterval?
    /// Harmonic mean of precision and recall, 0…1; nil if there are neither faces nor readings of this class.
    public let f1: Double?
    /// Area under the one-vs-rest ROC curve; nil if either side has no face.
    public let auc: Double?
    /// How many faces are of this class.
    public let support: Int

    init(_ scores: ClassificationMetrics.ClassScores, recallInterval: ProportionInterval?) {
      precision = scores.predictedCount > 0 ? scores.precision : nil
      recall = scores.support > 0 ? scores.recall : nil
      self.recallInterval = recallInterval
      f1 = scores.support + scores.predictedCount > 0 ? scores.f1 : nil
      (auc, support) = (scores.auc, scores.support)
    }

    /// Writes nil as null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(precision, forKey: .precision)
      try container.encode(recall, forKey: .recall)
      try container.encode(recallInterval, forKey: .recallInterval)
      try container.encode(f1, forKey: .f1)
      try container.encode(auc, forKey: .auc)
      try container.encode(support, forKey: .support)
    }
  }

  /// The model's name.
  public let model: String
  /// SHA-256 of the model's graph and weights without metadata, in hexadecimal.
  public let weightsSHA256: String
  /// The data set's source.
  public let data: String
  /// The split measured, or `all`.
  public let split: String
  /// The label set measured against.
  public let labels: String
  /// How many faces.
  public let count: Int
  /// Share of faces that are right, 0…1.
  public let accuracy: Double
  /// Its 95 % interval.
  public let accuracyInterval: ProportionInterval
  /// What the intervals take as independent; nil in files of earlier versions, which take faces.
  public let intervalUnit: SamplingUnit?
  /// How many people, sequences or faces that are.
  public let intervalGroups: Int?
  /// Mean recall over classes with support, 0…1.
  public let balancedAccuracy: Double
  /// Mean F1 over classes with support, 0…1.
  public let macroF1: Double
  /// Mean -ln p(true class), see ``ClassificationMetrics/logLoss``.
  public let loss: Double
  /// The order of `confusion`.
  public let classes: [Emotion]
  /// Faces by true class (row) and predicted class (column).
  public let confusion: [[Int]]
  /// The figures of each class.
  public let perClass: [Emotion: ClassReport]
  /// Top-label calibration.
  public let calibration: Calibration
  /// The accuracy of the faces read by what `--min-confidence` leaves unread; nil in files of earlier versions.
  public let coverage: RiskCoverage?
  /// Which of the faces the model has seen; nil, and no key, if that was not looked at.
  public let overlap: DataOverlap?
  /// Classes of the data that the model lacks; their faces count as wrong.
  public let missingClasses: [Emotion]
  /// The profile that the model was read with; nil, and no key, for the model as it is.
  public let profile: String?
  /// The mix of emotions that was expected, `uniform` or shares such as `neutral:0.2,happiness:0.5`; nil, and no key, if
  /// it was that of the training data.
  public let prior: String?
  /// How far the probabilities were moved to that mix, 0…1; nil, and no key, without ``prior``.
  public let priorStrength: Double?
  /// Accuracy on corrupted faces; nil, and no key, where it was not measured.
  public let corruptions: [CorruptionResult]?

  /// Writes down `metrics` with what was measured on what.
  ///
  /// - Parameters:
  ///   - split: nil for all faces.
  ///   - clusters: [N] which faces belong together, for the intervals; nil if all are independent.
  ///   - overlap: which of the faces the model has seen; nil if that was not looked at.
  ///   - missingClasses: classes of the data that the model lacks.
  ///   - profile: the profile that the model was read with; nil for the model as it is.
  ///   - prior: the mix of emotions that the model was to expect.
  ///   - corruptions: accuracy on corrupted faces; nil where it was not measured.
  public init(
    _ metrics: ClassificationMetrics, model: String, weightsSHA256: String, data: String, split: Split?,
    clusters: FaceClusters? = nil, overlap: DataOverlap? = nil, missingClasses: [Emotion] = [], profile: String? = nil,
    prior: ClassPrior = .data, corruptions: [CorruptionResult]? = nil
  ) {
    self.model = model
    self.weightsSHA256 = weightsSHA256
    self.data = data
    self.split = split?.rawValue ?? "all"
    labels = metrics.labels.name
    count = metrics.count
    accuracy = metrics.accuracy
    accuracyInterval = clusters.map(metrics.accuracyInterval) ?? metrics.accuracyInterval
    intervalUnit = clusters?.unit ?? .face
    intervalGroups = clusters?.count ?? metrics.count
    self.overlap = overlap
    coverage = metrics.coverage
    balancedAccuracy = metrics.balancedAccuracy
    macroF1 = metrics.macroF1
    loss = metrics.logLoss
    classes = metrics.labels.emotions
    confusion = metrics.confusion
    let intervals = metrics.recallIntervals(clusters)
    perClass = Dictionary(
      uniqueKeysWithValues: metrics.labels.emotions.indices.map { index in
        (metrics.labels.emotions[index], ClassReport(metrics.classes[index], recallInterval: intervals[index]))
      })
    calibration = clusters.map(metrics.calibration) ?? metrics.calibration
    self.missingClasses = missingClasses
    self.profile = profile
    self.prior = prior.changesNothing ? nil : prior.text
    priorStrength = prior.changesNothing ? nil : Double("\(prior.strength)")
    self.corruptions = corruptions
  }

  /// The report as indented JSON with sorted keys.
  public func json() throws -> Data { try JSONText.document(self) }

  /// How the intervals are made, and what limits the figures, a sentence each.
  public var notes: [String] {
    var notes = overlap?.notes ?? []
    if let prior {
      let strength = priorStrength.map { ", strength \($0.shortText)" } ?? ""
      notes.append("Read with the prior \(prior)\(strength).")
    }
    if let intervalUnit, intervalUnit != .face, let intervalGroups {
      notes.append(
        ProportionInterval.isBootstrapped(groups: intervalGroups)
          ? "Intervals are by \(intervalUnit.rawValue) (cluster bootstrap over \(intervalUnit.counted(intervalGroups))), "
            + "since faces of one \(intervalUnit.rawValue) are not independent."
          : "Only \(intervalUnit.counted(intervalGroups)): intervals are those of "
            + "\(Spelling.counted(intervalGroups, "independent face")), since faces of one \(intervalUnit.rawValue) are alike."
      )
    }
    let unread = classes.filter { perClass[$0].map { $0.support > 0 && $0.precision == nil } ?? false }
    if !unread.isEmpty {
      notes.append(
        "No face is read as \(Spelling.alternatives(unread.map(\.rawValue))): precision is undefined there, and an F1 "
          + "of 0 counts in the macro F1.")
    }
    return notes
  }
}

/// Accuracy where every face was corrupted in one way and severity.
public struct CorruptionResult: Codable, Sendable, Equatable {
  /// What was done, as `blur`.
  public let name: String
  /// How much of it, from 1.
  public let severity: Int
  /// What the parameter is and, after a comma, its unit if it has one: `sigma, px`.
  public let parameter: String
  /// The parameter's value.
  public let value: Double
  /// Share of faces that are right, 0…1.
  public let accuracy: Double
  /// Its 95 % interval.
  public let accuracyInterval: ProportionInterval
  /// Mean recall over classes with support, 0…1.
  public let balancedAccuracy: Double

  /// Writes down `metrics` of corrupted faces.
  ///
  /// - Parameter clusters: [N] which faces belong together, for the interval; nil if all are independent.
  public init(
    name: String, severity: Int, parameter: String, value: Double, metrics: ClassificationMetrics,
    clusters: FaceClusters? = nil
  ) {
    self.name = name
    self.severity = severity
    self.parameter = parameter
    self.value = value
    accuracy = metrics.accuracy
    accuracyInterval = clusters.map(metrics.accuracyInterval) ?? metrics.accuracyInterval
    balancedAccuracy = metrics.balancedAccuracy
  }
}
