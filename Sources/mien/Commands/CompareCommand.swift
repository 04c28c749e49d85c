import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienONNX
import MienReports
import Synchronization

/// `mien compare RUN…`: runs and models beside one another.
struct Compare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts training runs and models beside one another.",
    discussion: """
      A run folder gives its curves and its best epoch. Models, the exported `model.onnx` of a run folder, and files that \
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
    for path in [json, report] { try ResultFile.check(path) }
    let names = Self.names(inputs)
    let entries = try zip(inputs, names).map { (name: $1, argument: $0, input: try Self.input($0, name: $1)) }
    let bench = try data.map { try Bench(data: $0, measure: measure) }
    var (runs, models): ([Comparison.Run], [Comparison.Model]) = ([], [])
    for entry in entries {
      switch entry.input {
      case .run(let metrics, let model):
        runs.append(.init(metrics, parameterCount: try model?.card().parameterCount))
        if let model, let bench { models.append(try await bench.measured(model, entry.name, entry.argument)) }
      case .model(let model):
        guard let bench else {
          throw MienError(.argument, entry.argument, "a model is compared on faces: --data is missing")
        }
        models.append(try await bench.measured(model, entry.name, entry.argument))
      case .predictions(let predictions):
        do { models.append(try .init(name: entry.name, predictions: predictions)) } catch let error as MienError {
          throw error.about(entry.argument)
        }
      }
    }
    let comparison = try Comparison(runs: runs, models: models)
    if let json { try ResultFile.write(try comparison.json() + Data("\n".utf8), to: json) }
    if let report { try ResultFile.write(comparison.report.data, to: report) }
    guard ![json, report].contains("-") else { return }
    let tables = [comparison.runTable, comparison.modelTable, comparison.pairTable].compactMap { $0?.text }
    for line in tables.joined(separator: "\n\n").split(separator: "\n", omittingEmptySubsequences: false) {
      Console.print(Console.printable(String(line)))
    }
    if !comparison.pairs.isEmpty { Console.print("\n" + Comparison.pairNote) }
  }

  func validate() throws {
    guard json != "-" || report != "-" else {
      throw ValidationError("only one of --json and --report can go to standard output")
    }
  }

  /// What an argument is: a folder is a run, a `.csv` file holds predictions, all else is a model.
  private static func input(_ argument: String, name: String) throws -> Input {
    let url = URL(fileURLWithPath: argument)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder), isFolder.boolValue {
      let model = url.appendingPathComponent("model.onnx")
      let hasModel = FileManager.default.fileExists(atPath: model.path)
      return .run(try RunMetrics(run: url, name: name), model: hasModel ? try ONNXModel(contentsOf: model) : nil)
    }
    guard url.pathExtension == "csv" else { return .model(try ModelStore().model(named: argument)) }
    guard let data = try? Data(contentsOf: url) else {
      throw MienError(.file, argument, FileProblem.reading(url))
    }
    do { return .predictions(try Predictions(csv: String(decoding: data, as: UTF8.self), name: name)) } catch let error
      as MienError
    { throw error.about(argument) }
  }

  /// A short name an argument, the last part of its path; the whole argument where two are the same.
  private static func names(_ arguments: [String]) -> [String] {
    let short = arguments.map { argument in
      let url = URL(fileURLWithPath: argument).standardizedFileURL
      return (["onnx", "csv"].contains(url.pathExtension) ? url.deletingPathExtension() : url).lastPathComponent
    }
    return zip(arguments, short).map { argument, name in short.count(where: { $0 == name }) > 1 ? argument : name }
  }

  /// Faces to measure models on.
  private struct Bench {
    let data: String
    let faces: FaceSet
    let source: LabelSource
    let part: Split?
    let averaging: Evaluation.Averaging

    init(data: String, measure: MeasureOptions) throws {
      self.data = data
      faces = try FaceSet(contentsOf: URL(fileURLWithPath: data))
      source = try faces.labelSource(named: measure.labels)
      part = measure.part(of: faces, source, data: data)
      averaging = measure.averaging
    }

    func measured(_ model: ONNXModel, _ name: String, _ argument: String) async throws -> Comparison.Model {
      do {
        let classifier = try EmotionClassifier(model: model)
        let progress = Mutex(ProgressLine("faces of \(Console.printable(name))"))
        let evaluation = try await Evaluation(
          classifier, on: faces, labels: source, split: part, averaging: averaging
        ) { done, total in progress.withLock { $0.update(done, of: total) } }
        progress.withLock { $0.clear() }
        return try Comparison.Model(
          name: name, parameterCount: classifier.card.parameterCount,
          weightsSHA256: classifier.card.weightsSHA256,
          predictions: Predictions(indices: evaluation.indices, metrics: evaluation.metrics))
      } catch let error as MienError {
        throw error.subject == faces.info.source
          ? error.about(data) : error.subject == nil ? error.about(argument) : error
      }
    }
  }
}
