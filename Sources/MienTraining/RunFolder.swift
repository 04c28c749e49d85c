public import Foundation
import Glibc
import MienCore
public import MienRuns

/// A training run on disk: `recipe.yaml`, `metrics.csv`, `checkpoints/{last,best}.safetensors`, and `result.json` when
/// it is finished. A recipe with folds or seeds has a run folder for each inside, and their summary.
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL
  /// What is trained.
  public let recipe: Recipe

  /// Creates the folder for a new run.
  ///
  /// - Throws: ``MienError`` where it exists and holds a run already, or cannot be written.
  public init(creating url: URL, recipe: Recipe) throws {
    self.url = url
    self.recipe = recipe
    guard !Self.exists(at: url) else {
      throw MienError(
        .file, url.relativePath, "holds a run already; continue it with --resume, or choose another folder")
    }
    try Folders.make(recipe.isSeries ? url : url.appendingPathComponent("checkpoints"))
    try AtomicFile.write(Data(try RecipeFile.text(of: recipe).utf8), to: recipeFile)
  }

  /// Opens the folder of an earlier run.
  ///
  /// - Throws: ``MienError`` where it holds none.
  public init(opening url: URL) throws {
    self.url = url
    guard Self.exists(at: url) else {
      let isThere = FileManager.default.fileExists(atPath: url.path)
      throw isThere
        ? MienError(.file, url.relativePath, "is not a run folder: it has no recipe.yaml")
        : MienError(.missing, url.relativePath, "no such run folder")
    }
    recipe = try RecipeFile.read(RunFiles(url).recipe)
  }

  /// Opens the run of `recipe` in `url`, or creates it.
  ///
  /// - Parameter refusal: what to say where the folder holds a run of another recipe.
  /// - Throws: ``MienError`` where it does, or cannot be read or written.
  init(at url: URL, recipe: Recipe, refusal: String) throws {
    guard Self.exists(at: url) else {
      try self.init(creating: url, recipe: recipe)
      return
    }
    try self.init(opening: url)
    guard self.recipe == recipe else { throw MienError(.mismatch, url.relativePath, refusal) }
  }

  /// Whether `url` holds a run.
  static func exists(at url: URL) -> Bool {
    FileManager.default.fileExists(atPath: RunFiles(url).recipe.path)
  }

  /// Where runs go: `$MIEN_RUNS`, or `~/mien-runs`.
  public static var root: URL { Folders.runs() }

  /// `$MIEN_RUNS/NAME-DATE`, or the same under `~/mien-runs`.
  public static func fresh(named name: String, now: Date = Date()) -> URL {
    let stamp = now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted)).filter {
      (character: Character) in character != "Z"
    }
    return root.appendingPathComponent("\(name)-\(stamp)")
  }

  /// Takes back what ``init(creating:recipe:)`` made, where nothing was trained; what else lies there stays.
  public func abandon() {
    guard !FileManager.default.fileExists(atPath: lastCheckpoint.path) else { return }
    for file in [recipeFile, url.appendingPathComponent(RunLock.name)] { unlink(file.path) }
    // A folder that holds something is not removed.
    for folder in [lastCheckpoint.deletingLastPathComponent(), url] { rmdir(folder.path) }
  }

  /// Where its files lie.
  public var files: RunFiles { RunFiles(url) }
  var recipeFile: URL { files.recipe }
  /// One row per epoch.
  public var metricsFile: URL { files.metrics }
  /// What the run came to, once it is finished.
  public var resultFile: URL { files.result }
  /// The newest state, to resume from.
  public var lastCheckpoint: URL { files.lastCheckpoint }
  /// The best epoch's weights, to export.
  public var bestCheckpoint: URL { files.bestCheckpoint }

  /// What reports say of the run but its figures.
  ///
  /// - Throws: ``MienError`` if the recipe cannot be written as YAML.
  public func description() throws -> RunDescription {
    RunDescription(
      name: recipe.name, summary: recipe.summary, seed: recipe.seed, recipe: try RecipeFile.text(of: recipe),
      hasCopies: recipe.balance.when != .none, keepsLast: recipe.selection.last)
  }

  /// Removes half-written files of a process that was killed. Only who holds the folder's lock may.
  func removeLeftovers() {
    for folder in [url, lastCheckpoint.deletingLastPathComponent()] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for name in names where name.hasPrefix(".") && name.hasSuffix(".tmp") {
        try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
    }
  }
}

extension RunFolder {
  /// Refuses sets that the run was not trained on: its recipe would deal them out otherwise.
  ///
  /// - Parameter data: what the run noted down of its data.
  /// - Throws: ``MienError`` (kind `mismatch`) that says what the run was trained on.
  func check(_ sets: [FaceSet], against data: [ModelCard.TrainingData]) throws {
    // Sets that cannot be dealt out as the recipe says are others.
    let dealt = try? recipe.dealt(sets.flatMap(\.splitFaces))
    let origins = try dealt.map { try recipe.origins(of: sets, dealt: $0) } ?? []
    guard data.elementsEqual(origins, by: { $0.isSame(as: $1) }) else { throw otherData(data, than: origins, of: sets) }
  }

  /// The error that the run was trained on `data` and not on what was given.
  ///
  /// - Parameters:
  ///   - found: the faces of `sets` that the run would be trained on; empty if they cannot be dealt out as its recipe says.
  ///   - sets: what was given.
  func otherData(
    _ data: [ModelCard.TrainingData], than found: [ModelCard.TrainingData], of sets: [FaceSet]
  ) -> MienError {
    func text(_ data: [ModelCard.TrainingData]) -> String {
      data.map { "\(Spelling.counted($0.count, "face")) of the set `\($0.source)`, \($0.split)" }.joined(
        separator: " and ")
    }
    func difference() -> String {
      guard !found.isEmpty else {
        let given = sets.map { set in
          let parts = Split.allCases.map { "\(set.indices(in: $0).count.grouped) \($0.rawValue)" }
          return "the set `\(set.info.source)` with \(parts.joined(separator: ", "))"
        }
        return "these, \(given.joined(separator: " and ")), cannot be split as the run's recipe says"
      }
      guard text(found) == text(data) else { return "these give \(text(found))" }
      func names(_ data: [ModelCard.TrainingData]) -> String { data.first?.labels.joined(separator: ", ") ?? "" }
      guard names(found) == names(data) else { return "with the labels \(names(data)), these with \(names(found))" }
      func hashes(_ data: [ModelCard.TrainingData]) -> String {
        data.map { String(($0.picturesHash ?? "unknown").prefix(8)) }.joined(separator: ", ")
      }
      return "these give as many, but other pictures (hash \(hashes(found)) instead of \(hashes(data)))"
    }
    return MienError(
      .mismatch, url.relativePath, "the run was trained on other data than these: on \(text(data)); \(difference())")
  }
}

extension RunResult {
  /// The result of `run`; nil if it is not finished.
  ///
  /// - Throws: ``MienError`` if the file is damaged.
  public init?(of run: RunFolder) throws {
    guard let result = try RunResult(in: run.files) else { return nil }
    self = result
  }
}
