public import Foundation
public import MienCore

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

    /// Describes a model.
    ///
    /// - Parameter file: stands in errors; nil for `name`.
    /// - Throws: ``MienError`` where `predictions` hold no face, or a row is no distribution.
    public init(
      name: String, parameterCount: Int? = nil, weightsSHA256: String? = nil, file: String? = nil,
      predictions: Predictions
    ) throws {
      self.name = name
      self.parameterCount = parameterCount
      self.weightsSHA256 = weightsSHA256
      self.file = file ?? name
      self.predictions = predictions
      metrics = try predictions.metrics()
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

  /// Compares.
  ///
  /// - Throws: ``MienError`` naming both files, where two models share no face, or a face's label differs between them.
  public init(runs: [Run], models: [Model], notes: [String] = []) throws {
    self.runs = runs
    self.models = models
    self.notes = notes
    pairs = try models.indices.flatMap { first in
      try models.indices.dropFirst(first + 1).map { second in try Self.pair(models[first], models[second]) }
    }
  }

  private static func pair(_ first: Model, _ second: Model) throws -> Pair {
    let subject = "\(first.file) and \(second.file)"
    let places = Dictionary(uniqueKeysWithValues: second.predictions.indices.enumerated().map { ($1, $0) })
    var (firstHits, secondHits): ([Bool], [Bool]) = ([], [])
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
      firstHits.append(first.metrics.predictions[entry] == first.metrics.truth[entry])
      secondHits.append(second.metrics.predictions[other] == second.metrics.truth[other])
    }
    guard !firstHits.isEmpty else { throw MienError(.mismatch, subject, "were shown no face in common") }
    return Pair(first: first.name, second: second.name, test: try McNemarTest(first: firstHits, second: secondHits))
  }

  /// The label sets that any run was measured on.
  private var heads: [String] {
    runs.flatMap(\.metrics.heads).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// A row a run, with its figures at its best epoch; nil where there is no run.
  public var runTable: TextTable? {
    guard !runs.isEmpty else { return nil }
    let measures = heads.flatMap { head in
      [("accuracy", true), ("balanced_accuracy", true), ("loss", false)].map { (head, $0.0, $0.1) }
    }
    let names = measures.map { head, measure, _ in
      "\(head) \(measure == "balanced_accuracy" ? "balanced" : measure)"
    }
    var table = TextTable(header: ["run", "parameters", "epochs", "best"] + names + ["time"])
    for run in runs {
      let values = measures.map { head, measure, isShare -> String in
        let value = run.metrics.atBest("validation_\(head)_\(measure)")
        return value.map { isShare ? NumberText.percent($0) : NumberText.fixed($0, 4) } ?? "-"
      }
      table.add(
        [
          run.metrics.name, run.parameterCount.map(String.init) ?? "-", "\(run.metrics.epochCount)",
          run.metrics.best.map { "\($0.epoch)" } ?? "-",
        ] + values + [run.metrics.seconds.map(NumberText.duration) ?? "-"])
    }
    return table
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
      let interval = metrics.accuracyInterval
      table.add([
        model.name, model.parameterCount.map(String.init) ?? "-", "\(metrics.count)",
        NumberText.percent(metrics.accuracy),
        "\(NumberText.fixed(interval.lower * 100, 2)) to \(NumberText.percent(interval.upper))",
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
        "\(pair.first), \(pair.second)", "\(test.count)", "\(test.bothRight)", "\(test.onlyFirst)",
        "\(test.onlySecond)", "\(test.bothWrong)",
        (test.difference > 0 ? "+" : "") + NumberText.fixed(test.difference * 100, 2) + " points",
        test.pValue < 0.0001 ? "< 0.0001" : NumberText.fixed(test.pValue, 4),
      ])
    }
    return table
  }

  /// How ``pairTable`` is to be read.
  public static let pairNote =
    "McNemar's exact two-sided test on the faces that both models were shown; p is not corrected for the number of pairs."

  /// The page.
  public var report: Report {
    Report(
      title: "Comparison", subtitle: (runs.map(\.metrics.name) + models.map(\.name)).joined(separator: ", "),
      sections: [runSection, modelSection, pairSection, .environment(.current())])
  }

  private var runSection: ReportSection? {
    guard let runTable else { return nil }
    let columns = runs.flatMap(\.metrics.columns).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let charts = columns.filter { $0 == "train_loss" || $0.hasPrefix("validation_") }.map { column in
      let isShare = column.hasSuffix("accuracy")
      let words = column.split(separator: "_").joined(separator: " ")
      return LineChart(
        title: words.prefix(1).uppercased() + words.dropFirst(), xTitle: "epoch",
        yTitle: column.hasSuffix("balanced_accuracy")
          ? "mean recall over classes" : isShare ? "share of faces that is right" : "nats a face",
        series: runs.filter { $0.metrics.columns.contains(column) }.map {
          .init(name: $0.metrics.name, points: $0.metrics.points(column))
        }, isPercent: isShare)
    }
    let table = ReportBlock.table(runTable, caption: "Figures at each run's best epoch, on its validation split")
    return ReportSection(
      title: "Runs",
      blocks: [table] + notes.map { .note($0) } + charts.map { .chart($0.drawing, caption: nil) })
  }

  private var modelSection: ReportSection? {
    guard let modelTable, let labels = models.first?.metrics.labels else { return nil }
    let haveSameClasses = models.allSatisfy { $0.metrics.labels.emotions == labels.emotions }
    let chart = BarChart(
      title: "Recall of each class", categories: labels.emotions.map(\.rawValue),
      series: models.map { .init(name: $0.name, values: $0.metrics.classes.map(\.recall)) }, maximum: 1
    ) { NumberText.percent($0, 1) }
    return ReportSection(
      title: "Models",
      blocks: [.table(modelTable, caption: nil), haveSameClasses ? .chart(chart.drawing, caption: nil) : nil])
  }

  private var pairSection: ReportSection? {
    pairTable.map { ReportSection(title: "Differences", blocks: [.table($0, caption: nil), .note(Self.pairNote)]) }
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
    }
    struct Pair: Encodable {
      let first, second: String
      let bothRight, onlyFirst, onlySecond, bothWrong: Int
      let difference, pValue: Double
    }
    let runs: [Run]
    let models: [Model]
    let mcnemar: [Pair]
  }

  /// The comparison as indented JSON with sorted keys; what is not known has no key.
  public func json() throws -> Data {
    let summary = Summary(
      runs: runs.map { run in
        let columns = run.metrics.columns.filter { $0 == "train_loss" || $0.hasPrefix("validation_") }
        return .init(
          name: run.metrics.name, parameters: run.parameterCount, epochs: run.metrics.epochCount,
          bestEpoch: run.metrics.best?.epoch,
          best: Dictionary(
            columns.compactMap { column in run.metrics.atBest(column).map { (column, $0) } }, uniquingKeysWith: { $1 }),
          seconds: run.metrics.seconds)
      },
      models: models.map { model in
        .init(
          name: model.name, parameters: model.parameterCount, weightsSHA256: model.weightsSHA256,
          count: model.metrics.count, accuracy: model.metrics.accuracy,
          accuracyInterval: model.metrics.accuracyInterval, balancedAccuracy: model.metrics.balancedAccuracy,
          macroF1: model.metrics.macroF1, loss: model.metrics.logLoss, ece: model.metrics.calibration.ece)
      },
      mcnemar: pairs.map { pair in
        .init(
          first: pair.first, second: pair.second, bothRight: pair.test.bothRight, onlyFirst: pair.test.onlyFirst,
          onlySecond: pair.test.onlySecond, bothWrong: pair.test.bothWrong, difference: pair.test.difference,
          pValue: pair.test.pValue)
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return try encoder.encode(summary)
  }
}
