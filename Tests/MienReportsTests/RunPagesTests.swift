import Foundation
import MienCore
import MienReports
import MienRuns
import MienTestSupport
import Testing

/// The pages of runs, reproductions and searches, laid out from values.
@Suite struct RunPagesTests {
  private func epoch(_ number: Int, accuracy: Double) -> EpochResult {
    EpochResult(
      epoch: number, step: 10 * number, learningRate: 0.1, trainingLoss: 2 / Double(number),
      heads: [
        .init(
          labels: "fer2013", count: 210, loss: 1, accuracy: accuracy, balancedAccuracy: accuracy / 2,
          trainingAccuracy: 0.9)
      ], seconds: Double(number))
  }

  private func description(copies: Bool = false) -> RunDescription {
    RunDescription(name: "net", summary: "A net.", seed: 7, recipe: "name: net\n", hasCopies: copies)
  }

  private func measurement(_ part: Split) throws -> RunMeasurement {
    let metrics = try Samples.metrics(count: 210)
    return RunMeasurement(
      metrics: [part: [metrics]], headFaces: [part: [Array(0..<210)]],
      parts: [.train: Array(0..<100), part: Array(0..<210)])
  }

  private func result(test: Bool) -> RunResult {
    let best = epoch(2, accuracy: 0.75)
    return RunResult(best: best, test: test ? best.heads : [], epochs: 2, stoppedEarly: false, data: [])
  }

  private var metrics: RunMetrics {
    get throws {
      try RunMetrics(csv: RunMetrics.csv([epoch(1, accuracy: 0.5), epoch(2, accuracy: 0.75)]), name: "net")
    }
  }

  @Test func metricsReadBackAsTheyWereWritten() throws {
    let run = try metrics
    #expect(
      run.columns == [
        "epoch", "step", "learning_rate", "train_loss", "train_fer2013_accuracy", "validation_fer2013_loss",
        "validation_fer2013_accuracy", "validation_fer2013_balanced_accuracy", "seconds",
      ])
    #expect(run.heads == ["fer2013"] && run.best?.epoch == 2 && run.seconds == 2)
    for name in run.columns { #expect(RunColumn(name: name)?.name == name) }
    #expect(RunColumn(name: "test_a_b_loss") == .figure(.loss, head: "a_b", part: .test))
    #expect(["validation_", "train_x_loss", "accuracy", "test__loss"].allSatisfy { RunColumn(name: $0) == nil })
  }

