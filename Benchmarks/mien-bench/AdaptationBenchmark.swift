import ArgumentParser
import Foundation
import MienAdaptation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX
import MienReports

extension AdaptationTrials.Part: ExpressibleByArgument {}
extension AdaptationTrials.Drawn: ExpressibleByArgument {}

/// `mien-bench adaptation --data FACES --keep FACES`: what corrections from some people do for others.
struct AdaptationBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adaptation",
    abstract: "Measures what corrections of some people's faces do for the reading of others.",
    discussion: """
      Each draw takes corrections from half of the people and reads the faces of the other half; the faces of --keep, of \
      the setting that the model comes from, are read too. A third of the people (--people tuning) is for choosing \
      settings, the others are for reporting.
      """)

  @Option(help: ArgumentHelp("Faces of the new setting, with people and clips.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: ArgumentHelp("Faces on which accuracy must not fall.", valueName: "faces.safetensors"))
  var keep: String

  @Option(help: "The part of the kept faces.")
  var keepSplit = Split.Choice.validation

  @Option(help: ArgumentHelp("Kept faces at most; without it, all.", valueName: "n"))
  var keepLimit: Int?

  @Option(parsing: .upToNextOption, help: "Numbers of corrections.")
  var counts = [5, 10, 25, 50]

  @Option(help: "How many draws.")
  var draws = 20

  @Option(help: "The seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "Which of the people.")
  var people = AdaptationTrials.Part.reporting

  @Option(help: "What is corrected: any face, or only faces that the model reads wrongly.")
  var drawn = AdaptationTrials.Drawn.any

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("How far ordinary readings may change, in nats a face.", valueName: "nats"))
  var budgets = [HeadAdaptation.defaultBudget]

  @Option(help: ArgumentHelp("Write every draw as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write a chart, with one budget only.", valueName: "file.svg"))
  var svg: String?

  @OptionGroup var model: ModelOptions

  func validate() throws {
    guard draws > 0, counts.allSatisfy({ $0 > 0 }) else { throw ValidationError("--draws and --counts are above 0.") }
    guard model.profile == nil else { throw ValidationError("--profile has no place here.") }
    guard svg == nil || budgets.count == 1 else { throw ValidationError("--svg takes one budget.") }
  }

  func run() async throws {
    try ResultFile.check(["--json": json, "--svg": svg], inputs: [data, keep, model.model.name])
    let file = try model.file()
    let classifier = try model.classifier(of: file)
    guard let reference = try model.naming({ try file.embeddingReference() }) else {
      throw MienError(.mismatch, classifier.card.name, "has no averages of embeddings: see `mien reference`")
    }
    let original = try model.naming { try file.linearHead(for: classifier.widestLabels) }
    let faces = try await embedded(data, classifier, split: nil, limit: nil)
    guard faces.subjects.count == faces.emotions.count else {
      throw MienError(.mismatch, data, "does not say who each face shows")
    }
    let kept = try await embedded(keep, classifier, split: keepSplit.split, limit: keepLimit)
    var all: [Series] = []
    for budget in budgets {
      let trials = AdaptationTrials(
        faces: faces, guardFaces: kept,
        adaptation: try HeadAdaptation(original: original, reference: reference, divergenceBudget: budget), seed: seed)
      var draws: [[AdaptationTrials.Outcome]] = []
      for draw in 0..<self.draws {
        try Task.checkCancellation()
        draws.append(try trials.outcomes(draw: draw, people, drawn, counts: counts))
      }
      let series = Series(budget: budget, counts: counts, draws: draws)
      all.append(series)
      if json != "-" {
        try Console.print(
          "\(people.rawValue): \(trials.people(people).count) people, \(self.draws) draws of \(drawn.rawValue) faces, "
            + "budget \(budget) nats, seed \(seed); \(kept.emotions.count) kept faces")
        try Console.print(series.table.text + "\n")
      }
    }
    if let svg, let series = all.first {
      try ResultFile.write(Data(series.chart.document.utf8), to: svg)
    }
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
      try ResultFile.write(try encoder.encode(all) + Data("\n".utf8), to: json)
    }
  }

  private func embedded(
    _ path: String, _ classifier: EmotionClassifier, split: Split?, limit: Int?
  ) async throws -> EmbeddedFaces {
    let faces = try FaceSet.given(path)
    do {
      return try await EmbeddedFaces(classifier, faces, faces.labelSource(named: nil), split: split, limit: limit)
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(path)
    }
  }

  /// The draws of one budget.
  private struct Series: Encodable {
    let budget: Double
    let counts: [Int]
    /// By draw, then by count.
    let draws: [[AdaptationTrials.Outcome]]

    private func mean(_ place: Int, _ value: (AdaptationTrials.Outcome) -> Double) -> TrialMean {
      TrialMean(draws.map { value($0[place]) })
    }

    var table: TextTable {
      var table = TextTable(header: [
        "corrections", "others, before", "after", "gain", "data's classes, before", "after", "gain", "kept, before",
        "change", "worst draw",
      ])
      for (place, count) in counts.enumerated() {
        let given = mean(place) { Double($0.corrections) }.mean
        let worst = draws.map { $0[place].guardAfter - $0[place].guardBefore }.min() ?? 0
        table.add([
          given == Double(count) ? "\(count)" : "\(count) (\(NumberText.fixed(given, 1)) on average)",
          percent(mean(place, \.before).mean), percent(mean(place, \.after).mean),
          points(mean(place) { $0.after - $0.before }),
          percent(mean(place, \.sharedBefore).mean), percent(mean(place, \.sharedAfter).mean),
          points(mean(place) { $0.sharedAfter - $0.sharedBefore }),
          percent(mean(place, \.guardBefore).mean), points(mean(place) { $0.guardAfter - $0.guardBefore }),
          String(format: "%+.2f", 100 * worst),
        ])
      }
      return table
    }

    private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
    private func points(_ change: TrialMean) -> String {
      String(format: "%+.2f ± %.2f", 100 * change.mean, 100 * change.margin)
    }

    var chart: Drawing {
      func line(
        _ name: String, _ value: @escaping (AdaptationTrials.Outcome) -> Double, _ start: Double
      )
        -> LineChart.Series
      {
        .init(
          name: name,
          points: [.init(0, start)] + counts.enumerated().map { .init(Double($1), mean($0, value).mean) })
      }
      return LineChart(
        title: "Accuracy after corrections", xTitle: "corrections", yTitle: "accuracy",
        series: [
          line("others' accuracy", \.after, mean(0, \.before).mean),
          line("among data's classes", \.sharedAfter, mean(0, \.sharedBefore).mean),
          line("kept faces", \.guardAfter, mean(0, \.guardBefore).mean),
        ], isPercent: true
      ).drawing
    }
  }
}
