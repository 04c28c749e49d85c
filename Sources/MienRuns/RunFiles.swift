public import Foundation
public import MienCore

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

  /// The names of the folders inside that hold a run with at least one epoch: those of a series.
  public var innerRuns: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }.filter {
      FileManager.default.fileExists(atPath: RunFiles(folder.appendingPathComponent($0)).metrics.path)
    }
  }

  /// The error that training was stopped before the end of the first epoch.
  ///
  /// - Parameter argument: the folder, as the user named it.
  public func noEpochError(_ argument: String) -> MienError {
    MienError(
      .file, argument,
      "has no finished epoch yet; continue it with `mien train --resume \(ShellWord.quoted(argument)) --data FACES`")
  }

  /// The error that the folder holds a series of runs where one run is expected; it names them.
  ///
  /// - Parameter argument: the folder, as the user named it.
  public func seriesError(_ argument: String) -> MienError {
    let start = argument.hasSuffix("/") ? argument : argument + "/"
    let names = innerRuns.prefix(10).map { start + $0 } + (innerRuns.count > 10 ? ["…"] : [])
    return MienError(
      .mismatch, argument,
      "holds a series of runs; name one of the run folders in it"
        + (names.isEmpty ? "" : ": \(names.joined(separator: ", "))"))
  }
}
