import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienReports
import MienVision

/// `mien explain PHOTO…|FACES`: which places of a face decide how it is read.
struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which places of faces decide how they are read.",
    discussion: """
      For photos, or for a set of faces that `mien dataset import` made. With --run RUN it explains a training run's \
      network by Grad-CAM, of any architecture: `mien explain --run RUN --help`. Exit status: 0 if every photo was read, \
      1 if some failed, 64 for wrong usage.
      """)

  @Argument(help: ArgumentHelp("Photos, folders and patterns, or one set of faces.", valueName: "path"))
  var paths: [String]

  @OptionGroup var model: ModelOptions

  @Option(
    help: ArgumentHelp(
      """
      cam: class activation maps, for models whose head is linear on averaged feature maps. occlusion: hides parts, for \
      any model. Without it, cam if the model has them. Training runs (--run) have gradcam.
      """, valueName: "cam|occlusion"), completion: .list(EmotionClassifier.MapMethod.allCases.map(\.rawValue)),
    transform: Self.method)
  var method: EmotionClassifier.MapMethod?

  @OptionGroup var options: ExplainOptions

  @OptionGroup var detector: DetectorOptions

  func run() async throws {
    let folder = options.annotate.map { URL(fileURLWithPath: $0, isDirectory: true) }
    let set = try faceSet()
    let entries = set != nil ? [] : PhotoPaths(paths, excluding: folder).entries
    try options.check(
      inputs: [model.model.name, set != nil ? paths[0] : nil] + entries.photos.map { $0.url.path as String? })
    let classifier = try model.classifier()
    let labels = try options.labels.map { name -> LabelSet in
      guard let found = classifier.labelSets.first(where: { $0.name == name }) else {
        throw MienError(.argument, "--labels \(name)", classifier.expectedLabels)
      }
      return found
    }
    let chosen = method ?? classifier.mapMethods(labels)[0]
    do { try classifier.check(chosen, for: labels) } catch let error as MienError {
      throw error.about(model.model.subject)
    }
    if set == nil { options.warnOfSetOptions() }
    var explanations = Explanations(
      labels: labels ?? classifier.widestLabels, method: chosen.rawValue, model: classifier.card.name)
    try options.makeFolder()
    let isWritten =
      if let set {
        try await explain(set, classifier, labels: labels, by: chosen, into: &explanations)
      } else {
        try await explainPhotos(entries, classifier, labels: labels, by: chosen, into: &explanations)
      }
    try options.write(lines: explanations.lines, json: explanations.json) {
      explanations.page(environment: [
        .init("command", RunEnvironment.commandLine), .init("weights, SHA-256", classifier.card.weightsSHA256),
      ]).data
    }
    if explanations.hasFailures || !isWritten { throw ExitCode.failure }
  }

  private static func method(_ text: String) throws -> EmotionClassifier.MapMethod {
    if let method = EmotionClassifier.MapMethod(rawValue: text) { return method }
    throw ValidationError(
      text == "gradcam"
        ? "gradcam needs the gradients of a run: give the run with --run RUN"
        : "expected cam or occlusion")
  }

  /// The set that the arguments name; nil where they name photos.
  ///
  /// - Throws: ``MienError`` if a set is named beside something else.
  private func faceSet() throws -> FaceSet? {
    guard paths.count == 1 else {
      let set = paths.first { FileSignature(contentsOf: URL(fileURLWithPath: $0))?.kind == .faces }
      if let set { throw MienError(.argument, set, "is a set of faces, which is explained alone: give no other path") }
      return nil
    }
    let url = URL(fileURLWithPath: paths[0])
    // A set may have any name, but what is named as one is to be one.
    return paths[0].hasSuffix(".safetensors") ? try FaceSet.given(paths[0]) : try? FaceSet(contentsOf: url)
  }

  /// Explains the faces of photos; those that fail are named on standard error and in `explanations`.
  ///
  /// - Returns: whether every picture that was asked for is written.
  private func explainPhotos(
    _ entries: [PhotoPaths.Entry], _ classifier: EmotionClassifier, labels: LabelSet?,
    by method: EmotionClassifier.MapMethod,
    into explanations: inout Explanations
  ) async throws -> Bool {
    var isWritten = true
    let recognizer = try Recognizer(
      classifier: classifier, detector: detector.faceDetector(), labels: labels)
    let progress = ProgressLine("photos")
    for (number, entry) in entries.enumerated() {
      do {
        guard case .photo(let photo, let relativePath) = entry else {
          if case .problem(let error) = entry { throw error }
          continue
        }
        let image = try photo.image()
        if let warning = image.warning {
          progress.clear()
          Console.warning("\(photo.name): \(warning)")
        }
        let found = try await recognizer.explanations(
          in: image, emotions: recognizer.labels.emotions, method: method)
        if found.isEmpty {
          progress.clear()
          Console.warning("\(photo.name): no face")
        }
        for (index, face) in found.enumerated() {
          let top = face.distribution.top.emotion
          let input = try classifier.card.preprocessing.input(face.face)
          let explained = ExplainedFace(
            name: found.count > 1 ? "\(photo.name) face \(index + 1)" : photo.name, pixels: face.face.pixels,
            channels: face.face.channels, distribution: face.distribution, maps: face.maps,
            falls: try classifier.regionFalls(of: top, for: input, labels: labels))
          try explanations.add(explained)
          if options.annotate != nil {
            let flat = relativePath.text.replacingOccurrences(of: "/", with: "-")
            var stem = URL(fileURLWithPath: flat).deletingPathExtension().lastPathComponent
            while stem.utf8.count > 200 { stem.removeFirst() }
            let name = "\(number + 1)-\(stem)-\(index + 1).png"
            let crop = face.largeFace
            let isDone = try options.write(
              picture: explained.picture(over: crop.pixels, side: crop.width, channels: crop.channels), named: name,
              progress: progress)
            isWritten = isWritten && isDone
          }
        }
      } catch let error as MienError {
        explanations.add(error, name: entry.name)
        progress.clear()
        Console.failure("\(entry.name): \(error.message)")
      }
      progress.update(number + 1, of: entries.count)
    }
    progress.clear()
    return isWritten
  }

  /// Explains a sample of a set of faces.
  ///
  /// - Returns: whether every picture that was asked for is written.
  private func explain(
    _ set: FaceSet, _ classifier: EmotionClassifier, labels: LabelSet?, by method: EmotionClassifier.MapMethod,
    into explanations: inout Explanations
  ) async throws -> Bool {
    var isWritten = true
    let size = classifier.card.preprocessing
    do { try size.checkSize(of: set, for: classifier.card.name) } catch let error as MienError {
      throw error.about(paths[0])
    }
    let indices = try options.sample(of: set, in: paths[0])
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
      let isDone = try options.write(picture: explained.picture(), named: "face-\(index).png", progress: progress)
      isWritten = isWritten && isDone
      progress.update(done + 1, of: indices.count)
    }
    progress.clear()
    return isWritten
  }
}
