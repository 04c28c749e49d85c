import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienTorch
import MienTraining

/// `mien explain --run RUN FACES`: Grad-CAM of a run's network.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Show which places of faces decide how a run's network reads them (Grad-CAM).")

  @Argument(help: "A FaceSet made by `mien dataset import`.")
  var faces: String

  @Option(help: ArgumentHelp("The run folder.", valueName: "run"))
  var run: String

  @Option(help: ArgumentHelp("gradcam, the method for runs.", valueName: "method"))
  var method = "gradcam"

  @Option(help: ArgumentHelp("The head to explain; without it, the one of most classes.", valueName: "labels"))
  var labels: String?

  /// A split, or all faces.
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case train, validation, test, all
  }

  @Option(help: "The faces to explain; without it, test, else validation, else all.")
  var split: Part?

  @Option(help: ArgumentHelp("Explain so many faces, drawn at random.", valueName: "n"))
  var limit = 500

  @Option(help: ArgumentHelp("Write each face with the map of the emotion read into a folder.", valueName: "dir"))
  var annotate: String?

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write charts and maps as one HTML file.", valueName: "file.html"))
  var report: String?

  @Option(help: "Threads for libtorch.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  /// Faces a pass.
  private static let batch = 32

  func validate() throws {
    if method != "gradcam" { throw ValidationError("--run has the method gradcam; cam and occlusion are for models.") }
    if limit < 1 { throw ValidationError("--limit must be at least 1.") }
    if threads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  func run() async throws {
    try ResultFile.check(["--json": json, "--report": report], inputs: [faces])
    let folder = try RunFolder(opening: URL(fileURLWithPath: run))
    let set = try FaceSet(contentsOf: URL(fileURLWithPath: faces))
    let part = split.map { Split(rawValue: $0.rawValue) } ?? set.usualSplit
    let indices = try set.sample(in: part, count: limit)
    let (labels, threads) = (labels, threads)
    let explained = try await TorchActor.run {
      try Torch.configure(threads: threads)
      let explainer = try GradCAM(run: folder, labels: labels)
      let size = explainer.preprocessing
      guard set.width == size.width, set.height == size.height else {
        throw MienError(
          .mismatch, faces,
          "faces of \(set.width)x\(set.height), the network takes \(size.width)x\(size.height)")
      }
      var explanations = Explanations(labels: explainer.labels, method: "gradcam", model: folder.recipe.name)
      var pictures: [(index: Int, png: Data)] = []
      for start in stride(from: 0, to: indices.count, by: Self.batch) {
        let part = Array(indices[start..<min(start + Self.batch, indices.count)])
        let inputs = try part.flatMap { try size.input(pixels: set.face(at: $0), sourceChannels: set.channels) }
        let found = try explainer.maps(of: explainer.labels.emotions, for: inputs, count: part.count)
        for (index, face) in zip(part, found) {
          let explained = ExplainedFace(
            name: "face \(index)", pixels: set.face(at: index), channels: set.channels,
            distribution: face.distribution, maps: face.maps)
          try explanations.add(explained)
          if annotate != nil { pictures.append((index, try explained.picture())) }
        }
      }
      return (explanations, pictures)
    }
    if let annotate {
      let target = URL(fileURLWithPath: annotate, isDirectory: true)
      do { try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true) } catch {
        throw MienError(.file, annotate, "the folder cannot be made")
      }
      for (index, png) in explained.1 {
        try AtomicFile.write(png, to: target.appendingPathComponent("face-\(index).png"))
      }
    }
    if let report {
      let facts: [ReportBlock.Fact] = [.init("run", folder.url.path), .init("data", faces)]
      try ResultFile.write(explained.0.page(environment: facts).data, to: report)
    }
    if let json { try ResultFile.write(try explained.0.json(), to: json) }
    if json != "-" && report != "-" { for line in explained.0.lines { try Console.print(line) } }
  }
}
