public import Foundation
public import MienCore

/// What a classifier says of each face: what `mien evaluate --predictions` writes and `mien compare` reads.
///
/// The CSV has a header and a row a face: `index` (the face's place in its FaceSet, from 0), `label`, `prediction`, then
/// the probability of each class, named by its emotion.
public struct Predictions: Sendable, Equatable {
  /// The meaning of class indices.
  public let labels: LabelSet
  /// The faces' places in their FaceSet, [N], each once.
  public let indices: [Int]
  /// The true class of each face, [N].
  public let truth: [Int]
  /// The probabilities, [N, K].
  public let probabilities: [Float]

  /// Collects the predictions of a measurement.
  ///
  /// - Parameter indices: [N] which face of its set each entry of `metrics` is.
  /// - Throws: ``MienError`` where the counts differ, or a face stands twice.
  public init(indices: [Int], metrics: ClassificationMetrics) throws {
    guard indices.count == metrics.count else {
      throw MienError(.mismatch, nil, "expected \(metrics.count) faces, found \(indices.count)")
    }
    var seen: Set<Int> = []
    if let repeated = indices.first(where: { !seen.insert($0).inserted }) {
      throw MienError(.mismatch, nil, "face \(repeated) stands twice")
    }
    labels = metrics.labels
    self.indices = indices
    truth = metrics.truth
    probabilities = metrics.truth.indices.flatMap { metrics.probabilities(at: $0) }
  }

  /// Reads a file's text; the label set is named `name`.
  ///
  /// - Throws: ``MienError`` that names the line: a column or a value is not what it should be, or a face stands twice.
  public init(csv: String, name: String) throws {
    let table = try CSVTable(csv)
    let header = table.columns
    let emotions = header.dropFirst(3).compactMap(Emotion.init(rawValue:))
    guard header.prefix(3) == ["index", "label", "prediction"], emotions.count == header.count - 3 else {
      throw MienError(
        .format, nil, "expected the columns index, label, prediction and one per emotion, as mien evaluate writes them")
    }
    labels = try LabelSet(name: name, emotions: Array(emotions))
    var (indices, truth, probabilities): ([Int], [Int], [Float]) = ([], [], [])
    var seen: Set<Int> = []
    for row in table.rows {
      let fields = row.fields
      func bad(_ problem: String) -> MienError { MienError(.format, nil, "line \(row.line): \(problem)") }
      guard let index = Int(fields[0]), index >= 0 else { throw bad("expected a face's index, found \(fields[0])") }
      guard seen.insert(index).inserted else { throw bad("face \(index) stands twice") }
      guard let label = Emotion(rawValue: fields[1]), let place = labels.index(of: label) else {
        throw bad("expected a label among the columns, found \(fields[1])")
      }
      let values = fields.dropFirst(3).compactMap { Float($0) }
      guard values.count == labels.count else { throw bad("a probability is no number") }
      indices.append(index)
      truth.append(place)
      probabilities += values
    }
    (self.indices, self.truth, self.probabilities) = (indices, truth, probabilities)
  }

  /// The figures of these predictions.
  ///
  /// - Throws: ``MienError`` where there is no face, or a row is no distribution.
  public func metrics() throws -> ClassificationMetrics {
    try ClassificationMetrics(labels: labels, truth: truth, probabilities: probabilities)
  }

  /// The predictions as a file's text. Probabilities are written so that they read back as they were.
  public func csv() throws -> Data {
    let predicted = try metrics().predictions
    var text = CSVLine.text(["index", "label", "prediction"] + labels.emotions.map(\.rawValue), end: "\n")
    for (entry, index) in indices.enumerated() {
      let row = probabilities[(entry * labels.count)..<((entry + 1) * labels.count)]
      let names = [labels.emotions[truth[entry]].rawValue, labels.emotions[predicted[entry]].rawValue]
      text += CSVLine.text(["\(index)"] + names + row.map { "\($0)" }, end: "\n")
    }
    return Data(text.utf8)
  }
}
