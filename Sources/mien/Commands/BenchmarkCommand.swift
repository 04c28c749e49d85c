import ArgumentParser
import Foundation
import MienCore
import MienInference
import MienModelOptions
import MienVision

/// `mien benchmark`: measurements of this program on this machine.
struct Benchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures how fast this machine reads photos.",
    subcommands: [PhotoBenchmark.self], defaultSubcommand: PhotoBenchmark.self)
}

/// `mien benchmark photos PATH…`, the default: how fast photos are read, and where the time goes.
struct PhotoBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "photos",
    abstract: "Measures how many photos are read per second, and where the time goes.",
    discussion: "The model is compiled before the clock starts; `mien detect` on one photo pays for it each time.")

  @Argument(help: ArgumentHelp("Photos, folders and patterns.", valueName: "path"))
  var paths: [String]

  @OptionGroup var detector: DetectorOptions
  @OptionGroup var model: ModelOptions

  func run() async throws {
    let clock = ContinuousClock()
    let entries = PhotoPaths(paths).entries
    let photos = entries.photos
    let start = clock.now
    let classifier = try model.classifier()
    let compiled = clock.now
    let pipeline = PhotoPipeline(recognizer: try Recognizer(classifier: classifier, detector: detector.faceDetector()))
    var (faces, read, failures, pixels) = (0, 0, 0, 0)
    func failed(_ name: String, _ error: MienError) {
      failures += 1
      Console.failure("\(name): \(error.message)")
    }
    for case .problem(let error) in entries { failed(error.subject ?? "", error) }
    let begin = clock.now
    let timings = try await pipeline.run(photos) { outcome in
      faces += outcome.faces.count
      if let error = outcome.error { failed(outcome.name, error) } else { read += 1 }
      pixels += (outcome.readings.width ?? 0) * (outcome.readings.height ?? 0)
    }
    let seconds = (clock.now - begin) / .seconds(1)
    guard read > 0, seconds > 0 else {
      throw MienError(.file, paths.joined(separator: ", "), "no photo could be read")
    }
    try Console.print("model ready       \(Self.milliseconds(compiled - start))")
    try Console.print(
      "photos            \(read.grouped) read, \(failures.grouped) failed, \((pixels / read).grouped) pixels on average"
    )
    try Console.print("faces             \(faces.grouped)")
    try Console.print("photos per second \((Double(read) / seconds * 10).rounded() / 10)")
    try Console.print("per photo, summed over threads:")
    for (name, time) in [
      ("decode", timings.decoding), ("detect faces", timings.detecting), ("crop, preprocess", timings.framing),
      ("classify", timings.classifying),
    ] {
      try Console.print("  \(Console.padded(name, 18))\(Self.milliseconds(time / read))")
    }
    if failures > 0 { throw ExitCode.failure }
  }

  private static func milliseconds(_ duration: Duration) -> String {
    "\((duration / .milliseconds(1) * 10).rounded() / 10) ms"
  }
}
