public import Foundation
import MienCore

/// A training run on disk: `recipe.yaml`, `metrics.csv` and `checkpoints/{last,best}.safetensors`.
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
    guard !FileManager.default.fileExists(atPath: recipeFile.path) else {
      throw MienError(.file, url.path, "holds a run already; continue it with --resume, or choose another folder")
    }
    do {
      try FileManager.default.createDirectory(
        at: url.appendingPathComponent("checkpoints"), withIntermediateDirectories: true)
    } catch {
      throw MienError(.file, url.path, "the run folder could not be made: \(error.localizedDescription)")
    }
    try AtomicFile.write(Data(try RecipeFile.text(of: recipe).utf8), to: recipeFile)
  }

  /// Opens the folder of an earlier run.
  ///
  /// - Throws: ``MienError`` where it holds none.
  public init(opening url: URL) throws {
    self.url = url
    let file = url.appendingPathComponent("recipe.yaml")
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw MienError(.file, url.path, "is no run folder: it has no recipe.yaml")
    }
    recipe = try RecipeFile.read(file)
  }

  /// `$MIEN_RUNS/NAME-DATE`, or the same under `~/mien-runs`.
  public static func fresh(named name: String, now: Date = Date()) -> URL {
    let root =
      ProcessInfo.processInfo.environment["MIEN_RUNS"].map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent("mien-runs")
    let stamp = now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted)).filter {
      (character: Character) in character != "Z"
    }
    return root.appendingPathComponent("\(name)-\(stamp)")
  }

  var recipeFile: URL { url.appendingPathComponent("recipe.yaml") }
  /// One row an epoch.
  public var metricsFile: URL { url.appendingPathComponent("metrics.csv") }
  /// The newest state, to resume from.
  public var lastCheckpoint: URL { url.appendingPathComponent("checkpoints/last.safetensors") }
  /// The best epoch's weights, to export.
  public var bestCheckpoint: URL { url.appendingPathComponent("checkpoints/best.safetensors") }
}
