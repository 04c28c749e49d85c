import MienCore
public import MienRuns

/// The sections that speak about training and about figures beside one another.
extension ReportSection {
  /// What was trained how: a sentence on the protocol, and the recipe as it was resolved.
  public static func protocolAndRecipe(_ facts: [ReportBlock.Fact], recipe: String?) -> ReportSection {
    ReportSection(title: "Protocol and recipe", blocks: [.facts(facts), recipe.map { .verbatim($0) }])
  }

  /// Loss and accuracy over the epochs of one run; nil where it has no epoch.
  public static func curves(_ run: RunMetrics) -> ReportSection? {
    guard let best = run.best else { return nil }
    let mark = (x: Double(best.epoch), name: "best epoch \(best.epoch)")
    func chart(
      _ title: String, _ yTitle: String, _ names: [(column: RunColumn, name: String)], isPercent: Bool
    ) -> ReportBlock? {
      let series = names.filter { run.has($0.column) }.map { entry in
        LineChart.Series(name: entry.name, points: run.points(entry.column))
      }
      guard !series.isEmpty else { return nil }
      return .chart(
        LineChart(title: title, xTitle: "epoch", yTitle: yTitle, series: series, isPercent: isPercent, mark: mark),
        caption: nil)
    }
    func validation(_ figure: RunFigure) -> [(column: RunColumn, name: String)] {
      run.heads.map { (.figure(figure, head: $0, part: .validation), "\($0), validation") }
    }
    let accuracies = run.heads.flatMap { head in
      [
        (column: RunColumn.trainingAccuracy(head: head), name: "\(head), training"),
        (column: .figure(.accuracy, head: head, part: .validation), name: "\(head), validation"),
      ]
    }
    return ReportSection(
      title: "Curves",
      blocks: [
        chart(
          "Loss", "nats per face", [(.trainingLoss, "training, all heads")] + validation(.loss), isPercent: false),
        chart("Accuracy", "share of faces classified correctly", accuracies, isPercent: true),
        chart("Balanced accuracy", "mean recall over classes", validation(.balancedAccuracy), isPercent: true),
        chart("Learning rate", "rate", [(.learningRate, "")], isPercent: false),
        .note(
          "The training loss is measured on augmented faces while the weights change, and is the weighted sum of the "
            + "heads' losses: compare its course, not its height, with the others. \(best.rule)"),
      ])
  }

  /// Cross-validation, a row per fold and their mean; nil where there is no fold.
  ///
  /// - Parameter unit: what the runs are, where no folds.
  public static func folds(_ folds: [FoldResult], unit: String = "fold") -> ReportSection? {
    guard !folds.isEmpty else { return nil }
    var table = TextTable(header: [unit, "faces", "accuracy", "balanced", "loss", "best epoch"])
    for fold in folds {
      table.add([
        fold.name, fold.count.grouped, NumberText.percent(fold.accuracy), NumberText.percent(fold.balancedAccuracy),
        NumberText.fixed(fold.loss, 4), fold.bestEpoch.map(String.init) ?? "-",
      ])
    }
    let accuracy = SampleStatistics(folds.map(\.accuracy))
    let balanced = SampleStatistics(folds.map(\.balancedAccuracy))
    let loss = SampleStatistics(folds.map(\.loss))
    table.add([
      "mean", "", NumberText.percent(accuracy.mean),
      NumberText.percent(balanced.mean), NumberText.fixed(loss.mean, 4),
    ])
    table.add([
      "sd", "", NumberText.percent(accuracy.standardDeviation ?? .nan),
      NumberText.percent(balanced.standardDeviation ?? .nan), NumberText.fixed(loss.standardDeviation ?? .nan, 4),
    ])
    let chart = BarChart(
      title: "Accuracy of each \(unit)", categories: folds.map(\.name),
      series: [.init(name: "accuracy", values: folds.map(\.accuracy))], maximum: 1
    ) { NumberText.percent($0, 1) }
    return ReportSection(
      title: unit.prefix(1).uppercased() + unit.dropFirst() + "s",
      blocks: [
        .table(table, caption: nil), .chart(chart, isTitled: false, caption: "Accuracy of each \(unit)"),
        .note("sd: the sample standard deviation over \(unit)s."),
      ])
  }

  /// Figures of a paper beside those measured here; nil where there is none.
  ///
  /// - Parameter caution: why the two cannot be compared; then it stands above the table, which has no differences.
  public static func published(
    _ figures: [PublishedFigure], caution: String? = nil, notes: [String] = []
  ) -> ReportSection? {
    guard !figures.isEmpty else { return nil }
    var table = TextTable(header: ["figure", "published", "measured"] + (caution == nil ? ["difference"] : []))
    for figure in figures {
      func text(_ value: Double) -> String {
        figure.isShare ? NumberText.percent(value) : NumberText.fixed(value, 4)
      }
      let difference = figure.measured.map { measured -> String in
        let gap = measured - figure.published
        let points = figure.isShare ? NumberText.fixed(gap * 100, 2) + " points" : NumberText.fixed(gap, 4)
        return (gap >= 0 ? "+" : "") + points
      }
      table.add(
        [figure.name, text(figure.published), figure.measured.map(text) ?? "not measured"]
          + (caution == nil ? [difference ?? ""] : []))
    }
    return ReportSection(
      title: "Published and measured",
      blocks: [caution.map { .text($0) }, .table(table, caption: nil)] + notes.map { .note($0) })
  }

  /// Where and how the figures were made.
  public static func environment(_ environment: RunEnvironment, _ more: [ReportBlock.Fact] = []) -> ReportSection {
    ReportSection(
      title: "Environment",
      blocks: [
        .facts(
          more + [
            .init("Mien", environment.version), .init("system", environment.system),
            .init("processor", environment.processor),
            .init("cores", "\(environment.cores)"), .init("date", environment.date),
          ])
      ])
  }
}

/// One fold of a cross-validation.
public struct FoldResult: Sendable, Equatable {
  /// The fold, as `1`.
  public var name: String
  /// Faces measured.
  public var count: Int
  /// Share of them that is right, 0…1.
  public var accuracy: Double
  /// Mean recall over classes, 0…1.
  public var balancedAccuracy: Double
  /// Mean -ln p(true class).
  public var loss: Double
  /// The epoch chosen; nil where there was no choice.
  public var bestEpoch: Int?

  /// Describes a fold.
  public init(
    name: String, count: Int, accuracy: Double, balancedAccuracy: Double, loss: Double, bestEpoch: Int? = nil
  ) {
    self.name = name
    self.count = count
    self.accuracy = accuracy
    self.balancedAccuracy = balancedAccuracy
    self.loss = loss
    self.bestEpoch = bestEpoch
  }
}

/// A figure that a paper reports, and what was measured here.
public struct PublishedFigure: Sendable, Equatable {
  /// What it is, as `test accuracy` or `recall, anger`.
  public var name: String
  /// The paper's value.
  public var published: Double
  /// The value measured; nil where there is none.
  public var measured: Double?
  /// Whether the values are shares in 0…1, written as percentages.
  public var isShare: Bool

  /// Describes a figure.
  public init(name: String, published: Double, measured: Double?, isShare: Bool = true) {
    self.name = name
    self.published = published
    self.measured = measured
    self.isShare = isShare
  }
}

extension RunMetrics {
  /// A column over the epochs, as places of a ``LineChart``.
  func points(_ column: RunColumn) -> [LineChart.Point] {
    zip(values(.epoch), values(column)).map { .init($0 ?? .nan, $1 ?? .nan) }
  }
}
