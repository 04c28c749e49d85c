import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienReports
import MienVision

/// `mien video FILE`: the emotions of the faces in a video, over time.
struct Video: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follows the faces in a video and says what they show over time.",
    discussion: """
      Ctrl-C ends at the next frame and keeps what is done. The copy of an address has no sound. With -o, many videos \
      and folders of them are read into a folder, and the same command resumes an interrupted run. Exit status: 0 if the \
      video was read to its end, 1 if it was not or a file could not be written, 64 for wrong usage.
      """)

  @Argument(
    help: ArgumentHelp(
      "A video file, or an address (http, https, rtsp, rtsps, rtmp); with -o several, folders and patterns.",
      valueName: "file"
    ))
  var paths: [String]

  private var file: String { paths.first ?? "" }

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "Write the rows of many videos as JSON Lines into a folder; the same command resumes an interrupted run.",
      valueName: "dir"))
  var output: String?

  @OptionGroup var shard: ShardOptions

  @Option(
    help: ArgumentHelp(
      "Write JSON Lines, one row per frame and face, to a file or standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write the same rows as CSV to a file or standard output.", valueName: "file|-"))
  var csv: String?

  @Option(help: ArgumentHelp("Write a copy with the faces marked, as H.264 with the sound.", valueName: "out.mp4"))
  var annotate: String?

  @Option(help: ArgumentHelp("Write a page with each person's timeline.", valueName: "out.html"))
  var timeline: String?

  @Option(help: ArgumentHelp("Read every n-th frame only.", valueName: "n"))
  var every = 1

  @OptionGroup var options: TrackingOptions
  @OptionGroup var model: ModelOptions

  @Flag(help: "Say where the time went.")
  var timings = false

  func validate() throws {
    try ValidationError.check(every, of: "--every", atLeast: 1)
    if let annotate, !annotate.lowercased().hasSuffix(".mp4") {
      throw ValidationError("--annotate \(annotate): expected a name that ends in .mp4")
    }
    try shard.validate(
      output: output,
      excluding: [
        "--json": json, "--csv": csv, "--annotate": annotate, "--timeline": timeline,
        "--timings": timings ? "" : nil,
      ])
    try PhotoPaths.checkVideos(paths)
    guard output != nil || paths.count == 1 else {
      throw ValidationError("found \(paths.count.grouped) videos, expected one; several need -o DIR")
    }
  }

  func run() async throws {
    if let output { return try await read(into: URL(fileURLWithPath: output, isDirectory: true)) }
    try ResultFile.check(
      ["--json": json, "--csv": csv, "--annotate": annotate, "--timeline": timeline],
      inputs: [file, model.model.name])
    let input = VideoInput(file)
    guard !input.isFolder else {
      throw MienError(
        .file, input.name,
        "is a folder, expected one video; `mien video \(ShellWord.quoted(file)) -o results` reads the videos in it")
    }
    let clock = ContinuousClock()
    let start = clock.now
    let reader = try input.reporting { try VideoReader(contentsOf: $0) }
    let recognizer = try await recognizer()
    let readings = try VideoReadings(
      source: reader, recognizer: recognizer,
      options: options.videoOptions(every: every), isLive: false)
    let rate = reader.framesPerSecond ?? 25
    let outputs = VideoOutputs(
      labels: recognizer.labels, minConfidence: options.minConfidence, json: json, csv: csv,
      copy: try annotate.map {
        // An address would be asked for the same sound once more, or for another.
        try VideoWriter(
          url: URL(fileURLWithPath: $0), framesPerSecond: rate / Double(every), sound: input.isAddress ? nil : input.url
        )
      },
      rate: rate, every: every, duration: reader.frameCount.map { Double($0) / rate },
      keepsPictures: timeline != nil)
    let ready = clock.now
    var problems = await read(readings, outputs, input, frameCount: reader.frameCount)
    if Interrupt.isRaised, outputs.frames == 0 { throw MienError(.file, input.name, "stopped; no frame was read") }
    let isOpened = outputs.frames > 0 || problems.isEmpty
    let unfinished = outputs.finish(isWhole: problems.isEmpty)
    problems += unfinished
    for warning in reader.warnings { Console.warning("\(input.name): \(warning)") }
    if let annotate, let warning = outputs.copyWarning { Console.warning("\(annotate): \(warning)") }
    let failed = Set(problems.compactMap { ($0 as? MienError)?.subject })
    for path in [json, csv, annotate].compactMap(\.self) where isOpened && unfinished.isEmpty && !failed.contains(path)
    {
      ResultFile.wrote(path)
    }
    let elapsed = (clock.now - ready) / .seconds(1)
    if isOpened {
      do { try writeTimeline(outputs, input, card: recognizer.classifier.card) } catch { problems.append(error) }
    }
    if json != "-" && csv != "-" {
      let timeline = outputs.timeline
      try Console.print(
        timeline.isEmpty ? "no face in \(Spelling.counted(outputs.frames, "frame"))" : timeline.table.text)
    }
    if timings { printTimings(readings.timings, outputs, elapsed: elapsed, starting: (ready - start) / .seconds(1)) }
    for problem in problems { Console.failure("\(problem)") }
    if !problems.isEmpty { throw ExitCode.failure }
  }

  /// The model and the detector that the options name.
  func recognizer() async throws -> Recognizer {
    let (model, minConfidence) = (model, options.minConfidence)
    let detector = try options.detector.faceDetector()
    return try await NativeQueue.shared.run {
      // The search for faces needs the other cores.
      let threads = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
      return try Recognizer(
        classifier: model.classifier(threads: threads), detector: detector, minConfidence: minConfidence)
    }
  }

  /// Reads to the end, or as far as it goes.
  ///
  /// - Returns: why it did not go further.
  private func read(
    _ readings: VideoReadings, _ outputs: VideoOutputs, _ input: VideoInput, frameCount: Int?
  ) async -> [any Error] {
    Interrupt.listen()
    let progress = ProgressLine("frames of \(Console.printable(input.shortName))")
    defer { progress.clear() }
    do {
      for try await frame in readings {
        guard !Interrupt.isRaised else {
          return [
            MienError(
              .file, input.name,
              "stopped after \(Spelling.counted(outputs.frames, "frame"))\(outputs.frames == 1 ? ", which is kept" : ", which are kept")"
            )
          ]
        }
        try outputs.add(frame)
        progress.update(frame.index + 1, of: frameCount.map { max($0, frame.index + 1) })
      }
    } catch let error as MienError {
      return [input.named(error)]
    } catch {
      return [error]
    }
    return []
  }

  private func writeTimeline(_ outputs: VideoOutputs, _ input: VideoInput, card: ModelCard) throws {
    guard let timeline else { return }
    let environment = RunEnvironment.current()
    let report = outputs.timeline.report(
      name: input.shortName, seconds: outputs.seconds,
      facts: [
        .init("video", input.name),
        .init("frames read", outputs.frames.grouped + (every > 1 ? ", one in \(every)" : "")),
        .init("model", "\(card.name), weights \(card.weightsSHA256.prefix(16))"),
        .init("smoothing", options.isSmoothed ? "exponential, \(ReadingTrackerOptions().timeConstant) s" : "none"),
        .init("made", "\(environment.date) on \(environment.processor), \(environment.cores) cores"),
        .init("command", RunEnvironment.commandLine),
      ])
    try ResultFile.write(report.data, to: timeline)
  }

  private func printTimings(_ times: VideoTimings, _ outputs: VideoOutputs, elapsed: Double, starting: Double) {
    let frames = Double(max(1, outputs.frames))
    Console.error("ready after       \(NumberText.fixed(starting, 2)) s")
    Console.error(
      "frames            \(outputs.frames.grouped) in \(NumberText.fixed(elapsed, 2)) s: "
        + "\(NumberText.fixed(frames / elapsed, 1)) per second, \(NumberText.fixed(outputs.seconds / elapsed, 1)) x real time"
    )
    Console.error("per frame, summed over threads:")
    for (name, time) in [
      ("decode", times.decoding), ("find and follow", times.searching), ("crop, preprocess", times.framing),
      ("classify", times.classifying), ("rows, pictures", outputs.lineTime), ("draw, encode", outputs.drawTime),
    ] {
      Console.error("  \(Console.padded(name, 18))\(NumberText.fixed(time / .milliseconds(1) / frames, 2)) ms")
    }
  }
}
