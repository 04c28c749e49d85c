import Foundation
import MienCore
import MienReports
import MienRuns
import Testing

@Suite struct ReportTests {
  private let hostile = "</style><script>alert('&\"')</script>\u{0}"
  private let hostileShown = "</style><script>alert('&\"')</script>\u{FFFD}"

  private func evaluation(data: String = "made-up") throws -> (EvaluationReport, ClassificationMetrics) {
    let metrics = try Samples.metrics(count: 210)
    let corruptions = (1...2).map { severity in
      CorruptionResult(name: data, severity: severity, parameter: "sigma", value: 0.5, metrics: metrics)
    }
    return (
      EvaluationReport(
        metrics, model: data, weightsSHA256: data, data: data, split: .test, corruptions: corruptions), metrics
    )
  }

  private func card(_ text: String) -> ModelCard {
    ModelCard(
      name: text, summary: text, architecture: text, parameterCount: 5, preprocessing: .init(), framing: .init(),
      outputs: [.init(name: text, emotions: LabelSet.fer2013.emotions)],
      training: [.init(source: text, split: text, count: 1, labels: [text])], seed: 1, epochs: 2,
      measurements: [
        .init(source: text, split: text, labels: text, count: 1, accuracy: 0.5, balancedAccuracy: 0.5, note: text)
      ], license: text)
  }

  /// A page with every section there is, each text being `text`.
  private func everything(_ text: String) throws -> Report {
    let (report, metrics) = try evaluation(data: text)
    let faces = try Samples.faces(count: 210, source: text)
    let measured = try MeasuredFaces(faces, indices: Array(0..<210), metrics: metrics)
    return Report(
      title: text, subtitle: text,
      sections: [
        .protocolAndRecipe([.init(text, text)], recipe: text),
        .result(report, passes: text, notes: [text]), .data(faces, .own, classes: report.classes),
        .curves(try RunMetrics(csv: Samples.csv.replacing("ferplus", with: "<&\"'"), name: text)),
        .confusion(report), .classes(report), .roc(metrics), .calibration(report), .coverage(report),
        .robustness(report),
        try .sampleFaces(measured), try .surestMistakes(measured), .model(card(text)),
        .folds([
          .init(name: text, count: 3, accuracy: 0.5, balancedAccuracy: 0.5, loss: 1, bestEpoch: 2),
          .init(name: text, count: 3, accuracy: 0.7, balancedAccuracy: 0.5, loss: 1),
        ]),
        .published(
          [
            .init(name: text, published: 0.8325, measured: 0.85),
            .init(name: "loss", published: 0.5, measured: 0.4, isShare: false),
            .init(name: "later", published: 0.5, measured: nil),
          ], notes: [text]),
        .environment(.current(), [.init(text, text)]),
      ])
  }

  @Test func pagesAreWellFormedWhateverTheTexts() throws {
    let markup = try Markup(try everything(hostile).html)
    #expect(markup.all("script").isEmpty && markup.all("style").count == 1)
    #expect(markup.texts("h1") == [hostileShown])
    #expect(markup.texts("pre") == [hostileShown])
    #expect(markup.texts("h2").contains("Confidence and coverage") && markup.texts("h2").contains("Classes"))
    #expect(markup.all("svg").allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-label"] != nil })
  }

  @Test func pagesNeedNothingFromOutside() throws {
    let page = try everything("plain")
    let markup = try Markup(page.html)
    for element in markup.elements {
      for (name, value) in element.attributes where ["src", "href", "srcset", "xlink:href", "data"].contains(name) {
        #expect(value.hasPrefix("#") || value.hasPrefix("data:image/png;base64,"), "\(name)=\(value.prefix(40))")
      }
    }
    #expect(!page.html.contains("@import") && !page.html.contains("url("))
    // Only the namespaces of HTML and SVG.
    let addresses = page.html.components(separatedBy: "http").dropFirst().map { $0.prefix(18) }
    #expect(Set(addresses).isSubset(of: ["://www.w3.org/1999", "://www.w3.org/2000", "-equiv=\"Content-Se"]))
    // Every section has a link that leads to it.
    let ids = markup.all("section").compactMap { $0.attributes["id"] }
    #expect(Set(ids).count == ids.count && markup.all("a").compactMap { $0.attributes["href"] } == ids.map { "#\($0)" })
  }

