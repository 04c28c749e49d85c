import Foundation
import MienCore
import MienTestSupport
import MienTraining
import Testing

/// What a search tries.
@Suite struct SearchSpaceTests {
  private func plan(
    _ search: [String], _ method: TuningPlan.Method = .grid, draws: Int? = nil, epochs: Int = 2, eta: Int = 3,
    firstEpochs: Int? = nil, seed: UInt64 = 1, settings: [String] = []
  ) throws -> TuningPlan {
    let set = try DrawnFaces.set(count: 28, split: { $0 < 14 ? .train : .validation })
    return try TuningPlan(
      recipe: DrawnFaces.recipe(epochs: epochs, settings: settings), method: method,
      axes: search.map(SearchAxis.init(option:)), draws: draws, eta: eta, firstEpochs: firstEpochs, seed: seed,
      sets: [set])
  }

  private func values(_ plan: TuningPlan) throws -> [[String]] {
    try plan.trials().map { $0.values.map(\.plainText) }
  }

  @Test func aGridIsEveryCombinationOfLists() throws {
    let plan = try plan([
      "batchSize=8,16", "optimizer.name=sgd,adam", "model.options.widths=[4, 8],[8, 12]",
    ])
    let trials = try plan.trials()
    #expect(trials.map(\.number) == Array(1...8))
    #expect(try Set(values(plan)).count == 8)
    #expect(try values(plan)[5] == ["16", "sgd", "[8,12]"])
    #expect(trials[5].recipe.batchSize == 16 && trials[5].recipe.optimizer.name == .sgd)
    #expect(trials[5].recipe.optimizer.learningRate == 0.05, "what is not searched stays as in the recipe")
    #expect(trials[5].recipe.model.options != trials[4].recipe.model.options)
  }

