import Foundation
import MienCore
import MienReports
import MienRuns
import MienTestSupport
import Testing

@Suite struct ComparisonTests {
  private func model(_ name: String, seed: UInt64, indices: [Int]? = nil) throws -> Comparison.Model {
    let metrics = try Samples.metrics(count: 210, seed: seed)
    return try .init(
      name: name, predictions: Predictions(indices: indices ?? Array(0..<210), metrics: metrics))
  }

  @Test func runsAreReadWithColumnsThatAreNotKnown() throws {
    let run = try RunMetrics(csv: Samples.csv, name: "r")
    #expect(run.heads == ["ferplus"] && run.epochCount == 3)
    // Epochs 2 and 3 are equally good: the first counts.
    #expect(run.best?.epoch == 2 && run.atBest(.figure(.loss, head: "ferplus", part: .validation)) == 0.9)
    #expect(run.values(.figure(.loss, head: "ferplus", part: .validation)) == [1.25, 0.9, nil])
    #expect(run.columns.contains("moon_phase") && RunColumn(name: "moon_phase") == nil)
    #expect(run.seconds == 92)
    let windows = try RunMetrics(csv: Samples.csv.replacing("\n", with: "\r\n"), name: "r")
    #expect(windows.best == run.best)
    let plain = try RunMetrics(csv: "epoch,train_loss\n1,2\n2,1\n3,nan\n", name: "r")
    #expect(plain.best?.epoch == 2 && plain.heads.isEmpty)
  }

  @Test func theEpochThatTrainingKeptIsTheBest() throws {
    let folder = try TemporaryFolder()
    try Data(Samples.csv.utf8).write(to: folder.file("metrics.csv"))
    #expect(try RunMetrics(run: folder.url).best?.epoch == 2)
    // A recipe may choose by loss.
    let best = EpochResult(epoch: 1, step: 10, learningRate: 0.1, trainingLoss: 1, heads: [], seconds: 1)
    try RunResult(best: best, test: [], epochs: 3, stoppedEarly: false, data: []).write(to: RunFiles(folder.url))
    let run = try RunMetrics(run: folder.url)
    #expect(run.best?.epoch == 1 && run.best?.rule.contains("weights were saved") == true)
    #expect(run.atBest(.figure(.accuracy, head: "ferplus", part: .validation)) == 0.55)
  }

  @Test func runsWithOtherValidationFacesSaySo() throws {
    let (folder, faces) = (try TemporaryFolder(), try Samples.faces(count: 20))
    func run(_ name: String, validation: Range<Int>?) throws -> Comparison.Run {
      let url = folder.file(name)
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try Data(Samples.csv.utf8).write(to: RunFiles(url).metrics)
      let best = EpochResult(epoch: 1, step: 10, learningRate: 0.1, trainingLoss: 1, heads: [], seconds: 1)
      let parts = validation.map {
        [
          ModelCard.TrainingData(
            source: "s", split: name, count: $0.count, labels: [], picturesHash: faces.picturesHash(of: $0))
        ]
      }
      try RunResult(best: best, test: [], epochs: 3, stoppedEarly: false, data: [], validation: parts)
        .write(to: RunFiles(url))
      return .init(try RunMetrics(run: url))
    }
    let (one, same) = (try run("one", validation: 0..<10), try run("same", validation: 0..<10))
    let (other, old) = (try run("other", validation: 10..<20), try run("old", validation: nil))
    #expect(try Comparison(runs: [one, same, old], models: []).runCautions.isEmpty)
    #expect(try Comparison(runs: [old], models: []).runCautions.isEmpty)
    let comparison = try Comparison(runs: [old, one, same, other], models: [])
    #expect(comparison.runCautions.count == 1)
    #expect(comparison.runCautions.first?.hasPrefix("The validation faces of other are not those of one: ") == true)
    #expect(comparison.report(command: "mien compare").html.contains("The validation faces of other"))
  }

  @Test(arguments: ["", "a,b\n1,2\n", "epoch,a\n1\n", "epoch,a\nx,1\n", "epoch,a\n1.5,1\n", "epoch\n1e300\n"])
  func otherFilesAreRefused(csv: String) {
    #expect(throws: MienError.self) { try RunMetrics(csv: csv, name: "r") }
  }

  @Test func predictionsReadBackAsTheyWere() throws {
    let predictions = try Predictions(indices: Array(10..<220), metrics: Samples.metrics(count: 210))
    let read = try Predictions(csv: String(decoding: predictions.csv(), as: UTF8.self), name: "fer2013")
    #expect(read == predictions)
    #expect(try read.metrics() == Samples.metrics(count: 210))
  }

  @Test(arguments: [
    "", "index,label\n", "index,label,prediction,anger,joy\n", "index,label,prediction,anger\n",
    "index,label,prediction,anger,fear\n0,anger,anger,1\n", "index,label,prediction,anger,fear\n-1,anger,anger,1,0\n",
    "index,label,prediction,anger,fear\n0,sadness,anger,1,0\n",
    "index,label,prediction,anger,fear\n0,anger,anger,x,0\n",
    "index,label,prediction,anger,fear\n0,anger,anger,1,0\n0,fear,fear,0,1\n",
  ])
  func otherPredictionsAreRefused(csv: String) {
    #expect(throws: MienError.self) { try Predictions(csv: csv, name: "p") }
  }

  @Test func facesThatStandTwiceAreRefused() throws {
    let metrics = try Samples.metrics(count: 210)
    let error = #expect(throws: MienError.self) { try Predictions(indices: Array(0..<209) + [7], metrics: metrics) }
    #expect(error?.message == "face 7 stands twice")
  }

