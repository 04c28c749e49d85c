public import Foundation

/// Where the files of a training run lie in its folder.
public struct RunFiles: Sendable, Equatable {
  /// The folder.
  public let folder: URL

  /// The files in `folder`.
  public init(_ folder: URL) { self.folder = folder }

  /// What is trained.
  public var recipe: URL { folder.appendingPathComponent("recipe.yaml") }
  /// One row per epoch.
  public var metrics: URL { folder.appendingPathComponent("metrics.csv") }
  /// What the run came to, once it is finished.
  public var result: URL { folder.appendingPathComponent("result.json") }
  /// The newest state, to resume from.
  public var lastCheckpoint: URL { folder.appendingPathComponent("checkpoints/last.safetensors") }
  /// The best epoch's weights, to export.
  public var bestCheckpoint: URL { folder.appendingPathComponent("checkpoints/best.safetensors") }
  /// What the runs of a series came to.
  public var summary: URL { folder.appendingPathComponent("summary.json") }
  /// The same as a table.
  public var summaryTable: URL { folder.appendingPathComponent("summary.csv") }
  /// The page of a finished run.
  public var report: URL { folder.appendingPathComponent("report.html") }
  /// The model of a measurement of a published system, or of an export into the folder.
  public var model: URL { folder.appendingPathComponent("model.onnx") }
  /// The figures of a measurement of a published system.
  public var reproduction: URL { folder.appendingPathComponent("reproduction.json") }
}
