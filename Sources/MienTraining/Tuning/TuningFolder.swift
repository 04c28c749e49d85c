public import Foundation
import MienCore
public import MienRuns

/// A search on disk: its plan (`tune.json`), what its trials came to (`trials.jsonl`), and a run folder a trial.
public struct TuningFolder: Sendable {
  /// Where a trial stands.
  public typealias State = SearchResults.State

  /// A trial and how it did.
  public struct Standing: Sendable {
    /// The trial.
    public let trial: TuningPlan.Trial
    /// Its last record; nil where it has none.
    public let record: TrialRecord?
    /// Where it stands.
    public let state: State
  }

  /// The folder.
  public let url: URL
  /// The search.
  public let plan: TuningPlan
  /// The trials.
  public let trials: [TuningPlan.Trial]
  /// What they came to, in the order it was found out.
  public private(set) var records: [TrialRecord]

  private var planFile: URL { url.appendingPathComponent("tune.json") }
  private var recordsFile: URL { url.appendingPathComponent("trials.jsonl") }

  /// Creates the folder of a new search.
  ///
  /// - Throws: ``MienError`` where it holds a search already, or cannot be written.
  public init(creating url: URL, plan: TuningPlan) throws {
    (self.url, self.plan, records) = (url, plan, [])
    trials = try plan.trials()
    guard !FileManager.default.fileExists(atPath: planFile.path) else {
      throw MienError(.file, url.relativePath, "holds a search already; go on with --resume, or choose another folder")
    }
    try Folders.make(url)
    try AtomicFile.write(try JSONText.document(plan), to: planFile)
  }

  /// The search in the folder `url`; `nil` if it holds none.
  ///
  /// - Throws: ``MienError`` if a file is damaged.
  public static func search(_ url: URL) throws -> TuningFolder? {
    FileManager.default.fileExists(atPath: url.appendingPathComponent("tune.json").path)
      ? try TuningFolder(opening: url) : nil
  }

