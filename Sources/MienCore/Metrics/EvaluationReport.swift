public import Foundation

/// What `mien evaluate --json` writes. The names are part of the command's contract.
public struct EvaluationReport: Codable, Sendable, Equatable {
  /// The figures of one class; `auc` is null where it is undefined.
  public struct ClassReport: Codable, Sendable, Equatable {
    /// See ``ClassificationMetrics/ClassScores``.
    public let precision, recall, f1: Double
    /// Area under the one-vs-rest ROC curve; nil where either side has no face.
    public let auc: Double?
    /// How many faces are of this class.
    public let support: Int

    /// Writes nil as null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(precision, forKey: .precision)
      try container.encode(recall, forKey: .recall)
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
  /// Classes of the data that the model lacks; their faces count as wrong.
  public let missingClasses: [Emotion]
  /// The profile that the model was read with; nil, and no key, for the model as it is.
  public let profile: String?
  /// Accuracy on corrupted faces; nil, and no key, where it was not measured.
  public let corruptions: [CorruptionResult]?

  /// Writes down `metrics` with what was measured on what.
  ///
  /// - Parameters:
  ///   - split: nil for all faces.
  ///   - missingClasses: classes of the data that the model lacks.
  ///   - profile: the profile that the model was read with; nil for the model as it is.
  ///   - corruptions: accuracy on corrupted faces; nil where it was not measured.
  public init(
    _ metrics: ClassificationMetrics, model: String, weightsSHA256: String, data: String, split: Split?,
    missingClasses: [Emotion] = [], profile: String? = nil, corruptions: [CorruptionResult]? = nil
  ) {
    self.model = model
    self.weightsSHA256 = weightsSHA256
    self.data = data
    self.split = split?.rawValue ?? "all"
    labels = metrics.labels.name
    count = metrics.count
    accuracy = metrics.accuracy
    accuracyInterval = metrics.accuracyInterval
    balancedAccuracy = metrics.balancedAccuracy
    macroF1 = metrics.macroF1
    loss = metrics.logLoss
    classes = metrics.labels.emotions
    confusion = metrics.confusion
    perClass = Dictionary(
      uniqueKeysWithValues: zip(metrics.labels.emotions, metrics.classes).map { emotion, scores in
        (
          emotion,
          ClassReport(
            precision: scores.precision, recall: scores.recall, f1: scores.f1, auc: scores.auc,
            support: scores.support)
        )
      })
    calibration = metrics.calibration
    self.missingClasses = missingClasses
    self.profile = profile
    self.corruptions = corruptions
  }

  /// The report as indented JSON with sorted keys.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return try encoder.encode(self)
  }
}

/// Accuracy where every face was corrupted in one way and severity.
public struct CorruptionResult: Codable, Sendable, Equatable {
  /// What was done, as `blur`.
  public let name: String
  /// How much of it, from 1.
  public let severity: Int
  /// What the parameter is, with its unit.
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
  public init(name: String, severity: Int, parameter: String, value: Double, metrics: ClassificationMetrics) {
    self.name = name
    self.severity = severity
    self.parameter = parameter
    self.value = value
    accuracy = metrics.accuracy
    accuracyInterval = metrics.accuracyInterval
    balancedAccuracy = metrics.balancedAccuracy
  }
}