  /// A file's list reaches the axis as JSON.
  @Test(arguments: [
    (#"a="relu","leakyReLU""#, "relu,leakyReLU"), ("a=relu, gelu", "relu,gelu"), ("a=[4, 8],[8, 12]", "[4, 8],[8, 12]"),
    ("a=log:1e-4..1e-1", "log:1e-4..1e-1"), ("a=0.10,1e30", "0.10,1e30"),
  ])
  func wordsAreShownWithoutQuotes(option: String, text: String) throws {
    #expect(try SearchAxis(option: option).plainText == text)
  }

  @Test func drawsStayInTheirRangesAndFollowTheSeed() throws {
    let search = ["optimizer.learningRate=log:1e-4..1e-1", "model.options.dropout=0.2..0.6", "batchSize=8..11"]
    let one = try plan(search, .random, draws: 200)
    let rates = try one.trials().map(\.recipe.optimizer.learningRate)
    #expect(rates.allSatisfy { (1e-4...1e-1).contains($0) })
    // A third of the draws in each decade: 67 expected, and 3 deviations are 20.
    for (low, high) in [(1e-4, 1e-3), (1e-3, 1e-2), (1e-2, 1e-1)] {
      #expect((47...87).contains(rates.count { (low..<high).contains($0) }))
    }
    #expect(try Set(values(one).map { $0[2] }) == ["8", "9", "10", "11"])
    let dropouts = try values(one).compactMap { Double($0[1]) }
    #expect(dropouts.allSatisfy { (0.2...0.6).contains($0) } && dropouts.contains { $0 < 0.25 })
    let decays = try plan(["averageDecay=0.999..0.99999"], .random, draws: 200).trials().map(\.recipe.averageDecay)
    #expect(decays.allSatisfy { (0.999...0.99999).contains($0) } && Set(decays).count > 190)
    #expect(try values(plan(search, .random, draws: 200)) == values(one))
    #expect(try values(plan(search, .random, draws: 200, seed: 2)) != values(one))
    // More draws begin with the same ones.
    #expect(try Array(values(plan(search, .random, draws: 300)).prefix(200)) == values(one))
  }

  @Test func halvingEndsWithAFewAndStopsTheFirstEarly() throws {
    let rungs = { (plan: TuningPlan, count: Int) in plan.rungs(trialCount: count) }
    let search = ["batchSize=4,8,16"]
    #expect(try rungs(plan(search, .halving, epochs: 27), 9) == [3, 9, nil])
    #expect(try rungs(plan(search, .halving, epochs: 27), 100) == [1, 3, 9, nil])
    #expect(try rungs(plan(search, .halving, epochs: 20, eta: 2, firstEpochs: 4), 9) == [4, 8, 16, nil])
    #expect(try rungs(plan(search, epochs: 27), 9) == [nil])
    #expect(try rungs(plan(search, .halving, epochs: 3, eta: .max, firstEpochs: 2), 3) == [2, nil])
  }

  @Test(arguments: ["seed=1..9223372036854775807", "seed=log:1..9223372036854775807"])
  func wholeNumbersMayBeAsLargeAsTheyCome(search: String) throws {
    let seeds = try plan([search], .random, draws: 100).trials().map(\.recipe.seed)
    #expect(seeds.allSatisfy { (1...UInt64(Int.max)).contains($0) } && seeds.contains { $0 > 1 << 53 })
  }

  @Test func copiesThatAreMeasuredMustBeTheSame() throws {
    let folds = ["folds.count=2"]
    for (search, settings) in [
      ("balance.when=beforeSplit,afterSplit", folds), ("balance={when: none},{when: beforeSplit}", folds),
      ("balance.rotationDegrees=5,10", folds + ["balance.when=beforeSplit"]),
    ] {
      let error = #expect(throws: MienError.self) { try plan([search], settings: settings) }
      #expect(error?.description.contains("trials must share it") == true, "\(String(describing: error))")
    }
    // Copies of training faces alone leave the measured ones as they are.
    #expect(try values(plan(["balance.when=none,afterSplit"], settings: folds)).count == 2)
    #expect(try values(plan(["batchSize=8,16"], settings: folds + ["balance.when=beforeSplit"])).count == 2)
  }

  @Test func anUnknownKeyNamesTheNearest() {
    for (search, near) in [
      ("optimizer.learningRte=0.1", "did you mean optimizer.learningRate?"),
      ("model.options.width=[4, 8]", "did you mean model.options.widths?"),
    ] {
      let error = #expect(throws: MienError.self) { try plan([search]) }
      #expect(error?.description.contains(near) == true && error?.description.contains("--search") == true)
      #expect(error?.kind == .argument)
    }
  }

  @Test(arguments: [
    (["batchSize"], "KEY=VALUES"), (["batchSize=8,8"], "without repeats"), (["batchSize=16..8"], "LOW below HIGH"),
    (["optimizer.learningRate=log:0..1"], "above 0"), (["optimizer.learningRate=log:0.1,0.2"], "a range"),
    (["seed=1..9223372036854775808"], "whole numbers from"),
    (["optimizer.learningRate=-1e308..1e308"], "too far apart"),
    (["batchSize="], "a list"), (["batchSize=8", "batchSize=16"], "is given twice"),
    (["split.train=0.5,0.7"], "trials must share it"), (["optimizer.learningRate=-1,1"], "must be above 0"),
    (["optimizer.learningRate=.nan,0.1"], "must be a number"),
    (["optimizer.learningRate=0.1..0.2"], "a range needs --trials N"), ([], "nothing to search"),
  ])
  func whatCannotBeSearchedIsRefused(search: [String], what: String) {
    let error = #expect(throws: MienError.self) { try plan(search) }
    #expect(error?.description.contains(what) == true, "\(String(describing: error))")
  }

  @Test func moreDrawsThanCombinationsAreRefused() throws {
    let error = #expect(throws: MienError.self) { try plan(["batchSize=8,16"], .random, draws: 3) }
    #expect(error?.description.contains("only 2 combinations") == true)
    #expect(try values(plan(["batchSize=8,16"], .random, draws: 2)).count == 2)
    #expect(throws: MienError.self) { try plan(["epochs=2,4"], .halving) }
  }

  @Test func aFileHoldsTheSameSpace() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("space.yaml")
    let text = """
      optimizer.learningRate: log:1e-4..1e-1
      batchSize: [8, 16]
      optimizer.name: [sgd, adam]
      model.options.widths: [[4, 8], [8, 12]]
      """
    try Data(text.utf8).write(to: file)
    let options = [
      "optimizer.learningRate=log:1e-4..1e-1", "batchSize=8,16", "optimizer.name=sgd,adam",
      "model.options.widths=[4, 8],[8, 12]",
    ]
    let set = try DrawnFaces.set(count: 28, split: { $0 < 14 ? .train : .validation })
    let read = try TuningPlan(
      recipe: DrawnFaces.recipe(epochs: 2), method: .random, axes: SearchAxis.read(file), draws: 20, sets: [set])
    #expect(try values(read) == values(plan(options, .random, draws: 20)))
    try Data("- batchSize".utf8).write(to: file)
    let error = #expect(throws: MienError.self) { try SearchAxis.read(file) }
    #expect(error?.subject == file.path)
  }
}
