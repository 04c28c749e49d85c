public import MienCore

/// The sections that speak about a measurement.
extension ReportSection {
  /// The figures of `report` at a glance, and what was measured how.
  ///
  /// - Parameters:
  ///   - file: the name of the file with the faces; nil to name the set alone.
  ///   - passes: how many passes a face took, in words.
  ///   - notes: what else limits the figures.
  public static func result(
    _ report: EvaluationReport, file: String? = nil, passes: String, notes: [String] = []
  ) -> ReportSection {
    let interval = report.accuracyInterval
    let occurring = report.classes.count { report.perClass[$0]?.support ?? 0 > 0 }
    let over = occurring < report.classes.count ? "the \(occurring) classes that have faces" : "classes"
    return ReportSection(
      title: "Result",
      blocks: [
        .figures([
          .init(
            name: "accuracy", value: report.accuracy, text: NumberText.percent(report.accuracy),
            detail: "95 % interval \(NumberText.range(interval))"
              + (report.intervalUnit.map { $0 == .face ? "" : ", by \($0.rawValue)" } ?? "")),
          .init(
            name: "balanced accuracy", value: report.balancedAccuracy,
            text: NumberText.percent(report.balancedAccuracy), detail: "mean recall over \(over)"),
          .init(
            name: "macro F1", value: report.macroF1, text: NumberText.percent(report.macroF1),
            detail: "mean F1 over \(over)"),
          .init(
            name: "log loss", value: report.loss, text: NumberText.fixed(report.loss, 4), detail: "nats per face"),
          .init(
            name: "calibration error", value: report.calibration.ece,
            text: NumberText.percent(report.calibration.ece), detail: "expected, 15 bins"),
          .init(
            name: "faces", value: Double(report.count), text: report.count.grouped, detail: "with a label"),
        ]),
        .facts([
          .init("model", report.model), .init("weights, SHA-256", report.weightsSHA256),
          .init("data", file.map { "\($0), imported from \(report.data)" } ?? report.data),
          .init("split", report.split), .init("labels", report.labels),
          .init("passes per face", passes),
        ]),
      ] + (report.notes + notes).map { .note($0) })
  }

  /// How accuracy rises if faces below a probability are left unread; nil in reports of earlier versions.
  public static func coverage(_ report: EvaluationReport) -> ReportSection? {
    guard let coverage = report.coverage else { return nil }
    let chart = LineChart(
      title: "Accuracy of the faces read", xTitle: "share of faces read", yTitle: "accuracy of the faces read",
      series: [
        .init(name: "", points: coverage.curve.map { .init($0.coverage, $0.accuracy ?? .nan) })
      ], isPercent: true, isXPercent: true)
    return ReportSection(
      title: "Confidence and coverage",
      blocks: [
        .text("Accuracy if faces below --min-confidence are left out."),
        .chart(chart, isTitled: false, caption: nil),
        .table(coverageTable(coverage), caption: "Coverage and accuracy by --min-confidence"),
      ])
  }

  /// A row per value of `--min-confidence`: the share of faces read, and the accuracy of those.
  static func coverageTable(_ coverage: RiskCoverage) -> TextTable {
    var table = TextTable(header: ["--min-confidence", "faces read", "accuracy of those"])
    for point in coverage.table {
      table.add([
        NumberText.fixed(point.minConfidence, 2), NumberText.percent(point.coverage),
        point.accuracy.map { NumberText.percent($0) } ?? "undefined",
      ])
    }
    return table
  }

