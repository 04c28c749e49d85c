public import Foundation
public import MienCore
public import MienRuns

/// Runs and models beside one another: what `mien compare` shows.
public struct Comparison: Sendable {
  /// A training run.
  public struct Run: Sendable {
    /// Its curves.
    public let metrics: RunMetrics
    /// Trainable numbers; nil where they are not known.
    public let parameterCount: Int?

    /// Describes a run.
    public init(_ metrics: RunMetrics, parameterCount: Int? = nil) {
      self.metrics = metrics
      self.parameterCount = parameterCount
    }
  }

  /// A model and what it says of each face.
  public struct Model: Sendable {
    /// Its name.
    public let name: String
    /// Trainable numbers; nil where they are not known.
    public let parameterCount: Int?
    /// SHA-256 of graph and weights; nil where it is not known.
    public let weightsSHA256: String?
    /// The file, for errors.
    public let file: String
    /// What it says of each face.
    public let predictions: Predictions
    /// The figures that follow.
    public let metrics: ClassificationMetrics
    /// The 95 % interval of the accuracy, by person or sequence if they are known.
    public let interval: ProportionInterval
    /// Which of the faces the model has seen; nil if that is not known.
    public let overlap: DataOverlap?

    /// Describes a model.
    ///
    /// - Parameters:
    ///   - file: stands in errors; nil for `name`.
    ///   - faces: the set that the predictions are of, which may know people; nil if it is not at hand.
    ///   - overlap: which of the faces the model has seen; nil if that is not known.
    /// - Throws: ``MienError`` if `predictions` hold no face, or a row is no distribution.
    public init(
      name: String, parameterCount: Int? = nil, weightsSHA256: String? = nil, file: String? = nil,
      predictions: Predictions, of faces: FaceSet? = nil, overlap: DataOverlap? = nil
    ) throws {
      self.name = name
      self.parameterCount = parameterCount
      self.weightsSHA256 = weightsSHA256
      self.file = file ?? name
      self.predictions = predictions
      metrics = try predictions.metrics()
      let indices = predictions.indices
      let clusters = faces.flatMap { faces in
        indices.allSatisfy { $0 < faces.count } ? faces.clusters(of: indices) : nil
      }
      interval = clusters.map(metrics.accuracyInterval) ?? metrics.accuracyInterval
      self.overlap = overlap
    }
  }

  /// McNemar's test of two models on the faces that both were shown.
  public struct Pair: Sendable, Equatable {
    /// The first model's name.
    public let first: String
    /// The second model's name.
    public let second: String
    /// The test.
    public let test: McNemarTest
  }

  /// The runs, as given.
  public let runs: [Run]
  /// The models, as given.
  public let models: [Model]
  /// Every two models.
  public let pairs: [Pair]
  /// What was left out, and why.
  public let notes: [String]
  /// What models were measured on, in words; nil if that is not known.
  public let measured: String?

  /// Compares.
  ///
  /// - Parameters:
  ///   - faces: the set that models were measured on, which may know people; nil if it is not at hand.
  ///   - measured: what models were measured on, as `3,199 faces of fer2013.safetensors, split validation`.
  /// - Throws: ``MienError`` naming both files, if two models share no face, or a face's label differs between them.
  public init(
    runs: [Run], models: [Model], of faces: FaceSet? = nil, measured: String? = nil, notes: [String] = []
  ) throws {
    self.measured = measured
    self.runs = runs
    self.models = models
    self.notes = notes
    pairs = try models.indices.flatMap { first in
      try models.indices.dropFirst(first + 1).map { second in try Self.pair(models[first], models[second], faces) }
    }
  }

  private static func pair(_ first: Model, _ second: Model, _ faces: FaceSet?) throws -> Pair {
    let subject = "\(first.file) and \(second.file)"
    let places = Dictionary(uniqueKeysWithValues: second.predictions.indices.enumerated().map { ($1, $0) })
    var (firstHits, secondHits, shared): ([Bool], [Bool], [Int]) = ([], [], [])
    for (entry, index) in first.predictions.indices.enumerated() {
      guard let other = places[index] else { continue }
      let label = first.metrics.labels.emotions[first.metrics.truth[entry]]
      let otherLabel = second.metrics.labels.emotions[second.metrics.truth[other]]
      guard label == otherLabel else {
        throw MienError(
          .mismatch, subject,
          "face \(index) is labelled \(label.rawValue) in the first, \(otherLabel.rawValue) in the second: expected the "
            + "same FaceSet and labels")
      }
      shared.append(index)
      firstHits.append(first.metrics.predictions[entry] == first.metrics.truth[entry])
      secondHits.append(second.metrics.predictions[other] == second.metrics.truth[other])
    }
    guard !firstHits.isEmpty else { throw MienError(.mismatch, subject, "were shown no face in common") }
    let clusters = faces.flatMap { faces in
      shared.allSatisfy { $0 < faces.count } ? faces.clusters(of: shared) : nil
    }
    return Pair(
      first: first.name, second: second.name,
      test: try McNemarTest(first: firstHits, second: secondHits, clusters: clusters))
  }

