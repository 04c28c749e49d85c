public import MienCore

/// The sections that speak about a measurement.
extension ReportSection {
  /// The figures of `report` at a glance, and what was measured how.
  ///
  /// - Parameters:
  ///   - passes: how many passes a face took, in words.
  ///   - notes: what else limits the figures.
  public static func result(_ report: EvaluationReport, passes: String, notes: [String] = []) -> ReportSection {
    let interval = report.accuracyInterval
    return ReportSection(
      title: "Result",
      blocks: [
        .figures([
          .init(
            name: "accuracy", value: report.accuracy, text: NumberText.percent(report.accuracy),
            detail: "95 % interval \(NumberText.fixed(interval.lower * 100, 2)) to "
              + NumberText.percent(interval.upper)),
          .init(
            name: "balanced accuracy", value: report.balancedAccuracy,
            text: NumberText.percent(report.balancedAccuracy), detail: "mean recall over classes"),
          .init(
            name: "macro F1", value: report.macroF1, text: NumberText.percent(report.macroF1),
            detail: "mean F1 over classes"),
          .init(
            name: "log loss", value: report.loss, text: NumberText.fixed(report.loss, 4), detail: "nats a face"),
          .init(
            name: "calibration error", value: report.calibration.ece,
            text: NumberText.percent(report.calibration.ece), detail: "expected, 15 bins"),
          .init(
            name: "faces", value: Double(report.count), text: "\(report.count)", detail: "with a label"),
        ]),
        .facts([
          .init("model", report.model), .init("weights, SHA-256", report.weightsSHA256),
          .init("data", report.data), .init("split", report.split), .init("labels", report.labels),
          .init("passes a face", passes),
        ]),
      ] + notes.map { .note($0) })
  }

  /// What the model's file says of itself.
  public static func model(_ card: ModelCard) -> ReportSection {
    let input = card.preprocessing
    let outputs = card.outputs.map { output in
      "\(output.name) (\(output.emotions.map(\.rawValue).joined(separator: ", ")); "
        + "temperature \(NumberText.fixed(Double(output.temperature), 3)))"
    }
    let training = card.training.map { data in
      "\(data.count) faces of \(data.source) \(data.split), labels \(data.labels.joined(separator: " and "))"
    }
    var measured = TextTable(header: ["data", "split", "labels", "faces", "accuracy", "balanced"])
    for entry in card.measurements {
      measured.add([
        entry.source, entry.split, entry.labels, "\(entry.count)", NumberText.percent(entry.accuracy),
        NumberText.percent(entry.balancedAccuracy),
      ])
    }
    let notes = card.measurements.map(\.note).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return ReportSection(
      title: "Model",
      blocks: [
        card.summary.isEmpty ? nil : .text(card.summary),
        .facts([
          .init("name", card.name), .init("architecture", card.architecture),
          .init("parameters", "\(card.parameterCount)"),
          .init(
            "input",
            "\(input.width)x\(input.height), \(input.channels == 1 ? "grey" : "RGB")"
              + (input.equalize ? ", histogram equalised" : "")),
          .init("outputs", outputs.joined(separator: "; ")),
          .init("trained on", training.isEmpty ? "not said" : training.joined(separator: "; ")),
          .init("seed, epochs", "\(card.seed), \(card.epochs)"), .init("licence", card.license),
          .init("weights, SHA-256", card.weightsSHA256),
        ]),
        card.measurements.isEmpty ? nil : .table(measured, caption: "Measured when the file was written"),
      ] + notes.map { .note("Then: \($0).") })
  }

  /// How many faces of each class and split there are.
  ///
  /// - Parameter parts: as for ``FaceSetReport``.
  public static func data(
    _ faces: FaceSet, _ source: LabelSource, parts: [Split: [Int]]? = nil, notes: [String] = []
  ) -> ReportSection {
    let report = FaceSetReport(faces, parts: parts)
    return ReportSection(
      title: "Data",
      blocks: [.text(report.summary + ".")] + report.charts(source).map { .chart($0.drawing, caption: nil) }
        + notes.map { .note($0) })
  }

  /// Which classes are read as which.
  public static func confusion(_ report: EvaluationReport) -> ReportSection {
    ReportSection(
      title: "Confusion",
      blocks: [
        .chart(
          Heatmap(
            title: "Confusion matrix", labels: report.classes.map(\.rawValue), counts: report.confusion
          ).drawing,
          caption: "A row a label, a column a reading: the share of the row, and how many faces. The diagonal is right."
        )
      ])
  }