  /// Opens the folder of an earlier search.
  ///
  /// - Throws: ``MienError`` where it holds none, or a file is damaged.
  public init(opening url: URL) throws {
    self.url = url
    let planFile = url.appendingPathComponent("tune.json")
    guard let data = try? Data(contentsOf: planFile) else {
      throw MienError(.file, url.relativePath, "holds no search: it has no tune.json")
    }
    struct Version: Decodable { let format: Int }
    let decoder = JSONDecoder()
    if let version = try? decoder.decode(Version.self, from: data), version.format != TuningPlan.currentFormat {
      throw MienError(
        .format, planFile.relativePath,
        "search of format \(version.format), this version reads \(TuningPlan.currentFormat)")
    }
    do {
      plan = try decoder.decode(TuningPlan.self, from: data)
      trials = try plan.trials()
    } catch let error as MienError {
      throw MienError(.format, planFile.relativePath, error.description)
    } catch {
      throw MienError(.format, planFile.relativePath, "is no plan of a search")
    }
    records = []
    let lines = (try? Data(contentsOf: recordsFile)) ?? Data()
    for (index, line) in lines.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard let record = try? decoder.decode(TrialRecord.self, from: line),
        (1...trials.count).contains(record.trial), (1...rungs.count).contains(record.rung)
      else {
        throw MienError(.format, "\(recordsFile.relativePath):\(index + 1)", "is no record of this search's trials")
      }
      records.append(record)
    }
  }

  /// The run folder of a trial.
  public func run(of trial: TuningPlan.Trial) -> URL { url.appendingPathComponent(trial.name) }

  /// The file whose lock a process holds while it trains a trial.
  func lock(of trial: TuningPlan.Trial) -> URL { url.appendingPathComponent(".\(trial.name).lock") }

  /// Adds a record, on the disk too, to those of all processes.
  mutating func add(_ record: TrialRecord) throws {
    // Others hold it for a moment only.
    let lock = try FileLock(url.appendingPathComponent(".trials.lock"), mode: 0o644, waits: true)
    defer { withExtendedLifetime(lock) {} }
    self = try TuningFolder(opening: url)
    let lines = try (records + [record]).map { try JSONText.line($0) + Data("\n".utf8) }
    try AtomicFile.write(to: recordsFile, chunks: lines)
    records.append(record)
  }

  /// After how many epochs trials are held against each other; nil for the recipe's last.
  public var rungs: [Int?] { plan.rungs(trialCount: trials.count) }

  /// What `trial` came to at `rung`, both from 1.
  func record(_ trial: Int, rung: Int) -> TrialRecord? { records.first { $0.trial == trial && $0.rung == rung } }

  /// The numbers of the trials that are trained to each rung; the rungs after the first that is not done are left out.
  package var entrants: [[Int]] {
    var all = [trials.map(\.number)]
    for rung in 1..<max(2, rungs.count + 1) {
      let entered = all[rung - 1].map { record($0, rung: rung) }
      guard rung < rungs.count, !entered.contains(nil) else { break }
      let ranked = entered.compactMap(\.self).filter { $0.score != nil }.sorted(by: Self.isBetter)
      all.append(ranked.prefix(max(1, all[rung - 1].count / plan.eta)).map(\.trial).sorted())
    }
    return all
  }

  /// Whether nothing is left to train.
  public var isFinished: Bool {
    let entrants = entrants
    return entrants.count == rungs.count
      && entrants.enumerated().allSatisfy { rung, trials in trials.allSatisfy { record($0, rung: rung + 1) != nil } }
  }

  /// All trials: those trained furthest first, and of them the one with the best score; at the end those without one.
  public var standings: [Standing] {
    let entrants = entrants
    let standings = trials.map { trial -> Standing in
      let record = records.last { $0.trial == trial.number }
      let state: State =
        switch record?.outcome {
        case .diverged: .diverged
        case .failed: .failed
        case nil: .open
        case .trained:
          record?.rung == rungs.count
            ? .finished
            : entrants.count > (record?.rung ?? 0) && !entrants[record?.rung ?? 0].contains(trial.number)
              ? .stopped : .open
        }
      return Standing(trial: trial, record: record, state: state)
    }
    let ranked = standings.filter { $0.record?.score != nil }.sorted { a, b in
      guard let first = a.record, let second = b.record else { return false }
      return first.rung == second.rung ? Self.isBetter(first, second) : first.rung > second.rung
    }
    return ranked + standings.filter { $0.record?.score == nil }
  }

  /// The best trial of those trained to the end; nil where there is none yet.
  public var best: Standing? { standings.first.flatMap { $0.state == .finished ? $0 : nil } }

  /// The search as its table and page show it.
  public var results: SearchResults {
    let recipe = plan.recipe
    let selection = recipe.selection
    let hasFolds = recipe.folds.isOn && recipe.folds.fold == 0
    return SearchResults(
      name: plan.recipe.name, folder: url, data: plan.data,
      method: plan.method.rawValue + (plan.draws.map { ", \($0) draws of seed \(plan.seed)" } ?? ""),
      keys: plan.axes.map { (name: $0.key, text: $0.plainText) }, rungs: rungs.map { $0 ?? plan.recipe.epochs },
      repeats: (hasFolds ? ["folds"] : []) + (recipe.seeds.count > 1 ? ["seeds"] : []), isFinished: isFinished,
      figure: selection.metric, head: selection.head,
      trials: standings.map { standing in
        let (trial, last) = (standing.trial, standing.record)
        return SearchResults.Trial(
          number: trial.number, name: trial.name, folder: run(of: trial), values: trial.values.map(\.plainText),
          state: standing.state, epochs: last?.epochs ?? 0, bestEpochs: last?.bestEpochs ?? [], score: last?.score,
          deviation: last?.standardDeviation, firstScore: record(trial.number, rung: 1)?.score,
          message: last?.message)
      })
  }

  /// Higher score first; of equals, the lower number.
  private static func isBetter(_ a: TrialRecord, _ b: TrialRecord) -> Bool {
    (-(a.score ?? -.infinity), a.trial) < (-(b.score ?? -.infinity), b.trial)
  }
}
