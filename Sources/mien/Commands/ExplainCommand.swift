import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienReports
import MienVision
import Synchronization

/// `mien explain PHOTO…|FACES`: which places of a face decide how it is read.
struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which places of faces decide how they are read.",
    discussion: """
      For photos, or for a set of faces that `mien dataset import` made. With --run it explains a training run's network \
      by Grad-CAM, of any architecture. Exit status: 0 where every photo was read, 1 where some failed, 64 for wrong usage.
      """)

  /// How maps are made.
  enum Method: String, ExpressibleByArgument, CaseIterable {
    case cam, occlusion, gradcam
  }

  @Argument(help: ArgumentHelp("Photos, folders and patterns, or one set of faces.", valueName: "path"))
  var paths: [String]

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Explain this run's network instead of a model, by gradcam.", valueName: "run"))
  var run: String?

  @Option(
    help: """
      cam: class activation maps, for models whose head is linear on averaged feature maps. occlusion: hides parts, for \
      any model. gradcam: with --run. Without it, cam where the model has them.
      """)
  var method: Method?

  @Option(help: ArgumentHelp("The model's label set to explain; without it, the widest.", valueName: "labels"))
  var labels: String?

  @Option(help: "Of a set, the faces to explain; without it, test, else validation, else all.")
  var split: MeasureOptions.Part?

  @Option(help: ArgumentHelp("Of a set, explain so many faces, drawn at random.", valueName: "n"))
  var limit = 500

  @OptionGroup var detector: DetectorOptions

  @Option(help: ArgumentHelp("Write each face with the map of the emotion read into a folder.", valueName: "dir"))
  var annotate: String?

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write charts and maps as one HTML file.", valueName: "file.html"))
  var report: String?

  @Option(help: "With --run, threads for libtorch.")
  var threads: Int?

  func validate() throws {
    guard threads == nil || run != nil else { throw ValidationError("--threads goes with --run RUN.") }
    guard limit >= 1 else { throw ValidationError("--limit is at least 1.") }
    guard (method == .gradcam) == (run != nil) || (run != nil && method == nil) else {
      throw ValidationError("gradcam needs the gradients of a run: --method gradcam goes with --run RUN.")
    }
    guard run == nil || model.model.name == nil else { throw ValidationError("--run and --model exclude one another.") }
  }

  func run() async throws {
    if run != nil { try HandOver.run(.train, "explain", Array(CommandLine.arguments.dropFirst(2))) }
    let folder = annotate.map { URL(fileURLWithPath: $0, isDirectory: true) }
    let set = try faceSet()
    let entries = set != nil ? [] : PhotoPaths(paths, excluding: folder).entries
    try ResultFile.check(
      ["--json": json, "--report": report],
      inputs: [model.model.name, set != nil ? paths[0] : nil] + entries.photos.map { $0.url.path as String? })
    let classifier = try model.classifier()
    let labels = try labels.map { name -> LabelSet in
      guard let found = classifier.labelSets.first(where: { $0.name == name }) else {
        let known = classifier.labelSets.map(\.name).joined(separator: ", ")
        throw MienError(.argument, "--labels \(name)", "\(classifier.card.name) speaks \(known)")
      }
      return found
    }
    let chosen =
      method.flatMap { EmotionClassifier.MapMethod(rawValue: $0.rawValue) } ?? classifier.mapMethods(labels)[0]
    var explanations = Explanations(
      labels: labels ?? classifier.widestLabels, method: chosen.rawValue, model: classifier.card.name)
    if let folder {
      do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
        throw MienError(.file, folder.path, "the folder cannot be made")
      }
    }
    if let set {
      try await explain(set, classifier, labels: labels, by: chosen, into: &explanations, pictures: folder)
    } else {
      try await explainPhotos(entries, classifier, labels: labels, by: chosen, into: &explanations, pictures: folder)
    }
    if let json { try ResultFile.write(try explanations.json(), to: json) }
    if let report {
      let facts: [ReportBlock.Fact] = [
        .init("command", RunEnvironment.commandLine), .init("weights, SHA-256", classifier.card.weightsSHA256),
      ]
      try ResultFile.write(explanations.page(environment: facts).data, to: report)
    }
    if json != "-" && report != "-" { try Console.printLines(explanations.lines) }
    if explanations.hasFailures { throw ExitCode.failure }
  }

  /// The set that the arguments name; nil where they name photos.
  private func faceSet() throws -> FaceSet? {
    guard paths.count == 1 else { return nil }
    let url = URL(fileURLWithPath: paths[0])
    // A set may have any name, but what is named as one is to be one.
    return paths[0].hasSuffix(".safetensors") ? try FaceSet(contentsOf: url) : try? FaceSet(contentsOf: url)
  }

  /// Explains the faces of photos; those that fail are named on standard error and in `explanations`.
  private func explainPhotos(
    _ entries: [PhotoPaths.Entry], _ classifier: EmotionClassifier, labels: LabelSet?,
    by method: EmotionClassifier.MapMethod,
    into explanations: inout Explanations, pictures: URL?
  ) async throws {
    let recognizer = try Recognizer(
      classifier: classifier, detector: detector.faceDetector(), labels: labels)
    let progress = ProgressLine("photos")
    func say(_ text: String) {
      progress.clear()
      Console.error("mien: \(Console.printable(text))")
    }
    for (number, entry) in entries.enumerated() {
      do {
        guard case .photo(let photo, let relativePath) = entry else {
          if case .problem(let error) = entry { throw error }
          continue
        }
        let image = try photo.image()
        if let warning = image.warning { say("\(photo.name): \(warning)") }
        let found = try await recognizer.explanations(
          in: image, emotions: recognizer.labels.emotions, method: method)
        if found.isEmpty { say("\(photo.name): no face") }
        for (index, face) in found.enumerated() {
          let top = face.distribution.top.emotion
          let input = try classifier.card.preprocessing.input(face.face)
          let explained = ExplainedFace(
            name: found.count > 1 ? "\(photo.name) face \(index + 1)" : photo.name, pixels: face.face.pixels,
            channels: face.face.channels, distribution: face.distribution, maps: face.maps,
            falls: try classifier.regionFalls(of: top, for: input, labels: labels))
          if let pictures {
            let flat = relativePath.text.replacingOccurrences(of: "/", with: "-")
            var stem = URL(fileURLWithPath: flat).deletingPathExtension().lastPathComponent
            while stem.utf8.count > 200 { stem.removeFirst() }
            let name = "\(number + 1)-\(stem)-\(index + 1).png"
            let crop = face.largeFace
            try AtomicFile.write(
              try explained.picture(over: crop.pixels, side: crop.width, channels: crop.channels),
              to: pictures.appendingPathComponent(name))
          }
          try explanations.add(explained)
        }
      } catch let error as MienError {
        explanations.add(error, name: entry.name)
        say("\(entry.name): \(error.message)")
      }
      progress.update(number + 1, of: entries.count)
    }
    progress.clear()
  }

  /// Explains a sample of a set of faces.
  private func explain(
    _ set: FaceSet, _ classifier: EmotionClassifier, labels: LabelSet?, by method: EmotionClassifier.MapMethod,
    into explanations: inout Explanations, pictures: URL?
  ) async throws {
    let size = classifier.card.preprocessing
    guard set.width == size.width, set.height == size.height else {
      throw MienError(
        .mismatch, paths[0],
        "faces of \(set.width)x\(set.height) pixels, \(classifier.card.name) takes \(size.width)x\(size.height)")
    }
    let part = split.map { Split(rawValue: $0.rawValue) } ?? set.usualSplit
    let indices = try set.sample(in: part, count: limit)
    let progress = ProgressLine("faces")
    let emotions = (labels ?? classifier.widestLabels).emotions
    for (done, index) in indices.enumerated() {
      let pixels = set.face(at: index)
      let input = try size.input(pixels: pixels, sourceChannels: set.channels)
      let (found, falls) = try await NativeQueue.shared.run {
        let found = try classifier.maps(of: emotions, for: input, count: 1, labels: labels, method: method)[0]
        return (found, try classifier.regionFalls(of: found.distribution.top.emotion, for: input, labels: labels))
      }
      let explained = ExplainedFace(
        name: "face \(index)", pixels: pixels, channels: set.channels, distribution: found.distribution,
        maps: found.maps, falls: falls)
      try explanations.add(explained)
      if let pictures {
        try AtomicFile.write(try explained.picture(), to: pictures.appendingPathComponent("face-\(index).png"))
      }
      progress.update(done + 1, of: indices.count)
    }
    progress.clear()
  }
}