  @Test func whatAModelWasTrainedOnNamesTheSet() throws {
    let page = Report(title: "t", sections: [.model(card("mine"))])
    #expect(page.html.contains("<dt>trained on</dt><dd>1 face of the set <code>mine</code>, mine, labels mine</dd>"))
  }

  @Test func sectionsWithoutDataAreLeftOut() throws {
    let (report, _) = try evaluation()
    let bare = EvaluationReport(
      try Samples.metrics(count: 21), model: "m", weightsSHA256: "", data: "d", split: nil)
    let empty = try RunMetrics(csv: "epoch,train_loss\n", name: "r")
    let page = Report(
      title: "t",
      sections: [.robustness(bare), .curves(empty), .folds([]), .published([]), .confusion(report)])
    #expect(page.sections.map(\.title) == ["Confusion"])
  }

  @Test func chartsThatFollowOneAnotherArePrintedInPairs() throws {
    let metrics = try RunMetrics(csv: Samples.csv, name: "r")
    let html = Report(title: "t", sections: [.curves(metrics)]).html
    let markup = try Markup(html)
    let rule = "figure:not([class])+figure:not([class])"
    #expect(html.contains(".wide{display:none}") && html.contains(rule))
    // What the rule takes for charts: figures without a class, each with both layouts.
    let charts = markup.all("figure").filter { $0.attributes["class"] == nil }.count
    #expect(charts >= 2 && markup.all("svg", class: "narrow").count == charts)
    #expect(
      markup.all("svg", class: "wide").count == charts
        && html.components(separatedBy: "</figure>\n<figure>").count == charts)
    // Pictures of faces, of maps and of a person's moments are none.
    let card = FaceCard(
      png: Data(), label: .fear,
      distribution: try EmotionDistribution(labels: .ferplus, probabilities: [Float](repeating: 1, count: 8)),
      name: "f")
    let faces = try Markup(
      Report(title: "t", sections: [ReportSection(title: "f", blocks: [.faces([card, card])])]).html)
    #expect(faces.all("figure").count == 2 && faces.all("figure").allSatisfy { $0.attributes["class"] != nil })
  }

  @Test func countsOfClassesAreGroupedAsAllOthers() throws {
    let report = EvaluationReport(
      try Samples.metrics(count: 7014), model: "m", weightsSHA256: "", data: "made-up", split: .test)
    let cells = try Markup(Report(title: "t", sections: [.classes(report)]).html).texts("td")
    #expect(cells.count { $0 == "1,002" } == 7 && !cells.contains("1002"))
  }

  @Test func figuresAreThoseOfTheReport() throws {
    let (report, _) = try evaluation()
    let markup = try Markup(Report(title: "t", sections: [.result(report, passes: "one"), .classes(report)]).html)
    let values = markup.all("data").compactMap { Double($0.attributes["value"] ?? "") }
    #expect(
      values == [
        report.accuracy, report.balancedAccuracy, report.macroF1, report.loss, report.calibration.ece, 210,
      ])
    let cells = markup.texts("td")
    let anger = try #require(report.perClass[.anger])
    let interval = try #require(anger.recallInterval)
    #expect(
      Array(cells.prefix(4)) == [
        NumberText.percent(anger.precision ?? .nan), NumberText.percent(anger.recall ?? .nan),
        NumberText.range(interval, 1), NumberText.percent(anger.f1 ?? .nan),
      ])
  }

  @Test func facesAreEmbeddedWithTheirProbabilities() throws {
    let metrics = try Samples.metrics(count: 210)
    let measured = try MeasuredFaces(Samples.faces(count: 210), indices: Array(0..<210), metrics: metrics)
    let mistakes = try #require(try ReportSection.surestMistakes(measured, count: 5))
    let markup = try Markup(Report(title: "t", sections: [mistakes]).html)
    let pictures = markup.all("img").compactMap { $0.attributes["src"] }
    #expect(pictures.count == 5 && Set(pictures).count == 5)
    let png = try #require(Data(base64Encoded: String(pictures[0].dropFirst("data:image/png;base64,".count))))
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    // The first is the wrong reading with the highest probability.
    let surest = try #require(
      (0..<210).filter { metrics.truth[$0] != metrics.predictions[$0] }
        .compactMap { metrics.probabilities(at: $0).max() }.max())
    let shown = markup.texts("figcaption")[0]
    #expect(shown.contains(NumberText.probability(surest).replacing(" ", with: "\u{A0}")) && shown.contains("label"))
    #expect(throws: MienError.self) {
      try MeasuredFaces(Samples.faces(count: 5), indices: Array(0..<210), metrics: metrics)
    }
  }

  @Test func noFaceIsReadWithCertainty() throws {
    let labels = LabelSet.ferplus
    let probabilities = labels.emotions.map { $0 == .happiness ? 1 - 7e-6 : Float(1e-6) }
    let card = FaceCard(
      png: Data(), label: .happiness,
      distribution: try EmotionDistribution(labels: labels, probabilities: probabilities), name: "a")
    let markup = try Markup(Report(title: "t", sections: [ReportSection(title: "f", blocks: [.faces([card])])]).html)
    let texts = markup.texts("span")
    #expect(
      texts.count { $0 == ">99\u{A0}%" } == 1 && texts.count { $0 == "<1\u{A0}%" } == labels.count - 1, "\(texts)")
    #expect(markup.texts("figcaption") == ["label happiness, read happiness >99\u{A0}%"])
  }

  @Test func samplesAreSpreadOverClassesAndRepeat() throws {
    let metrics = try Samples.metrics(count: 210)
    let measured = try MeasuredFaces(Samples.faces(count: 210), indices: Array(0..<210), metrics: metrics)
    let (first, second) = (try ReportSection.sampleFaces(measured), try ReportSection.sampleFaces(measured))
    let pages = [first, second].map { Report(title: "t", sections: [$0]).html }
    #expect(pages[0] == pages[1] && pages[0].contains("Green bar: the label. Orange: the reading"))
    let captions = try Markup(pages[0]).texts("figcaption")
    #expect(captions.count == 21)
    for emotion in LabelSet.fer2013.emotions {
      #expect(captions.count { $0.hasPrefix("label \(emotion.rawValue),") } == 3)
    }
  }

  @Test func fewPeopleAndClassesThatAreNeverReadAreNoted() throws {
    let labels = try LabelSet(name: "l", emotions: [.anger, .fear, .sadness, .happiness])
    let metrics = try ClassificationMetrics(
      labels: labels, truth: [0, 1, 2, 3],
      probabilities: [Float](repeating: 0, count: 16).enumerated().map { place, _ in
        place % 4 == 0 ? 1 : 0
      })
    let notes = EvaluationReport(
      metrics, model: "m", weightsSHA256: "", data: "d", split: nil,
      clusters: FaceClusters(unit: .person, keys: [7, 7, 7, 7])
    ).notes
    #expect(
      notes.first == "Only 1 person: intervals are those of 1 independent face, since faces of one person are alike.")
    #expect(notes.last?.hasPrefix("No face is read as fear, sadness or happiness: precision") == true, "\(notes)")
  }

  @Test func whatIsUndefinedIsNotZero() throws {
    // Fear is never read and contempt never seen.
    let labels = try LabelSet(name: "l", emotions: [.anger, .fear, .contempt])
    let metrics = try ClassificationMetrics(
      labels: labels, truth: [0, 0, 1], probabilities: [1, 0, 0, 1, 0, 0, 1, 0, 0])
    let report = EvaluationReport(metrics, model: "m", weightsSHA256: "", data: "d", split: nil)
    let markup = try Markup(Report(title: "t", sections: [.result(report, passes: "one"), .classes(report)]).html)
    let rows = markup.texts("td")
    // Fear: precision, recall, interval, F1, AUC and faces.
    #expect(Array(rows[6..<12]) == ["undefined", "0.00 %", "0.0 to 79.3 %", "0.00 %", "0.5000", "1"])
    #expect(Array(rows[12..<18]) == ["undefined", "undefined", "undefined", "undefined", "undefined", "0"])
    #expect(markup.texts("p").contains { $0.contains("No face is read as fear: precision is undefined") })
    #expect(markup.texts("p").contains { $0.contains("No face has the label contempt") })
    #expect(markup.all("span", class: "detail").contains { $0.text == "mean F1 over the 2 classes that have faces" })
    // Columns of numbers stay such where one is undefined.
    #expect(markup.all("td").allSatisfy { !$0.classes.contains("text") })
    #expect(markup.texts("text").contains("undefined"))
  }

  @Test func leavingFacesUnreadIsShownWithItsPrice() throws {
    let (report, metrics) = try evaluation()
    let section = try #require(ReportSection.coverage(report))
    let markup = try Markup(Report(title: "t", sections: [section]).html)
    let names = markup.texts("th").filter { Double($0) != nil }
    #expect(names.prefix(3) == ["0.00", "0.30", "0.40"])
    #expect(markup.texts("td").prefix(2) == ["100.00 %", NumberText.percent(metrics.accuracy)[...].description])
    #expect(markup.all("svg", class: "wide").count == 1 && markup.all("svg", class: "narrow").count == 1)
  }

  @Test func headingsStandOnce() throws {
    let (report, metrics) = try evaluation()
    let page = Report(
      title: "t",
      sections: [
        .confusion(report), .classes(report), .roc(metrics), .calibration(report), .coverage(report),
      ])
    let markup = try Markup(page.html)
    #expect(markup.all("text", class: "title").map(\.text).allSatisfy { $0.hasSuffix("%") }, "titles in the charts")
    #expect(markup.all("svg").allSatisfy { $0.attributes["aria-label"]?.isEmpty == false })
  }

  @Test func classesHaveOneOrderOnAPage() throws {
    let metrics = try Samples.metrics(count: 14)
    let report = EvaluationReport(metrics, model: "m", weightsSHA256: "", data: "d", split: .test)
    let order = LabelSet.fer2013.emotions.sorted().reversed().map(\.self)
    let section = ReportSection.data(try Samples.faces(count: 14), .own, classes: order)
    let names = try Markup(Report(title: "t", sections: [section]).html).all("text", class: "end").map(\.text)
    #expect(names.prefix(7) == order.map(\.rawValue)[...])
    let same = ReportSection.data(try Samples.faces(count: 14), .own, classes: report.classes)
    let rows = try Markup(Report(title: "t", sections: [same]).html).all("text", class: "end").map(\.text)
    #expect(rows.prefix(7) == report.classes.map(\.rawValue)[...])
  }

  @Test func figuresThatCannotBeComparedHaveNoDifference() throws {
    let figures = [PublishedFigure(name: "accuracy", published: 0.9, measured: 0.3)]
    let plain = try Markup(Report(title: "t", sections: [.published(figures)]).html)
    #expect(plain.texts("td") == ["90.00 %", "30.00 %", "-60.00 points"])
    let warned = try Markup(Report(title: "t", sections: [.published(figures, caution: "Too few epochs.")]).html)
    #expect(
      warned.texts("td") == ["90.00 %", "30.00 %"]
        && warned.texts("th") == ["figure", "published", "measured", "accuracy"])
    // The caution comes before the figures.
    let order = warned.elements.map(\.name)
    let (text, table) = (order.firstIndex(of: "p"), order.firstIndex(of: "table"))
    #expect(try #require(text) < #require(table) && warned.texts("p").contains("Too few epochs."))
  }

  @Test func longPhrasesMayTakeSeveralLines() throws {
    var table = TextTable(header: ["name", "shows", "share"])
    table.add(["a", "neutral 39 %, happiness 31 %, surprise 21 %", "5 %"])
    let markup = try Markup(
      Report(title: "t", sections: [.init(title: "s", blocks: [.table(table, caption: nil)])]).html)
    let cells = markup.all("td")
    #expect(cells.map(\.classes) == [["text", "long"], []])
    #expect(cells.map(\.text) == ["neutral 39\u{A0}%, happiness 31\u{A0}%, surprise 21\u{A0}%", "5 %"])
  }

  @Test func foldsAreSummedUp() throws {
    let section = ReportSection.folds([
      .init(name: "1", count: 10, accuracy: 0.5, balancedAccuracy: 0.5, loss: 1),
      .init(name: "2", count: 10, accuracy: 0.7, balancedAccuracy: 0.5, loss: 2),
    ])
    let cells = try Markup(Report(title: "t", sections: [section]).html).texts("td")
    #expect(cells.contains("60.00 %") && cells.contains("14.14 %") && cells.contains("1.5000"))
  }
}
