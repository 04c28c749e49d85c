import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienVision

extension Video {
  /// Reads the videos of a shard into `folder`, or what a run before left of them.
  func read(into folder: URL) async throws {
    let shard = try shard.resolved()
    let found = PhotoPaths(paths, of: .videos)
    try ShardFiles.check(found)
    let file = try model.file()
    let card = try model.naming { try file.unverifiedCard() }
    var settings = try options.detector.settings.merging(model.settings(card)) { $1 }
    settings["--min-confidence"] = "\(options.minConfidence)"
    settings["--no-smooth"] = "\(options.isUnsmoothed)"
    settings["--every"] = "\(every)"
    let output = try ShardOutput(folder: folder, shard: shard, command: "video", settings: settings)
    let files = ShardFiles(found, for: output)
    var progress = ShardProgress(output, files, noun: "video", errorKey: "file")
    let recognizer = try await recognizer()
    Interrupt.listen()
    for video in files.remaining.map(\.photo) where !Interrupt.isRaised {
      var problem: MienError?
      var warnings: [String] = []
      do {
        let reader = try VideoReader(contentsOf: video.url)
        defer { warnings = reader.warnings }
        let readings = try VideoReadings(
          source: reader, recognizer: recognizer, options: options.videoOptions(every: every), isLive: false)
        try await write(readings, of: video.name, to: output)
      } catch let error as MienError where error.isAbout(video.url) {
        problem = error.about(video.name)
      } catch is CancellationError {
        break
      }
      try progress.finish(video, error: problem, warning: warnings.isEmpty ? nil : warnings.joined(separator: "; "))
    }
    try progress.end(stopped: Interrupt.isRaised)
  }

  /// Writes a row for each frame and face, with the video's name.
  private func write(_ readings: VideoReadings, of name: String, to output: ShardOutput) async throws {
    let encoder = JSONText.encoder()
    for try await frame in readings {
      if Interrupt.isRaised { throw CancellationError() }
      var lines = Data()
      for row in frame.rows {
        lines += try encoder.encode(NamedRow(file: name, row: row))
        lines.append(UInt8(ascii: "\n"))
      }
      try output.write(lines)
    }
  }
}

/// A row of one of several videos: the row's own fields, and `file`.
private struct NamedRow: Encodable {
  let file: String
  let row: VideoRow

  private enum Keys: String, CodingKey { case file }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(file, forKey: .file)
    try row.encode(to: encoder)
  }
}
