import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions

extension Detect {
  /// Reads the photos of a shard into `folder`, or what a run before left of them.
  func detect(into folder: URL) async throws {
    let shard = try shard.resolved()
    let annotateFolder = annotate.map { URL(fileURLWithPath: $0, isDirectory: true) }
    let found = PhotoPaths(paths, excluding: annotateFolder)
    try ShardFiles.check(found)
    let file = try model.file()
    let card = try model.naming { try file.unverifiedCard() }
    var settings = try detector.settings.merging(model.settings(card)) { $1 }
    settings["--landmarks"] = landmarks.map { "\($0)" }
    settings["--min-confidence"] = "\(minConfidence)"
    let output = try ShardOutput(folder: folder, shard: shard, command: "detect", settings: settings)
    let files = ShardFiles(found, for: output)
    // Over all shards, so that copies have the same names whatever the shards.
    let annotations = try annotate.map { try AnnotatedFiles($0, entries: found.entries) }
    let pipeline = try pipeline(of: file, card: card, keepsImages: annotations != nil)
    let encoder = JSONText.encoder()
    encoder.landmarks = landmarks?.detail
    var progress = ShardProgress(output, files, noun: "photo")
    Interrupt.listen()
    let photos = files.remaining.map(\.photo)
    var rest = photos[...]
    do {
      try await pipeline.run(photos) { outcome in
        if Interrupt.isRaised { throw CancellationError() }
        guard let photo = rest.popFirst() else { return }
        var outcome = outcome
        if let image = outcome.image {
          do { try annotations?.write(image, outcome.faces, of: photo) } catch let error as MienError {
            // Not done: the same command makes the copy when there is room for it.
            outcome = .init(name: outcome.name, error: MienError(.file, nil, "has no marked copy: \(error)"))
          }
        }
        if outcome.error?.leavesFileUndone != true {
          try output.write(
            encoder.encode(outcome.readings) + Data("\n".utf8))
        }
        try progress.finish(photo, error: outcome.error, warning: outcome.warning)
      }
    } catch is CancellationError {}
    if let summary = found.summary { Console.warning(summary) }
    try progress.end(stopped: !rest.isEmpty)
  }
}

extension ModelOptions {
  /// What decides how faces are read, by name, for a shard's manifest. Files are held by what is in them.
  func settings(_ card: ModelCard) throws -> [String: String] {
    var settings = ["model": card.weightsSHA256, "card": SHA256.hexadecimal(of: try JSONText.line(card))]
    settings["--profile"] = try profile.map { name in
      let url = try ProfileStore().url(of: ProfileName(name))
      return "\(name) (\(SHA256.hexadecimal(of: (try? Data(contentsOf: url)) ?? Data()).prefix(16)))"
    }
    let prior = try prior.classPrior()
    if !prior.changesNothing {
      settings["--prior"] = prior.text
      settings["--prior-strength"] = "\(prior.strength)"
    }
    return settings
  }
}

extension DetectorOptions {
  /// The options by name, for a shard's manifest.
  var settings: [String: String] {
    var settings = ["--detector": detector]
    if !FaceDetectors.names.contains(detector) {
      let data = (try? Data(contentsOf: URL(fileURLWithPath: detector))) ?? Data()
      settings["--detector"] = "\(detector) (\(SHA256.hexadecimal(of: data).prefix(16)))"
    }
    settings["--min-face"] = minFace.map(String.init)
    return settings
  }
}