  /// Precision, recall, F1 and AUC of each class.
  public static func classes(_ report: EvaluationReport) -> ReportSection {
    var table = TextTable(header: ["class", "precision", "recall", "F1", "AUC", "faces"])
    let scored = report.classes.compactMap { emotion in report.perClass[emotion].map { (emotion, $0) } }
    for (emotion, scores) in scored {
      table.add([
        emotion.rawValue, NumberText.percent(scores.precision), NumberText.percent(scores.recall),
        NumberText.percent(scores.f1), scores.auc.map { NumberText.fixed($0, 4) } ?? "-", "\(scores.support)",
      ])
    }
    let chart = BarChart(
      title: "Each class", categories: scored.map(\.0.rawValue),
      series: [
        .init(name: "precision", values: scored.map(\.1.precision)),
        .init(name: "recall", values: scored.map(\.1.recall)), .init(name: "F1", values: scored.map(\.1.f1)),
      ], maximum: 1
    ) { NumberText.percent($0, 1) }
    return ReportSection(
      title: "Classes",
      blocks: [
        .table(table, caption: nil), .chart(chart.drawing, caption: nil),
        .note(
          "Precision: of the faces read as the class, how many are. Recall: of the class's faces, how many are read "
            + "as it. F1: their harmonic mean. AUC: area under the one-vs-rest ROC curve."),
      ])
  }

  /// One-vs-rest ROC curves; nil where no class has both positives and negatives.
  public static func roc(_ metrics: ClassificationMetrics) -> ReportSection? {
    let curves = metrics.labels.emotions.compactMap { emotion in metrics.rocCurve(of: emotion).map { (emotion, $0) } }
    guard !curves.isEmpty else { return nil }
    let chart = LineChart(
      title: "One-vs-rest ROC curves", xTitle: "false positive rate", yTitle: "true positive rate",
      series: curves.map { emotion, curve in
        .init(
          name: "\(emotion.rawValue), AUC \(NumberText.fixed(curve.area, 4))",
          points: curve.points.map { .init($0.falsePositiveRate, $0.truePositiveRate) })
      }, isUnitSquare: true)
    return ReportSection(
      title: "ROC",
      blocks: [
        .chart(
          chart.drawing,
          caption:
            "Each class against all others, as the threshold on its probability falls. The dashed line is chance.")
      ])
  }

  /// Whether probabilities say how often the model is right.
  public static func calibration(_ calibration: Calibration) -> ReportSection {
    ReportSection(
      title: "Calibration",
      blocks: [
        .chart(
          ReliabilityDiagram(title: "Reliability", calibration).drawing,
          caption: "Bars below the dashed line: the model is surer than it should be; above it: less sure.")
      ])
  }

  /// How accuracy falls on corrupted faces; nil where none were measured.
  public static func robustness(_ report: EvaluationReport) -> ReportSection? {
    guard let results = report.corruptions, !results.isEmpty else { return nil }
    let table = CorruptionTable(results, clean: report.accuracy)
    let chart = LineChart(
      title: "Accuracy on corrupted faces", xTitle: "severity (0: as they are)", yTitle: "accuracy",
      series: table.names.map { name in
        .init(
          name: name,
          points: [.init(0, report.accuracy)]
            + results.filter { $0.name == name }.map { .init(Double($0.severity), $0.accuracy) })
      }, yRange: 0...1, isPercent: true)
    return ReportSection(
      title: "Robustness",
      blocks: [
        .chart(chart.drawing, caption: nil),
        .table(table.table, caption: "Accuracy by severity, with the parameter that makes it"),
        .note("Each face is corrupted before it is preprocessed; random parts have a fixed seed."),
      ])
  }

  /// A few faces of each class, drawn at random under a fixed seed.
  ///
  /// - Throws: ``MienError`` where a face cannot be written as a picture.
  public static func sampleFaces(_ faces: MeasuredFaces, perClass: Int = 3) throws -> ReportSection {
    ReportSection(
      title: "Sample faces",
      blocks: [
        .text("Up to \(perClass) faces of each class, drawn at random: not chosen for being right."),
        .faces(try faces.cards(faces.sample(perClass: perClass, seed: 0))),
      ])
  }

  /// The wrong readings that the model is surest of; nil where none is wrong.
  ///
  /// - Throws: ``MienError`` where a face cannot be written as a picture.
  public static func surestMistakes(_ faces: MeasuredFaces, count: Int = 15) throws -> ReportSection? {
    let mistakes = faces.surestMistakes(count)
    guard !mistakes.isEmpty else { return nil }
    return ReportSection(
      title: "Surest mistakes",
      blocks: [
        .text(
          "The \(mistakes.count) most confident of \(faces.mistakeCount) readings that differ from the label. "
            + "Some of these labels may be wrong."),
        .faces(try faces.cards(mistakes)),
      ])
  }
}