  /// The label sets that any run was measured on.
  private var heads: [String] {
    runs.flatMap(\.metrics.heads).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// A row a run, with its figures at its best epoch; nil where there is no run.
  public var runTable: TextTable? {
    guard !runs.isEmpty else { return nil }
    let measures = heads.flatMap { head in
      [RunFigure.accuracy, .balancedAccuracy, .loss].map { (head: head, figure: $0) }
    }
    let names = measures.map { "\($0.head) \($0.figure == .balancedAccuracy ? "balanced" : $0.figure.title)" }
    let hasCounts = runs.contains { $0.parameterCount != nil }
    var table = TextTable(
      header: ["run"] + (hasCounts ? ["parameters"] : []) + ["epochs", "best epoch"] + names + ["time"])
    for run in runs {
      let values = measures.map { head, figure in
        run.metrics.atBest(.figure(figure, head: head, part: .validation)).map(figure.text) ?? "-"
      }
      table.add(
        [run.metrics.name] + (hasCounts ? [run.parameterCount?.grouped ?? "-"] : [])
          + [run.metrics.epochCount.grouped, run.metrics.best.map { "\($0.epoch)" } ?? "-"] + values + [
            run.metrics.seconds.map(NumberText.duration) ?? "-"
          ])
    }
    return table
  }

  /// How ``runTable`` is to be read: which runs were validated on other faces than the first.
  public var runCautions: [String] {
    let known = runs.filter { $0.metrics.validationHashes != nil }
    let others = known.filter { $0.metrics.validationHashes != known[0].metrics.validationHashes }
    guard !others.isEmpty else { return [] }
    return [
      "The validation faces of \(others.map(\.metrics.name).joined(separator: ", ")) are not those of "
        + "\(known[0].metrics.name): differences between the figures may come from the faces. "
        + "`mien compare A.onnx B.onnx --data FACES` compares exported models on the same faces."
    ]
  }

  /// A row a model; nil where there is none.
  public var modelTable: TextTable? {
    guard !models.isEmpty else { return nil }
    var table = TextTable(
      header: [
        "model", "parameters", "faces", "accuracy", "95 % interval", "balanced", "macro F1", "loss", "ECE", "weights",
      ])
    for model in models {
      let metrics = model.metrics
      table.add([
        model.name, model.parameterCount?.grouped ?? "-", metrics.count.grouped,
        NumberText.percent(metrics.accuracy),
        NumberText.range(model.interval),
        NumberText.percent(metrics.balancedAccuracy), NumberText.percent(metrics.macroF1),
        NumberText.fixed(metrics.logLoss, 4), NumberText.percent(metrics.calibration.ece),
        model.weightsSHA256.map { String($0.prefix(12)) } ?? "-",
      ])
    }
    return table
  }

  /// A row a pair of models; nil where there are fewer than two.
  public var pairTable: TextTable? {
    guard !pairs.isEmpty else { return nil }
    var table = TextTable(
      header: ["pair", "faces", "both right", "only first", "only second", "both wrong", "difference", "p"])
    for pair in pairs {
      let test = pair.test
      table.add([
        "\(pair.first), \(pair.second)", test.count.grouped, test.bothRight.grouped,
        test.onlyFirst.grouped, test.onlySecond.grouped, test.bothWrong.grouped,
        (test.difference > 0 ? "+" : "") + NumberText.fixed(test.difference * 100, 2) + " points",
        test.pValue < 0.0001 ? "< 0.0001" : NumberText.fixed(test.pValue, 4),
      ])
    }
    return table
  }

  /// How ``modelTable`` and ``pairTable`` are to be read: what is taken as independent, and which models were measured
  /// on faces that they have seen, a sentence each.
  public var cautions: [String] {
    var cautions: [String] = []
    if let test = pairs.first?.test {
      cautions.append(
        test.unit == .face
          ? "McNemar's exact two-sided test on the faces that both models were shown; p is not corrected for the number "
            + "of pairs."
          : "Exact two-sided sign-flip test by \(test.unit.rawValue) (McNemar's test for faces that are not independent) on "
            + "the faces that both models were shown; p is not corrected for the number of pairs. Intervals are by "
            + "\(test.unit.rawValue) too.")
    }
    for model in models { cautions += (model.overlap?.notes ?? []).map { "\(model.name): \($0)" } }
    return cautions
  }

  /// The page.
  ///
  /// - Parameter command: the command that made it.
  public func report(command: String) -> Report {
    Report(
      title: "Comparison", subtitle: (runs.map(\.metrics.name) + models.map(\.name)).joined(separator: ", "),
      sections: [runSection, modelSection, pairSection, .environment(.current(), [.init("command", command)])])
  }

  private var runSection: ReportSection? {
    guard let runTable else { return nil }
    let columns = runs.flatMap(\.metrics.comparedColumns).reduce(into: [RunColumn]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let charts = columns.map { column in
      let yTitle =
        switch column {
        case .figure(.balancedAccuracy, _, _): "mean recall over classes"
        default: column.isShare ? "share of faces classified correctly" : "nats per face"
        }
      return LineChart(
        title: column.title.prefix(1).uppercased() + column.title.dropFirst(), xTitle: "epoch", yTitle: yTitle,
        series: runs.filter { $0.metrics.has(column) }.map {
          .init(name: $0.metrics.name, points: $0.metrics.points(column))
        }, isPercent: column.isShare)
    }
    let table = ReportBlock.table(runTable, caption: "Figures at each run's best epoch, on its validation split")
    return ReportSection(
      title: "Runs",
      blocks: [table] + (runCautions + notes).map { .note($0) } + charts.map { .chart($0, caption: nil) })
  }

  private var modelSection: ReportSection? {
    guard let modelTable, let labels = models.first?.metrics.labels else { return nil }
    let haveSameClasses = models.allSatisfy { $0.metrics.labels.emotions == labels.emotions }
    let chart = BarChart(
      title: "Recall of each class", categories: labels.emotions.map(\.rawValue),
      series: models.map { model in
        .init(name: model.name, values: model.metrics.classes.map { $0.support > 0 ? $0.recall : .nan })
      }, maximum: 1
    ) { NumberText.percent($0, 1) }
    return ReportSection(
      title: "Models",
      blocks: [
        .table(modelTable, caption: measured.map { "Measured on \($0)" }),
        haveSameClasses ? .chart(chart, caption: nil) : nil,
      ]
        + cautions.map { .note($0) })
  }

  private var pairSection: ReportSection? {
    pairTable.map { ReportSection(title: "Differences", blocks: [.table($0, caption: nil)]) }
  }
}

extension Comparison {
  private struct Summary: Encodable {
    struct Run: Encodable {
      let name: String
      let parameters: Int?
      let epochs: Int
      let bestEpoch: Int?
      let best: [String: Double]
      let seconds: Double?
    }
    struct Model: Encodable {
      let name: String
      let parameters: Int?
      let weightsSHA256: String?
      let count: Int
      let accuracy: Double
      let accuracyInterval: ProportionInterval
      let balancedAccuracy, macroF1, loss, ece: Double
      let overlap: DataOverlap?
    }
    struct Pair: Encodable {
      let first, second: String
      let bothRight, onlyFirst, onlySecond, bothWrong: Int
      let difference, pValue: Double
      let unit: SamplingUnit
    }
    let runs: [Run]
    let models: [Model]
    let mcnemar: [Pair]
  }

  /// The comparison as indented JSON with sorted keys; what is not known has no key.
  public func json() throws -> Data {
    let summary = Summary(
      runs: runs.map { run in
        return .init(
          name: run.metrics.name, parameters: run.parameterCount, epochs: run.metrics.epochCount,
          bestEpoch: run.metrics.best?.epoch,
          best: Dictionary(
            run.metrics.comparedColumns.compactMap { column in
              run.metrics.atBest(column).map { (column.name, $0) }
            }, uniquingKeysWith: { $1 }),
          seconds: run.metrics.seconds)
      },
      models: models.map { model in
        .init(
          name: model.name, parameters: model.parameterCount, weightsSHA256: model.weightsSHA256,
          count: model.metrics.count, accuracy: model.metrics.accuracy,
          accuracyInterval: model.interval, balancedAccuracy: model.metrics.balancedAccuracy,
          macroF1: model.metrics.macroF1, loss: model.metrics.logLoss, ece: model.metrics.calibration.ece,
          overlap: model.overlap)
      },
      mcnemar: pairs.map { pair in
        .init(
          first: pair.first, second: pair.second, bothRight: pair.test.bothRight, onlyFirst: pair.test.onlyFirst,
          onlySecond: pair.test.onlySecond, bothWrong: pair.test.bothWrong, difference: pair.test.difference,
          pValue: pair.test.pValue, unit: pair.test.unit)
      })
    return try JSONText.document(summary)
  }
}

extension RunMetrics {
  /// The columns that runs are compared by: the training loss and what was measured on the validation part.
  fileprivate var comparedColumns: [RunColumn] {
    columns.compactMap(RunColumn.init).filter { column in
      if case .figure(_, _, part: .validation) = column { true } else { column == .trainingLoss }
    }
  }
}