  /// What the model's file says of itself.
  public static func model(_ card: ModelCard) -> ReportSection {
    let input = card.preprocessing
    let outputs = card.outputs.map { output in
      "\(output.name) (\(output.emotions.map(\.rawValue).joined(separator: ", ")); "
        + "temperature \(NumberText.fixed(Double(output.temperature), 3)))"
    }
    let training = card.training.map(\.text)
    var measured = TextTable(header: ["data", "split", "labels", "faces", "accuracy", "balanced", "calibration error"])
    for entry in card.measurements {
      measured.add([
        entry.source, entry.split, entry.labels, entry.count.grouped, NumberText.percent(entry.accuracy),
        NumberText.percent(entry.balancedAccuracy),
        entry.calibrationError.map { NumberText.percent($0) } ?? "-",
      ])
    }
    let notes = card.measurements.map(\.note).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return ReportSection(
      title: "Model",
      blocks: [
        card.summary.isEmpty ? nil : .text(card.summary),
        .facts([
          .init("name", card.name), .init("architecture", card.architecture),
          .init("parameters", card.parameterCount.grouped),
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
  /// - Parameters:
  ///   - classes: the order of the page's classes.
  ///   - parts: as for ``FaceSetReport``.
  public static func data(
    _ faces: FaceSet, _ source: LabelSource, classes: [Emotion], parts: [Split: [Int]]? = nil, notes: [String] = []
  ) -> ReportSection {
    let report = FaceSetReport(faces, parts: parts)
    return ReportSection(
      title: "Data",
      blocks: [.text(report.summary + ".")] + report.charts(source, order: classes).map { .chart($0, caption: nil) }
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
          ), isTitled: false,
          caption:
            "Rows are true labels, columns are predictions; each cell shows the share of its row and the count. Correct "
            + "ones lie on the diagonal."
        )
      ])
  }

  /// Precision, recall with its interval, F1 and AUC of each class.
  public static func classes(_ report: EvaluationReport) -> ReportSection {
    let absent = report.classes.filter { report.perClass[$0]?.support == 0 }
    let scored = report.classes.compactMap { emotion in report.perClass[emotion].map { (emotion, $0) } }
    let chart = BarChart(
      title: "Each class", categories: scored.map(\.0.rawValue),
      series: [
        .init(name: "precision", values: scored.map { $0.1.precision ?? .nan }),
        .init(name: "recall", values: scored.map { $0.1.recall ?? .nan }),
        .init(name: "F1", values: scored.map { $0.1.f1 ?? .nan }),
      ], maximum: 1
    ) { NumberText.percent($0, 1) }
    return ReportSection(
      title: "Classes",
      blocks: [
        .table(classTable(report), caption: nil), .chart(chart, isTitled: false, caption: nil),
        .note(
          "Precision: of the faces read as the class, how many are. Recall: of the class's faces, how many are read "
            + "as it, with the 95 % interval. F1: their harmonic mean. AUC: area under the one-vs-rest ROC curve. "
            + "undefined: division by zero."),
        absent.isEmpty
          ? nil
          : .note(
            "No face has the label \(Spelling.alternatives(absent.map(\.rawValue))): balanced accuracy and macro F1 are "
              + "means over the other classes."),
      ])
  }

  /// A row per class.
  static func classTable(_ report: EvaluationReport) -> TextTable {
    func share(_ value: Double?) -> String { value.map { NumberText.percent($0) } ?? "undefined" }
    var table = TextTable(header: ["class", "precision", "recall", "95 % interval", "F1", "AUC", "faces"])
    for emotion in report.classes {
      guard let scores = report.perClass[emotion] else { continue }
      table.add([
        emotion.rawValue, share(scores.precision), share(scores.recall),
        scores.recallInterval.map { NumberText.range($0, 1) } ?? "undefined", share(scores.f1),
        scores.auc.map { NumberText.fixed($0, 4) } ?? "undefined", scores.support.grouped,
      ])
    }
    return table
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
          points: curve.points.map { .init($0.falsePositiveRate, $0.truePositiveRate) }, emotion: emotion)
      }, isUnitSquare: true)
    return ReportSection(
      title: "ROC",
      blocks: [
        .chart(
          chart, isTitled: false,
          caption:
            "Each class against all others, as the threshold on its probability falls. The dashed line is chance; the "
            + "small square is the corner where good classifiers are.")
      ])
  }

  /// Whether probabilities say how often the model is right.
  public static func calibration(_ report: EvaluationReport) -> ReportSection {
    let unit = report.intervalUnit ?? .face
    return ReportSection(
      title: "Calibration",
      blocks: [
        .chart(
          ReliabilityDiagram(title: "Reliability", report.calibration), isTitled: false,
          caption: "Bars below the dashed line: the model is overconfident; above it: underconfident."
            + (unit == .face ? "" : " Intervals are by \(unit.rawValue)."))
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
        .chart(chart, isTitled: false, caption: nil),
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
        .text("Up to \(perClass) faces of each class, drawn at random: not chosen for being right. \(FaceCard.key)"),
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
      title: "Most confident mistakes",
      blocks: [
        .text(
          "The \(mistakes.count.grouped) most confident of \(faces.mistakeCount.grouped) readings that differ from the label. "
            + "Some of these labels may be wrong. \(FaceCard.key)"),
        .faces(try faces.cards(mistakes)),
      ])
  }
}
