import Foundation
public import MienCore
public import MienRuns
public import MienTorch

/// The runs of a recipe with `folds` or `seeds`: a run folder each, inside one that keeps their summary.
@TorchActor public final class RunSeries {
  private let folder: RunFolder
  private let sets: [FaceSet]
  private let members: [(name: String, recipe: Recipe)]

  /// A series in `folder`, begun or to be gone on with.
  ///
  /// - Throws: ``MienError`` where the recipe is for one run, or the data sets cannot be split as it says.
  public init(in folder: RunFolder, sets: [FaceSet]) throws {
    self.folder = folder
    self.sets = sets
    members = try folder.recipe.members(for: sets)
    guard !members.isEmpty else {
      throw MienError(.mismatch, folder.url.relativePath, "its recipe is for one run: it names no folds and no seeds")
    }
  }

  /// Trains every run that is not finished yet, and writes `summary.csv` and `summary.json`.
  ///
  /// - Parameters:
  ///   - observers: makes the observers of a run.
  ///   - shouldStop: asked after each step.
  /// - Returns: nil where it was stopped; then the series can be resumed.
  /// - Throws: ``MienError`` as ``Trainer`` does, and where a finished run was trained on other data.
  public func run(
    observers: (_ run: RunFolder, _ name: String) -> [any TrainingObserver], shouldStop: () -> Bool
  ) throws -> SeriesSummary? {
    let lock = try RunLock(folder.url)
    defer { withExtendedLifetime(lock) {} }
    var results: [(name: String, result: RunResult)] = []
    for (name, recipe) in members {
      let url = folder.url.appendingPathComponent(name)
      let isNew = !RunFolder.exists(at: url)
      let run = isNew ? try RunFolder(creating: url, recipe: recipe) : try RunFolder(opening: url)
      let result: RunResult?
      do {
        result = try Trainer.result(
          of: run, sets: sets, observers: { observers(run, name) }, shouldStop: shouldStop)
      } catch {
        // What could not begin leaves no folder behind.
        if isNew { run.abandon() }
        throw error
      }
      guard let result else { return nil }
      results.append((name, result))
    }
    let summary = SeriesSummary(results)
    try summary.write(to: folder.files)
    return summary
  }
}