  @Test func modelsAreTestedOnTheFacesTheyShare() throws {
    let first = try model("a", seed: 1)
    let second = try model("b", seed: 2)
    let comparison = try Comparison(runs: [], models: [first, second, first])
    #expect(comparison.pairs.map { [$0.first, $0.second] } == [["a", "b"], ["a", "a"], ["b", "a"]])
    let test = comparison.pairs[0].test
    #expect(test.count == 210)
    #expect(abs(test.difference - (first.metrics.accuracy - second.metrics.accuracy)) < 1e-12)
    #expect(comparison.pairs[1].test.pValue == 1)
    // The same faces in another order and 14 others.
    let shifted = try model("c", seed: 2, indices: Array(14..<224))
    #expect(try Comparison(runs: [], models: [first, shifted]).pairs[0].test.count == 196)
  }

  @Test func facesThatDoNotMatchAreRefused() throws {
    let first = try model("a", seed: 1)
    let other = try model("b", seed: 1, indices: Array(1..<211))
    let error = #expect(throws: MienError.self) { try Comparison(runs: [], models: [first, other]) }
    #expect(error?.description.contains("face 1 is labelled") == true)
    let apart = try model("c", seed: 1, indices: Array(1000..<1210))
    #expect(throws: MienError.self) { try Comparison(runs: [], models: [first, apart]) }
  }

  @Test func pageAndJSONHoldWhatTheTablesSay() throws {
    let runs = try ["one", "</svg>"].map {
      Comparison.Run(try RunMetrics(csv: Samples.csv, name: $0), parameterCount: 7)
    }
    let comparison = try Comparison(runs: runs, models: [model("a", seed: 1), model("b", seed: 2)])
    let markup = try Markup(comparison.report(command: "mien compare").html)
    // Four curves of two runs, and recall by class.
    #expect(markup.all("svg", class: "wide").count == 5 && markup.all("table").count == 3)
    #expect(comparison.runTable?.rows.first?.contains("75.00 %") == true)
    #expect(comparison.runTable?.header.prefix(4) == ["run", "parameters", "epochs", "best epoch"])
    #expect(markup.texts("text").contains("Validation balanced accuracy, ferplus"))
    let bare = try Comparison(runs: [.init(RunMetrics(csv: Samples.csv, name: "one"))], models: [])
    #expect(bare.runTable?.header.contains("parameters") == false && bare.runTable?.header.first == "run")
    let json = try #require(try JSONSerialization.jsonObject(with: comparison.json()) as? [String: Any])
    let run = try #require((json["runs"] as? [[String: Any]])?.first)
    #expect(run["bestEpoch"] as? Int == 2 && run["parameters"] as? Int == 7)
    let pair = try #require((json["mcnemar"] as? [[String: Any]])?.first)
    #expect(abs((pair["pValue"] as? Double ?? 0) - comparison.pairs[0].test.pValue) < 1e-12)
    #expect(try Comparison(runs: runs, models: []).modelTable == nil)
  }

  @Test func peopleAreCountedAndNotTheirFaces() throws {
    // Ten people of 21 faces each.
    let rows = (0..<210).map { index in
      FaceSet.Row(
        label: LabelSet.fer2013.emotions[index % 7], split: .test, subject: "person \(index / 21)", sourceRow: index)
    }
    let faces = try FaceSet(
      source: "people", labelSet: .fer2013, height: 1, width: 1, channels: 1, rows: rows,
      pixels: Data((0..<210).map { UInt8($0) }))
    let models = try [("a", UInt64(1)), ("b", 2)].map { name, seed in
      try Comparison.Model(
        name: name, predictions: Predictions(indices: Array(0..<210), metrics: Samples.metrics(count: 210, seed: seed)),
        of: faces)
    }
    let comparison = try Comparison(runs: [], models: models, of: faces)
    #expect(comparison.pairs[0].test.unit == .person && comparison.cautions[0].contains("by person"))
    #expect(models[0].interval == models[0].metrics.accuracyInterval(faces.clusters(of: Array(0..<210))))
    let byFace = try Comparison(runs: [], models: models)
    #expect(byFace.pairs[0].test.unit == .face && byFace.cautions[0].hasPrefix("McNemar's exact"))
    #expect(String(decoding: try comparison.json(), as: UTF8.self).contains(#""unit" : "person""#))
  }

  @Test func modelsMeasuredOnWhatTheyKnowSaySo() throws {
    let faces = try Samples.faces(count: 210)
    let card = ModelCard(
      name: "m", summary: "", architecture: "", parameterCount: 1, preprocessing: .init(), framing: .init(),
      outputs: [],
      training: [
        .init(
          source: "else", split: "test", count: 210, labels: [],
          picturesHash: faces.picturesHash(of: faces.indices(in: .test)))
      ], seed: 1, epochs: 1, measurements: [], license: "")
    let metrics = try Samples.metrics(count: 210)
    let model = try Comparison.Model(
      name: "m", predictions: Predictions(indices: Array(0..<210), metrics: metrics), of: faces,
      overlap: DataOverlap(card, on: faces, measured: Array(0..<210), hits: metrics.hits))
    let comparison = try Comparison(runs: [], models: [model], of: faces)
    #expect(comparison.cautions.count == 1 && comparison.cautions[0].hasPrefix("m: All 210 measured faces"))
    #expect(comparison.report(command: "mien compare").html.contains("how well it remembers"))
  }
}
