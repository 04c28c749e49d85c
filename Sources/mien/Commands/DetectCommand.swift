import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX
import MienVision

/// `mien detect PATH…`: the emotions of the faces in photos.
struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finds the faces in photos and says what they show.",
    discussion: """
      A folder is searched with its sub-folders. Exit status: 0 if every photo was read (a photo without faces \
      does not count as a failure), 1 if some failed or a file could not be written, 64 for wrong usage. With -o, results go \
      to a folder as JSON Lines, the same command resumes an interrupted run, and damaged photos do not count as failures: \
      mien merge counts them.
      """)

  @Argument(help: ArgumentHelp("Photos, folders and patterns; - is a photo on standard input.", valueName: "path"))
  var paths: [String]

  @Option(help: ArgumentHelp("Write JSON to a file, or to standard output and nothing else.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write CSV, one row per face, to a file or to standard output.", valueName: "file|-"))
  var csv: String?

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "Write JSON Lines, one line per photo, into a folder; the same command resumes an interrupted run.",
      valueName: "dir"))
  var output: String?

  @OptionGroup var shard: ShardOptions

  @Option(
    help: ArgumentHelp(
      "Write the photos with their faces marked into a folder, or that of one photo to a .jpg or .png file.",
      valueName: "dir|file"))
  var annotate: String?

  @OptionGroup var detector: DetectorOptions

  @Flag(
    help: "Write the points of each face and the measures made of them: --landmarks six points, --all-landmarks 468.")
  var landmarks: Landmarks?

  /// Which points are written.
  enum Landmarks: EnumerableFlag {
    case landmarks, allLandmarks

    static func name(for value: Landmarks) -> NameSpecification {
      value == .landmarks ? .long : .customLong("all-landmarks")
    }

    var detail: LandmarkDetail { self == .landmarks ? .six : .all }
  }

  @Option(help: ArgumentHelp("Mark emotions of a lower probability as not confident, 0 to 1.", valueName: "p"))
  var minConfidence = FaceReading.standardMinConfidence

  @OptionGroup var model: ModelOptions

  func validate() throws {
    try ValidationError.check(share: Double(minConfidence), of: "--min-confidence")
    try shard.validate(output: output, excluding: ["--json": json, "--csv": csv])
    if output != nil, paths.contains("-") {
      throw ValidationError("-o is for files, which a resumed run knows by their names; it excludes -")
    }
  }

  func run() async throws {
    if let output { return try await detect(into: URL(fileURLWithPath: output, isDirectory: true)) }
    if let landmarks, json == nil, csv == nil {
      Console.warning(
        "\(landmarks == .landmarks ? "--landmarks" : "--all-landmarks") changes --json, --csv and -o only")
    }
    if try await detect() { throw ExitCode.failure }
  }

  /// Reads all photos.
  ///
  /// - Returns: whether some failed.
  private func detect() async throws -> Bool {
    let annotateFolder = annotate.map { URL(fileURLWithPath: $0, isDirectory: true) }
    let found = PhotoPaths(paths, excluding: annotateFolder)
    let entries = found.entries
    try ResultFile.check(
      ["--json": json, "--csv": csv], inputs: [model.model.name] + entries.photos.map { $0.url.path as String? })
    let annotations = try annotate.map { try AnnotatedFiles($0, entries: entries) }
    let file = try model.file()
    let card = try model.naming { try file.unverifiedCard() }

    let pipeline = try pipeline(of: file, card: card, keepsImages: annotations != nil)
    var results = PhotoResults(labels: try card.widestLabels(), landmarks: landmarks?.detail)
    let table = json == "-" || csv == "-" ? nil : PhotoTable(names: entries.map(\.name))
    let progress = ProgressLine("photos")
    var done = 0
    var failures = 0
    var isHeaded = false
    var isHinted = false

    func finish(_ outcome: PhotoPipeline.Outcome) throws {
      // The reading does not depend on the copy.
      var unwritten: MienError?
      if let image = outcome.image, let photo = outcome.photo {
        do { try annotations?.write(image, outcome.faces, of: photo) } catch let error as MienError {
          unwritten = error
        }
      }
      progress.clear()
      if let error = outcome.error {
        failures += 1
        Console.failure("\(outcome.name): \(error.message)")
      } else if let warning = outcome.warning {
        Console.warning("\(outcome.name): \(warning)")
      }
      if !isHinted, detector.detector == "none", let hint = Self.wholePhotoHint(outcome.readings) {
        Console.warning("\(outcome.name): \(hint)")
        isHinted = true
      }
      if let unwritten {
        failures += 1
        Console.failure("\(unwritten)")
      }
      if let table {
        // Not before the model is known to work.
        if !isHeaded { try Console.print(Console.styled(table.header, .bold, on: .output)) }
        isHeaded = true
        for row in table.rows(outcome) { try Console.print(row) }
      }
      try results.add(outcome)
      done += 1
      if entries.count > 1 { progress.update(done, of: entries.count) }
    }

    var problems = entries.problemsBeforePhotos[...]
    for problem in problems.popFirst() ?? [] { try finish(problem) }
    try await pipeline.run(entries.photos) { outcome in
      try finish(outcome)
      for problem in problems.popFirst() ?? [] { try finish(problem) }
    }
    progress.clear()
    if let summary = found.summary { Console.warning(summary) }
    if let json { try ResultFile.write(results.jsonDocument, to: json) }
    if let csv { try ResultFile.write(results.csvDocument, to: csv) }
    return failures > 0
  }

  /// What is said of a picture that was taken as one face but hardly is one; `nil` if it may be.
  private static func wholePhotoHint(_ picture: PictureReadings) -> String? {
    guard let width = picture.width, let height = picture.height,
      Image.isLikelyPhoto(width: width, height: height)
    else { return nil }
    return
      "has \(width)x\(height) pixels and was taken as one face, as --detector none says; if it is a whole photo, leave "
      + "--detector none out, so that its faces are searched for"
  }

  /// The pipeline over the model of `file`, which is compiled while the first photos are decoded and searched. No result
  /// comes before its checks.
  func pipeline(of file: ONNXModel, card: ModelCard, keepsImages: Bool) throws -> PhotoPipeline {
    let (model, minConfidence) = (model, minConfidence)
    let classifier = Task.detached {
      try await NativeQueue.shared.run { try model.classifier(of: file) }
    }
    let finder = FaceFinder(card: card, detector: try detector.faceDetector())
    return PhotoPipeline(finder: finder, keepsImages: keepsImages) {
      try Recognizer(classifier: await classifier.value, finder: finder, minConfidence: minConfidence)
    }
  }
}

extension PhotoPaths.Entry {
  /// The argument, with the relative path inside a folder.
  var name: String {
    switch self {
    case .photo(let photo, _): photo.name
    case .problem(let error): error.subject ?? ""
    }
  }
}

extension [PhotoPaths.Entry] {
  /// The photos, in order.
  var photos: [PhotoPipeline.Photo] {
    compactMap { if case .photo(let photo, _) = $0 { photo } else { nil } }
  }

  /// The failed arguments before each photo and after the last, so that results keep the arguments' order.
  var problemsBeforePhotos: [[PhotoPipeline.Outcome]] {
    var groups: [[PhotoPipeline.Outcome]] = [[]]
    for entry in self {
      switch entry {
      case .photo: groups.append([])
      case .problem(let error): groups[groups.count - 1].append(.init(name: entry.name, error: error))
      }
    }
    return groups
  }
}
