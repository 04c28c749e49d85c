import Foundation
import MienCore
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// Searches on real, tiny runs.
@Suite(.serialized) @TorchActor struct TunerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func faces() throws -> FaceSet { try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation }) }

  private func start(
    _ name: String, _ method: TuningPlan.Method, _ search: [String], epochs: Int = 4, settings: [String] = [],
    firstEpochs: Int? = nil
  ) throws -> TuningFolder {
    try TuningFolder(
      creating: folder.file(name),
      plan: TuningPlan(
        recipe: DrawnFaces.recipe(epochs: epochs, settings: settings), method: method,
        axes: search.map(SearchAxis.init(option:)), eta: 2, firstEpochs: firstEpochs, sets: [faces()]))
  }

  /// Trains until `stopAfter` steps were done by this call.
  private func run(
    _ folder: TuningFolder, stopAfter: Int = .max
  ) throws -> (folder: TuningFolder, isFinished: Bool, steps: [String: Int]) {
    let tuner = try Tuner(in: folder, sets: [faces()])
    var recorders: [(name: String, recorder: Recorder)] = []
    let isFinished = try tuner.run(
      observers: { run, name in
        recorders.append((name, Recorder()))
        return [recorders[recorders.count - 1].recorder, MetricsFile(run: run)]
      }, report: { _ in }, shouldStop: { recorders.reduce(0) { $0 + $1.recorder.steps } >= stopAfter })
    let steps = Dictionary(recorders.map { ($0.name, $0.recorder.steps) }, uniquingKeysWith: +)
    return (tuner.folder, isFinished, steps)
  }

  /// Records without what a clock says.
  private func timeless(_ folder: TuningFolder) -> [TrialRecord] {
    folder.records.map { record in
      var record = record
      record.seconds = 0
      return record
    }
  }

  private func epochs(_ folder: TuningFolder) throws -> [Int] {
    try folder.trials.map { try RunFolder(opening: folder.run(of: $0)).metricsRows.count - 1 }
  }

  private let rates = ["optimizer.learningRate=0.0001,0.02,0.05,0.001"]

  @Test func halvingStopsLosersAndGoesOnWithTheRunsOfWinners() throws {
    let (search, isFinished, steps) = try run(start("halving", .halving, rates, firstEpochs: 1))
    #expect(isFinished && search.isFinished)
    #expect(search.rungs == [1, 2, nil] && search.entrants.map(\.count) == [4, 2, 1])
    let trained = try epochs(search)
    #expect(trained.sorted() == [1, 1, 2, 4])
    // Three steps an epoch, each done once.
    #expect(trained.indices.allSatisfy { steps["trial-\($0 + 1)"] == 3 * trained[$0] })
    let best = try #require(search.best)
    #expect(
      trained[best.trial.number - 1] == 4
        && search.standings.map(\.state.rawValue) == [
          "finished", "stopped", "stopped", "stopped",
        ])
    // At each rung no loser is better than a winner.
    for (rung, winners) in search.entrants.dropFirst().enumerated() {
      let scores = search.records.filter { $0.rung == rung + 1 }
      let least = scores.filter { winners.contains($0.trial) }.compactMap(\.score).min() ?? 0
      #expect(scores.filter { !winners.contains($0.trial) }.allSatisfy { $0.score ?? 1 <= least })
    }
    // The winner ends as a run of the same recipe does that was never stopped.
    let alone = try RunFolder(creating: folder.file("alone"), recipe: best.trial.recipe)
    try Trainer(run: alone, sets: [faces()], observers: [MetricsFile(run: alone)]).run(shouldStop: { false })
    let winner = try RunFolder(opening: search.run(of: best.trial))
    #expect(try winner.checkpointTensors == alone.checkpointTensors && winner.metricsRows == alone.metricsRows)
    #expect(best.record?.score == (try RunResult(of: alone)).map { Selection().score(of: $0.best) })
  }

  @Test(arguments: [1, 4, 8, 14]) func aStoppedSearchGoesOnToTheSameTable(steps: Int) throws {
    let whole = try run(start("whole", .halving, rates, firstEpochs: 1))
    let broken = try run(start("broken", .halving, rates, firstEpochs: 1), stopAfter: steps)
    #expect(!broken.isFinished && !broken.folder.isFinished && broken.folder.best == nil)
    let resumed = try run(TuningFolder(opening: broken.folder.url))
    #expect(resumed.isFinished && timeless(resumed.folder) == timeless(whole.folder))
    let total = whole.steps.values.reduce(0, +)
    #expect(broken.steps.values.reduce(0, +) == steps && resumed.steps.values.reduce(0, +) == total - steps)
    #expect(try run(TuningFolder(opening: broken.folder.url)).steps.isEmpty, "nothing is left to train")
  }

  @Test func aDivergingTrialIsRecordedAndPassedOver() throws {
    let search = ["optimizer.learningRate=1e30,0.05", "optimizer.gradientClip=0"]
    let (found, isFinished, _) = try run(start("diverging", .halving, search, firstEpochs: 1))
    #expect(isFinished)
    #expect(found.standings.map(\.state) == [TuningFolder.State.finished, .diverged] && found.best?.trial.number == 2)
    let record = try #require(found.records.first)
    #expect(record.outcome == .diverged && record.score == nil && record.message?.contains("at step") == true)
    // Where all diverge there is no best one.
    let none = try run(start("none", .grid, ["optimizer.learningRate=1e30", "optimizer.gradientClip=0"]))
    #expect(none.isFinished && none.folder.best == nil)
  }

  @Test func aNetworkThatCannotBeBuiltIsRecorded() throws {
    let options = ["model.options={}", "model.architecture=chen"]
    let search = ["model.options.kernels=[5, 5, 25],[5, 3, 3]"]
    let (found, isFinished, _) = try run(start("built", .grid, search, epochs: 1, settings: options))
    #expect(isFinished && found.standings.map(\.state) == [TuningFolder.State.finished, .failed])
    #expect(found.standings[1].record?.message?.contains("too small") == true)
  }

  @Test func foldsAreTrainedForEachTrialAndAveraged() throws {
    let settings = ["split={train: 0.8, test: 0.2}", "folds.count=2"]
    let (found, _, steps) = try run(
      start("folds", .halving, ["optimizer.learningRate=0.0001,0.05"], epochs: 2, settings: settings, firstEpochs: 1))
    #expect(Set(steps.keys) == Set((1...2).flatMap { ["trial-\($0) fold-1", "trial-\($0) fold-2"] }))
    let best = try #require(found.best)
    #expect(best.record?.bestEpochs.count == 2 && best.record?.standardDeviation != nil)
    let url = found.run(of: best.trial)
    let results = try ["fold-1", "fold-2"].map { name in
      try #require(try RunResult(of: RunFolder(opening: url.appendingPathComponent(name))))
    }
    let scores = results.map { Selection().score(of: $0.best) }
    #expect(best.record?.score == (scores[0] + scores[1]) / 2)
    let summary = try Data(contentsOf: url.appendingPathComponent("summary.json"))
    #expect(
      try JSONDecoder().decode(SeriesSummary.self, from: summary)
        == SeriesSummary(
          zip(["fold-1", "fold-2"], results).map { (name: $0, result: $1) }))
  }

  @Test func foldersOfOthersAreRefused() throws {
    let search = try start("mine", .grid, ["batchSize=8,16"])
    #expect(throws: MienError.self) { try TuningFolder(creating: search.url, plan: search.plan) }
    let none = #expect(throws: MienError.self) { try TuningFolder(opening: folder.file("none")) }
    #expect(none?.description.contains("holds no search") == true)
    try Data("{}\n".utf8).write(to: search.url.appendingPathComponent("trials.jsonl"))
    let damaged = #expect(throws: MienError.self) { try TuningFolder(opening: search.url) }
    #expect(damaged?.subject?.hasSuffix("trials.jsonl:1") == true)
  }

  @Test func aRecordOfNoRungIsRefused() throws {
    let search = try start("rungs", .grid, ["batchSize=8,16"])
    for rung in [-1, 0, 1, 2] {
      let line = """
        {"trial":1,"rung":\(rung),"settings":{},"outcome":"trained","epochs":1,"bestEpochs":[1],"figures":{},"seconds":1}
        """
      try Data(line.utf8).write(to: search.url.appendingPathComponent("trials.jsonl"))
      if rung == 1 {
        #expect(try TuningFolder(opening: search.url).standings.first?.state == .finished)
      } else {
        let error = #expect(throws: MienError.self) { try TuningFolder(opening: search.url) }
        #expect(error?.subject?.hasSuffix("trials.jsonl:1") == true)
      }
    }
  }

  @Test(arguments: [
    ("\"eta\" : 0", "--eta: expected at least 2, found 0"), ("\"eta\" : 1", "--eta: expected at least 2, found 1"),
    ("\"draws\" : -1, \"eta\" : 2", "--trials: expected 1 to 10,000, found -1"),
    ("\"draws\" : 0, \"eta\" : 2", "--trials: expected 1 to 10,000, found 0"),
  ])
  func aDamagedPlanIsRefused(part: String, what: String) throws {
    let search = try start("damaged", .halving, rates, firstEpochs: 1)
    let file = search.url.appendingPathComponent("tune.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try #require(text.contains("\"eta\" : 2"))
    try Data(text.replacing("\"eta\" : 2", with: part).utf8).write(to: file)
    let error = #expect(throws: MienError.self) { try TuningFolder(opening: search.url) }
    #expect(error?.subject == file.path && error?.message == what)
  }
}
