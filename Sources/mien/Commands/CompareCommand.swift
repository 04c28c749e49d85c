import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienEvaluation
import MienInference
import MienONNX
import MienReports
import MienRuns

/// `mien compare RUN…`: runs and models beside one another.
struct Compare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts training runs and models beside one another.",
    discussion: """
      A run folder gives its curves and its best epoch. Models, the exported `model.onnx` of a folder, and files that \
      `mien evaluate --predictions` wrote are compared on the faces they share by McNemar's test. Models need --data.
      """)

  @Argument(
    help: ArgumentHelp(
      "Run folders, models (a file, or a name that `mien models` lists) and predictions (.csv).", valueName: "run"))
  var inputs: [String]

  @Option(help: ArgumentHelp("The faces to measure models on.", valueName: "faces.safetensors"))
  var data: String?

  @OptionGroup var measure: MeasureOptions

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write tables and overlaid curves as one HTML file.", valueName: "file.html"))
  var report: String?

  /// One of the arguments, by what it is.
  private enum Input {
    case run(RunMetrics, model: ONNXModel?)
    case model(ONNXModel)
    case predictions(Predictions)
  }

  func run() async throws {
    try ResultFile.check(["--json": json, "--report": report], inputs: [data] + inputs.map { $0 as String? })
    let names = Self.names(inputs)
    let entries = try zip(inputs, names).map { (name: $1, argument: $0, input: try Self.input($0, name: $1)) }
    let bench = try data.map { try Bench(data: $0, measure: measure) }
    var (runs, models): ([Comparison.Run], [Comparison.Model]) = ([], [])
    var unmeasured: [(name: String, run: String)] = []
    for entry in entries {
      switch entry.input {
      case .run(let metrics, let model):
        runs.append(.init(metrics, parameterCount: try model?.card().parameterCount))
        guard let bench else { continue }
        if let model {
          models.append(try await bench.measured(model, entry.name, entry.argument))
        } else {
          unmeasured.append((entry.name, entry.argument))
        }
      case .model(let model):
        guard let bench else {
          throw MienError(.argument, entry.argument, "a model is compared on faces: --data is missing")
        }
        models.append(try await bench.measured(model, entry.name, entry.argument))
      case .predictions(let predictions):
        do {
          models.append(
            try .init(name: entry.name, file: entry.argument, predictions: predictions, of: bench?.faces))
        } catch let error as MienError { throw error.about(entry.argument) }
      }
    }
    let notes = unmeasured.map { name, run in
      let (folder, model) = (
        ShellWord.quoted(run), ShellWord.quoted(RunFiles(URL(fileURLWithPath: run)).model.relativePath)
      )
      return "\(name): no model.onnx: left out of McNemar's test; `mien export \(folder) -o \(model)` adds it"
    }
    for note in notes { Console.warning(note) }
    let comparison = try Comparison(
      runs: runs, models: models, of: bench?.faces, measured: bench?.words, notes: notes)
    if let json { try ResultFile.write(try comparison.json() + Data("\n".utf8), to: json) }
    if let report { try ResultFile.write(comparison.report(command: RunEnvironment.commandLine).data, to: report) }
    guard ![json, report].contains("-") else { return }
    let tables = [comparison.runTable, comparison.modelTable, comparison.pairTable].compactMap { $0?.text }
    try Console.printLines([tables.joined(separator: "\n\n")])
    if let words = bench?.words, !models.isEmpty { try Console.printLines(["\nmeasured on \(words)"]) }
    try Console.printLines((comparison.runCautions + comparison.cautions).map { "\n" + $0 })
  }

  /// What an argument is: a folder is a run, or its model where it has no curves, as that of a reproduction's folds; a
  /// `.csv` file holds predictions, all else is a model.
  private static func input(_ argument: String, name: String) throws -> Input {
    let url = URL(fileURLWithPath: argument)
    let files = RunFiles(url)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder), isFolder.boolValue {
      let model = files.model
      let hasModel = FileManager.default.fileExists(atPath: model.path)
      if hasModel, !FileManager.default.fileExists(atPath: files.metrics.path) {
        return .model(try ONNXModel(contentsOf: model))
      }
      try checkRun(argument)
      return .run(try RunMetrics(run: url, name: name), model: hasModel ? try ONNXModel(contentsOf: model) : nil)
    }
    guard url.pathExtension == "csv" else {
      do { return .model(try ModelStore().model(named: argument)) } catch let error as MienError
        where [.argument, .missing].contains(error.kind) && url.pathExtension != "onnx"
      {
        throw MienError(error.kind, argument, "no such run folder, and \(error.message)")
      }
    }
    guard let data = try? Data(contentsOf: url) else {
      throw MienError(.file, argument, FileProblem.reading(url))
    }
    do { return .predictions(try Predictions(csv: String(decoding: data, as: UTF8.self), name: name)) } catch let error
      as MienError
    { throw error.about(argument) }
  }

  /// Refuses a folder that is no run or has no epoch, and names the runs in it.
  private static func checkRun(_ argument: String) throws {
    let files = RunFiles(URL(fileURLWithPath: argument))
    guard !FileManager.default.fileExists(atPath: files.metrics.path) else { return }
    let inner = files.innerRuns.map { "\(argument)/\($0)" }
    guard !inner.isEmpty else {
      if FileManager.default.fileExists(atPath: files.recipe.path) { throw files.noEpochError(argument) }
      throw MienError(.mismatch, argument, "is not a run folder: it has no metrics.csv, which `mien train` writes")
    }
    throw MienError(
      .mismatch, argument,
      "holds \(Spelling.counted(inner.count, "run")); name the runs themselves: mien compare "
        + inner.map(ShellWord.quoted).joined(separator: " "))
  }

  /// A short name an argument: as many last parts of its path as tell it from the others; the whole argument where none
  /// do.
  private static func names(_ arguments: [String]) -> [String] {
    let paths = arguments.map { argument in
      var url = URL(fileURLWithPath: argument).standardizedFileURL
      if ["onnx", "csv"].contains(url.pathExtension) { url.deletePathExtension() }
      return url.path.split(separator: "/")
    }
    return zip(arguments, paths).map { argument, path in
      let suffixes = path.indices.map { path.suffix($0 + 1) }
      let own = suffixes.first { suffix in paths.count { $0.suffix(suffix.count) == suffix } == 1 }
      return own?.joined(separator: "/") ?? argument
    }
  }

  /// Faces to measure models on.
  private struct Bench {
    let data: String
    let faces: FaceSet
    let source: LabelSource
    let part: Split?
    let excluded: Set<Int>
    let averaging: Evaluation.Averaging

    init(data: String, measure: MeasureOptions) throws {
      self.data = data
      faces = try FaceSet.given(data)
      source = try faces.labelSource(named: measure.labels)
      part = try measure.part(of: faces, source, data: data)
      excluded = measure.excluded(of: faces)
      averaging = measure.tta
    }

    /// What is measured on, in words.
    var words: String {
      "\(data), \(part.map { "split \($0.rawValue)" } ?? "all splits"), labels \(faces.labelSet(source).name)"
        + (averaging == .flip ? ", averaged over mirror images" : "")
    }

    func measured(_ model: ONNXModel, _ name: String, _ argument: String) async throws -> Comparison.Model {
      do {
        let classifier = try EmotionClassifier(model: model)
        let progress = ProgressLine("faces of \(Console.printable(name))")
        let evaluation = try await Evaluation(
          classifier, on: faces, labels: source, split: part, excluding: excluded, averaging: averaging
        ) { done, total in progress.update(done, of: total) }
        progress.clear()
        return try Comparison.Model(
          name: name, parameterCount: classifier.card.parameterCount,
          weightsSHA256: classifier.card.weightsSHA256, file: argument,
          predictions: Predictions(indices: evaluation.indices, metrics: evaluation.metrics), of: faces,
          overlap: DataOverlap(
            classifier.card, on: faces, measured: evaluation.indices, hits: evaluation.metrics.hits))
      } catch let error as MienError {
        throw error.subject == faces.info.source
          ? error.about(data) : error.subject == nil ? error.about(argument) : error
      }
    }
  }
}
