import Foundation
import MienCore
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// Folds and seeds: several runs in one folder.
@Suite(.serialized) @TorchActor struct SeriesTests {
  private let folds = [
    "split={train: 0.75, test: 0.25, groupBy: subject}", "folds={count: 3, kind: grouped}", "batchSize=8",
  ]

  private func faces() throws -> FaceSet { try DrawnFaces.set(count: 112, split: { _ in .train }) }

  private func train(
    _ run: RunFolder, stopAfter steps: Int = .max
  ) throws -> (summary: SeriesSummary?, trained: [String], steps: Int) {
    var trained: [String] = []
    let recorder = Recorder()
    let summary = try RunSeries(in: run, sets: [faces()]).run(
      observers: { run, name in
        trained.append(name)
        return [recorder, MetricsFile(run: run)]
      }, shouldStop: { recorder.steps >= steps })
    return (summary, trained, recorder.steps)
  }

  @Test func foldsAreTrainedSummedUpAndResumedAsAWhole() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 2, settings: folds)
    let whole = try RunFolder(creating: folder.file("whole"), recipe: recipe)
    let (summary, trained, steps) = try train(whole)
    #expect(trained == ["fold-1", "fold-2", "fold-3"])
    let found = try #require(summary)

    // The summary is what the runs' own results say.
    let results = try trained.map {
      try #require(try RunResult(of: RunFolder(opening: whole.url.appendingPathComponent($0))))
    }
    #expect(results.allSatisfy { $0.test.map(\.labels) == ["ferplus", "fer2013"] && $0.test[0].count == 28 })
    let accuracies = results.map { $0.test[1].accuracy }
    let mean: Double = accuracies.reduce(0, +) / 3
    let deviation = (accuracies.map { pow($0 - mean, 2) }.reduce(0, +) / 2).squareRoot()
    let figure = try #require(found.figures.first { $0.name == "test_fer2013_accuracy" })
    #expect(abs(figure.mean - mean) < 1e-12)
    #expect(abs(try #require(figure.standardDeviation) - deviation) < 1e-12)
    #expect(figure.minimum == accuracies.min() && figure.maximum == accuracies.max())
    let csv = try String(contentsOf: whole.url.appendingPathComponent("summary.csv"), encoding: .utf8)
    let rows = csv.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows.map { String($0[0]) } == ["run", "fold-1", "fold-2", "fold-3", "mean", "sd"])
    let column = try #require(rows[0].firstIndex(of: "test_fer2013_accuracy"))
    #expect(rows[4][column] == String(format: "%.6g", mean))
    let json = try Data(contentsOf: whole.url.appendingPathComponent("summary.json"))
    #expect(try JSONDecoder().decode(SeriesSummary.self, from: json).runs == found.runs)

    // Stopped within the second fold, it goes on there and comes to the same.
    let broken = try RunFolder(creating: folder.file("broken"), recipe: recipe)
    let stopped = try train(broken, stopAfter: steps / 3 + 3)
    #expect(stopped.summary == nil && stopped.trained == ["fold-1", "fold-2"])
    let resumed = try train(RunFolder(opening: broken.url))
    #expect(resumed.trained == ["fold-2", "fold-3"])
    for name in trained {
      let (a, b) = (whole.url.appendingPathComponent(name), broken.url.appendingPathComponent(name))
      #expect(try RunFolder(opening: a).checkpointTensors == RunFolder(opening: b).checkpointTensors)
    }
    #expect(resumed.summary?.runs.map(\.epoch) == found.runs.map(\.epoch))
    #expect(try train(broken).steps == 0)
  }

  @Test func aFoldsRunIsExportedAndItsCardSaysWhatItSaw() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: folds)
    let series = try RunFolder(creating: folder.file("series"), recipe: recipe)
    _ = try train(series)
    let error = #expect(throws: MienError.self) { try ModelExport.model(of: series) }
    #expect(error?.description.contains("series of runs") == true && error?.kind == .mismatch)
    let trainer = #expect(throws: MienError.self) { try Trainer(run: series, sets: [faces()], observers: []) }
    #expect(trainer?.kind == .mismatch)
    let run = try RunFolder(opening: series.url.appendingPathComponent("fold-2"))
    let single = #expect(throws: MienError.self) { try RunSeries(in: run, sets: [faces()]) }
    #expect(single?.kind == .mismatch)
    let card = try ModelExport.model(of: run, calibratedOn: [faces()]).card()
    let text = "75/0/25 % split by subject, seed 1; fold 2 of 3, grouped, seed 1"
    #expect(card.training.map(\.split) == ["train (\(text))"])
    // 16 people of 7 faces: 12 to train on, of which 4 are the fold; 4 for the test.
    #expect(card.training.map(\.count) == [56])
    #expect(card.measurements.map(\.split) == ["validation", "validation", "test", "test"].map { "\($0) (\(text))" })
    #expect(card.measurements.map(\.count) == [28, 28, 28, 28])
    let result = try #require(try RunResult(of: run))
    #expect(card.measurements.map(\.accuracy) == (result.best.heads + result.test).map(\.accuracy))
  }

  @Test func seedsMakeARunEachAndMultiplyFolds() throws {
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: ["seeds=[3, 5]"])
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    let members = try recipe.members(for: [set])
    #expect(members.map(\.name) == ["seed-3", "seed-5"])
    #expect(members.map(\.recipe.seed) == [3, 5] && members.allSatisfy { !$0.recipe.isSeries })
    let both = try DrawnFaces.recipe(epochs: 1, settings: folds + ["seeds=[3, 5]"]).members(for: [faces()])
    #expect(both.map(\.name) == [3, 5].flatMap { seed in (1...3).map { "seed-\(seed)-fold-\($0)" } })
    #expect(Set(both.map { "\($0.recipe.seed) \($0.recipe.folds.fold)" }).count == 6)
    let one = try DrawnFaces.recipe(epochs: 1, settings: folds + ["folds.fold=2"])
    #expect(try one.members(for: [faces()]).isEmpty)
    let people = try DrawnFaces.recipe(epochs: 1, settings: ["folds.kind=leaveOneSubjectOut"])
    #expect(try people.members(for: [faces()]).count == 16)
  }

  @Test func finishedRunsOfOtherDataAreRefused() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: ["folds.count=2"])
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe)
    _ = try train(run)
    let other = try DrawnFaces.set(count: 70, split: { _ in .train })
    let error = #expect(throws: MienError.self) {
      try RunSeries(in: run, sets: [other]).run(observers: { _, _ in [] }, shouldStop: { false })
    }
    #expect(error?.description.contains("other data") == true)
  }

  /// Files of earlier versions may have two heads of one label set.
  @Test func figuresOfOneNameAreSummedUpOnce() throws {
    let head = #"{"labels": "fer2013", "count": 7, "loss": 1, "accuracy": 0.5, "balancedAccuracy": 0.5}"#
    let best = #"{"epoch": 1, "step": 1, "learningRate": 0.1, "trainingLoss": 1, "seconds": 1, "heads": [HEAD, HEAD]}"#
    let json = #"{"best": BEST, "test": [], "epochs": 1, "stoppedEarly": false, "data": []}"#
      .replacing("BEST", with: best).replacing("HEAD", with: head)
    let result = try JSONDecoder().decode(RunResult.self, from: Data(json.utf8))
    let summary = SeriesSummary([(name: "seed-1", result: result)])
    #expect(summary.runs[0].figures["validation_fer2013_accuracy"] == 0.5)
  }

  @Test func aHeadWithoutFacesOfItsOwnIsRefusedBeforeAnyTraining() throws {
    let recipe = try DrawnFaces.recipe(epochs: 1)
    let plain = try DrawnFaces.set(count: 56, split: { $0 < 42 ? .train : .validation }, votes: false)
    for (split, what) in [
      (Split.train, "no face to choose the model by for the head ferplus"),
      (.validation, "no face to train the head ferplus on"),
    ] {
      let voted = try DrawnFaces.set(count: 28, split: { _ in split })
      let error = #expect(throws: MienError.self) { try TrainingData([plain, voted], recipe: recipe) }
      #expect(error?.kind == .mismatch && error?.message.contains(what) == true, "\(String(describing: error))")
    }
  }

  @Test func aSetOfOtherLabelsIsRefusedRatherThanPassedOver() throws {
    let recipe = try DrawnFaces.recipe(epochs: 1)
    let voted = try DrawnFaces.set(count: 56, split: { $0 < 42 ? .train : .validation })
    let other = try FaceSet(
      source: "other", labelSet: .ckplus48, height: 48, width: 48, channels: 1,
      rows: [.init(label: .anger, split: .train, sourceRow: 0)], pixels: Data(count: 2304))
    let error = #expect(throws: MienError.self) { try TrainingData([voted, other], recipe: recipe) }
    #expect(error?.subject == "other" && error?.message.contains("its own are ckplus48") == true)
  }

  @Test func whatCannotBeSplitIsRefusedBeforeAnyTraining() throws {
    let few = try DrawnFaces.set(count: 14, split: { _ in .train })
    for (setting, what) in [
      ("folds.count=3", "more folds than faces of a class"),
      ("folds={count: 3, kind: grouped}", "more folds than subjects"),
      ("split={train: 0.5, validation: 0.5, groupBy: sequence}", "no sequences"),
    ] {
      let recipe = try DrawnFaces.recipe(epochs: 1, settings: [setting])
      let error = #expect(throws: MienError.self) { try recipe.members(for: [few]) }
      #expect(error?.description.contains(what) == true)
    }
  }
}