  @Test func filesOfARunReadBackAsTheyWere() throws {
    let folder = try TemporaryFolder()
    let files = RunFiles(folder.url)
    try result(test: true).write(to: files)
    #expect(try RunResult(in: files) == result(test: true))
    let summary = SeriesSummary([("fold-1", result(test: true)), ("fold-2", result(test: false))])
    try summary.write(to: files)
    #expect(try JSONDecoder().decode(SeriesSummary.self, from: Data(contentsOf: files.summary)) == summary)
    // What only one run has is no figure of the series.
    let table = try CSVTable(String(contentsOf: files.summaryTable, encoding: .utf8))
    #expect(
      table.columns.allSatisfy { !$0.hasPrefix("test_") }
        && table.rows.map { $0.fields[0] } == ["fold-1", "fold-2", "mean", "sd"])
    try Data("{}".utf8).write(to: files.result)
    #expect(throws: MienError.self) { try RunResult(in: files) }
  }

  /// The headline is of the faces that nothing was chosen by, if there are any.
  @Test(arguments: [Split.validation, .test])
  func aRunsPageSaysWhatItsFiguresAreOf(part: Split) throws {
    let faces = try Samples.faces(count: 210)
    let page = try TrainingPage(
      description(), metrics: metrics, result: result(test: part == .test), measurement: measurement(part),
      set: faces, weightsSHA256: "abc"
    ).page(command: "mien train net")
    let markup = try Markup(page.html)
    let notes = markup.all("p", class: "note").map(\.text)
    #expect(notes.contains { $0.contains(part == .test ? "Measured once" : "slightly optimistic") })
    #expect(markup.texts("dd").contains(part.rawValue) && page.html.contains("mien train net"))
    #expect(markup.texts("dt").contains("fer2013, test, measured once") == (part == .test))
    #expect(throws: MienError.self) {
      try TrainingPage(
        description(), metrics: metrics, result: result(test: false),
        measurement: RunMeasurement(metrics: [:], headFaces: [:], parts: [:]), set: faces, weightsSHA256: ""
      ).page(command: "")
    }
  }

  /// Faces 0 to 99 are trained on, 100 to 209 measured, `size` of a person (or sequence) one after the other.
  private func known(size: Int, sequences: Bool = false) throws -> FaceSet {
    try FaceSet(
      source: "made-up", labelSet: .fer2013, height: 4, width: 4, channels: 1,
      rows: (0..<210).map { index in
        let name = "s\(index / size)"
        return .init(
          label: LabelSet.fer2013.emotions[index % 7], split: index < 100 ? .train : .test,
          subject: sequences ? nil : name, sequence: sequences ? name : nil, sourceRow: index)
      }, pixels: Data(repeating: 9, count: 210 * 16))
  }

  @Test(
    arguments: [
      (110, false, "10 of the 110 faces are of people"), (300, false, "All 110 faces are of people"),
      (30, true, "20 of the 110 faces are of sequences"), (10, false, nil), (1, false, nil),
    ] as [(Int, Bool, String?)])
  func aRunsPageWarnsOfPeopleInBothParts(size: Int, sequences: Bool, words: String?) throws {
    let metrics = try Samples.metrics(count: 110)
    let measured = RunMeasurement(
      metrics: [.test: [metrics]], headFaces: [.test: [Array(100..<210)]],
      parts: [.train: Array(0..<100), .test: Array(100..<210)])
    let faces = try known(size: size, sequences: sequences)
    let page = try TrainingPage(
      description(), metrics: self.metrics, result: result(test: true), measurement: measured, set: faces,
      weightsSHA256: "abc"
    ).page(command: "mien train net")
    let notes = try Markup(page.html).all("p", class: "note").map(\.text)
    if let words {
      #expect(notes.contains { $0.contains(words) && $0.contains("train with a split by") }, "\(notes)")
    } else {
      #expect(!notes.contains { $0.contains("also trained on") }, "\(notes)")
    }
    #expect(measured.caution(.train, faces: Array(0..<100), of: faces) == nil)
  }

  private func system(_ repeats: String = "", source: String = "made-up") throws -> PublishedSystem {
    let json = """
      {"name": "sixth", "paper": "A. Author, A Paper", "remarks": ["Mind the gap."], "measurements": [
        {"name": "official", "kind": "paper", "summary": "As written", "recipe": "chen", "source": "\(source)",
         \(repeats) "figures": {"f1": {"fear": 0.25}, "accuracy": 0.9, "trainingLoss": 1.5}}]}
      """
    return try JSONDecoder().decode(PublishedSystem.self, from: Data(json.utf8))
  }

  private func summary(
    _ system: PublishedSystem, quickLook: ReproductionSummary.QuickLook? = nil, epochs: Int = 3
  ) throws -> ReproductionSummary {
    let metrics = try Samples.metrics(count: 210)
    let run = ReproductionSummary.Run(
      name: "", seed: 1, epochs: epochs, bestEpoch: min(2, epochs), seconds: 9, count: 210, accuracy: metrics.accuracy,
      balancedAccuracy: metrics.balancedAccuracy, loss: 1, validationLoss: 1, trainingAccuracy: 0.8, trainingLoss: 1.25,
      testAccuracy: nil)
    return ReproductionSummary(
      system: system.name, measurement: "official", runs: [run], standing: "",
      evaluation: EvaluationReport(metrics, model: "sixth", weightsSHA256: "abcdef", data: "made-up", split: .test),
      copies: 3, accuracyWithoutCopies: 0.5, quickLook: quickLook)
  }

  @Test func publishedFiguresStandBesideThoseMeasured() throws {
    let system = try system()
    #expect(system.measurements[0].figures.map(\.measure) == [.accuracy, .trainingLoss, .f1(.fear)])
    let folder = try TemporaryFolder()
    let summary = try summary(system)
    let place = folder.url.appendingPathComponent("official")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    try summary.write(to: place)
    #expect(try ReproductionSummary(in: place) == summary)
    let table = ReproductionTable(system, in: folder.url)
    #expect(
      table.table.rows.map { $0.prefix(5) } == [
        ["sixth", "official", "paper", "90.00 %", NumberText.percent(summary.evaluation.accuracy)]
      ])
    let page = try ReproductionPage(
      system, system.measurements[0], summary, metrics: Samples.metrics(count: 210), indices: Array(0..<210),
      of: Samples.faces(count: 210), parts: [.test: Array(0..<210)], run: description(copies: true), curves: metrics
    ).page(table, command: "mien reproduce sixth")
    let cells = try Markup(page.html).texts("td")
    #expect(cells.contains("1.5000") && cells.contains("1.2500") && cells.contains("-0.2500"))
    #expect(
      page.title == "sixth, official" && page.html.contains("Mind the gap.")
        && page.html.contains("Copies that balancing made"))
    #expect(!page.html.contains("quick look"))
    let markdown = table.markdown(of: "sixth")
    #expect(markdown.contains("## sixth, official\n") && markdown.contains("| F1, fear | 25.00 % |"))
    #expect(markdown.contains("`mien reproduce sixth --only official --data made-up.safetensors`"))
  }

  @Test func whatLacksFacesIsSaidBelowTheTable() throws {
    let system = try system()
    var table = ReproductionTable()
    table.add(system, system.measurements[0], nil, note: "needs a FaceSet of fer2013")
    let lines = table.lines
    #expect(lines.count == 2 && lines[0].hasSuffix("  90.00 %         -"), "\(lines)")
    #expect(lines[1] == "sixth, official: needs a FaceSet of fer2013")
    // A page has room for it.
    #expect(table.markdown().contains("| 90.00 % | needs a FaceSet of fer2013 |"))
  }

  @Test func oneEpochIsSaidInTheSingular() throws {
    let system = try system()
    var table = ReproductionTable()
    table.add(system, system.measurements[0], try summary(system, epochs: 1), note: "")
    #expect(table.markdown().contains("One run of 1 epoch, ") && table.markdown().contains("; 210 faces, "))
  }

  @Test func theMarkdownPageNamesTheCommandThatWasRun() throws {
    let system = try system()
    var table = ReproductionTable()
    table.add(system, system.measurements[0], try summary(system), note: "")
    let page = table.markdown(of: "my papers/sixth.yaml", options: ["--only official", "--epochs 3"])
    let head = "Written by `mien reproduce 'my papers/sixth.yaml' --only official --epochs 3 --data FACES… "
    #expect(
      page.contains(head + "--markdown FILE`. ")
        && page.contains("`mien reproduce 'my papers/sixth.yaml' --only official --data "))
    #expect(!page.contains("mien reproduce sixth") && !page.contains("FER2013"))
    let other = try self.system(source: "fer2013")
    table.add(other, other.measurements[0], nil, note: "not finished")
    #expect(table.markdown().contains("FER2013 does not name people"))
  }

  @Test func aQuickLookSaysSoWhereverItsFiguresStand() throws {
    let system = try system(#""repeats": {"folds": 5},"#)
    let look = try #require(
      ReproductionSummary.QuickLook(epochs: 3, recipeEpochs: 200, folds: 2, protocol: .folds(5)))
    #expect(look.text == "3 of 200 epochs, 2 instead of 5 runs" && look.options == "--epochs 3 --folds 2")
    let summary = try summary(system, quickLook: look)
    let folder = try TemporaryFolder()
    let place = folder.url.appendingPathComponent("official" + look.suffix)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    try summary.write(to: place)
    let table = ReproductionTable(system, in: folder.url)
    #expect(table.table.text.contains("official (quick look: 3 of 200 epochs, 2 instead of 5 runs)"))
    #expect(
      table.markdown().contains("**A quick look: 3 of 200 epochs") && table.markdown().contains("--epochs 3 --folds 2`")
    )
    let page = try ReproductionPage(
      system, system.measurements[0], summary, metrics: Samples.metrics(count: 210), indices: Array(0..<210),
      of: Samples.faces(count: 210), parts: [:], run: description(), curves: metrics
    ).page(table, command: "c")
    #expect(page.title == "sixth, official (quick look)")
    // Above the paper's figures, which then have no differences, and beside the result.
    let markup = try Markup(page.html)
    #expect(markup.all("p").filter { $0.text.hasPrefix("A quick look:") }.map(\.classes) == [[], ["note"]])
    #expect(!markup.texts("th").contains("difference"))

    // One that was interrupted, too.
    try FileManager.default.removeItem(at: RunFiles(place).reproduction)
    #expect(
      ReproductionTable(system, in: folder.url).table.rows.map { $0.prefix(5) } == [
        ["sixth", "official (quick look)", "paper", "90.00 %", "not finished"]
      ])
    var stopped = ReproductionTable()
    stopped.add(system, system.measurements[0], nil, note: "not finished", quickLook: look)
    #expect(stopped.table.text.contains("official (quick look: 3 of 200 epochs, 2 instead of 5 runs)"))
  }

  @Test(
    arguments: [
      (nil, nil, PublishedSystem.Repeats.folds(5), nil), (200, 5, .folds(5), nil), (300, nil, .once, nil),
      (nil, 7, .once, nil), (199, nil, .once, ".quick-199-epochs"), (nil, 2, .seeds(3), ".quick-2-runs"),
      (3, 9, .seeds(3), ".quick-3-epochs-9-runs"),
    ] as [(Int?, Int?, PublishedSystem.Repeats, String?)])
  func onlyLessThanTheProtocolIsAQuickLook(
    epochs: Int?, folds: Int?, repeats: PublishedSystem.Repeats, suffix: String?
  ) {
    let look = ReproductionSummary.QuickLook(epochs: epochs, recipeEpochs: 200, folds: folds, protocol: repeats)
    #expect(look?.suffix == suffix)
  }

  private func search(
    finished: Bool = true, rungs: [Int] = [2, 4],
    keys: [(name: String, text: String)] = [(name: "dense", text: "[64],[128]")]
  ) throws -> SearchResults {
    let folder = URL(fileURLWithPath: "/nowhere/it's")
    func trial(
      _ number: Int, _ value: String, _ score: Double?, _ deviation: Double? = nil, _ state: SearchResults.State
    )
      -> SearchResults.Trial
    {
      .init(
        number: number, name: "trial-\(number)", folder: folder.appendingPathComponent("trial-\(number)"),
        values: [value] + keys.dropFirst().map { _ in "4" }, state: state, epochs: 4, bestEpochs: [2, 3], score: score,
        deviation: deviation,
        firstScore: score, message: score == nil ? "no number any more" : nil)
    }
    return SearchResults(
      name: "net", folder: folder, data: ["made-up, 3 faces of 4x4"], method: "grid",
      keys: keys, rungs: rungs, repeats: ["folds"], isFinished: finished, figure: .loss, head: "",
      trials: [
        trial(2, "[128]", -1.708, 0.02, finished ? .finished : .open), trial(1, "[64]", -1.81, 0.03, .stopped),
        trial(3, "[1]", nil, nil, .diverged),
      ])
  }

  @Test func curvesSayHowManyTrialsTheyShow() throws {
    let folder = try TemporaryFolder()
    func caption(trials count: Int) throws -> String? {
      let trials = try (1...count).map { number in
        let run = folder.file("trial-\(number)")
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        try Data(Samples.csv.utf8).write(to: RunFiles(run).metrics)
        return SearchResults.Trial(
          number: number, name: "trial-\(number)", folder: run, values: ["1"], state: .finished, score: -1)
      }
      let search = SearchResults(
        name: "net", folder: folder.url, data: [], method: "grid", keys: [(name: "a.b", text: "1")], rungs: [3],
        isFinished: true, figure: .loss, head: "", trials: trials)
      let lines = SearchTable(search).lines
      #expect(lines.contains { $0.hasPrefix("trial-2, trial-3, ") && $0.hasSuffix(" have the same loss") })
      let html = SearchPage(search).report(command: "c").html
      #expect(html.contains(">a.<wbr/>b</th>"))
      return try Markup(html).texts("figcaption").last
    }
    let rest = "On the validation part, each epoch."
    #expect(try caption(trials: 8) == rest)
    #expect(try caption(trials: 9) == "The first 8 of the table's 9 trials. " + rest)
  }

  @Test func aSearchIsATableAndAPage() throws {
    let search = try search()
    let lines = SearchTable(search).lines.joined(separator: "\n")
    #expect(lines.contains("--set 'dense=[128]'") && lines.contains("trial-3: no number any more"))
    #expect(SearchTable(search).table.rows[0] == ["2", "1.7080", "0.0200", "finished", "[128]", "4", "2 3"])
    #expect(SearchTable(search).table.header == ["trial", "loss", "sd", "state", "dense", "epochs", "best epochs"])
    let page = SearchPage(search).report(command: "mien tune net --search 'dense=[64],[128]'")
    let markup = try Markup(page.html)
    #expect(
      markup.all("circle").count == 2 * (2 + 2 * 2 + 2),
      "a dot per trial, mean and best per value, and a legend, for pages and for phones")
    #expect(
      markup.all("circle").count { $0.attributes["r"] == "6" } == 2 * (2 + 1), "a ring per best, and in the legend")
    #expect(
      markup.texts("text").contains("trial 2, 4 epochs") && markup.texts("th").contains("best epochs")
        && markup.texts("text").contains { $0.hasPrefix("loss (axis from 1.") }
    )
    #expect(
      markup.texts("dd").contains("mien tune net --search 'dense=[64],[128]'")
        && page.subtitle.hasPrefix("3 trials, data: ")
    )
    #expect(SearchTable(try self.search(finished: false)).lines.contains { $0.contains("is not finished") })
    #expect(markup.texts("dd").contains("2, 4 epochs"))
    let short = SearchPage(try self.search(rungs: [1])).report(command: "c")
    #expect(try Markup(short.html).texts("dd").contains("1 epoch"))
    // Of one key no other differs; two folds have no common validation part.
    #expect(!page.html.contains("Other keys differ too") && page.html.contains("trial-2, mean over folds, each on its"))
    #expect(!page.html.contains("seed"))
    let two = try self.search(keys: [(name: "dense", text: "[64],[128]"), (name: "epochs", text: "4")])
    #expect(SearchPage(two).report(command: "c").html.contains("Other keys differ too"))
  }
}
