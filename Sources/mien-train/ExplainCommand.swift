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
    commandName: "explain", abstract: "Shows which places of faces decide how a run's network reads them (Grad-CAM).")

  @Argument(help: ArgumentHelp("A set of faces that `mien dataset import` made.", valueName: "faces.safetensors"))
  var faces: String

  @Option(help: ArgumentHelp("The run folder.", valueName: "run"))
  var run: String

  @Option(help: ArgumentHelp("gradcam, the method for runs.", valueName: "method"))
  var method = "gradcam"

  @OptionGroup var options: ExplainOptions

  @OptionGroup var torch: TorchThreads

  /// Faces per pass.
  private static let batch = 32

  func validate() throws {
    if method != "gradcam" { throw ValidationError("--run has the method gradcam; cam and occlusion are for models") }
  }

  func run() async throws {
    try options.check(inputs: [faces])
    let folder = try RunFolder(opening: URL(fileURLWithPath: run))
    let set = try FaceSet.given(faces)
    let indices = try options.sample(of: set, in: faces)
    try options.makeFolder()
    let (faces, options, threads) = (faces, options, torch.count())
    let (explanations, isWritten) = try await TorchActor.run {
      try Torch.configure(threads: threads)
      let explainer = try GradCAM(run: folder, labels: options.labels)
      let size = explainer.preprocessing
      do { try size.checkSize(of: set, for: "the network") } catch let error as MienError { throw error.about(faces) }
      var explanations = Explanations(labels: explainer.labels, method: "gradcam", model: folder.recipe.name)
      let progress = ProgressLine("faces")
      var isWritten = true
      for start in stride(from: 0, to: indices.count, by: Self.batch) {
        let part = Array(indices[start..<min(start + Self.batch, indices.count)])
        let inputs = try part.flatMap { try size.input(pixels: set.face(at: $0), sourceChannels: set.channels) }
        let found = try explainer.maps(of: explainer.labels.emotions, for: inputs, count: part.count)
        for (index, face) in zip(part, found) {
          let explained = ExplainedFace(
            name: "face \(index)", pixels: set.face(at: index), channels: set.channels,
            distribution: face.distribution, maps: face.maps)
          try explanations.add(explained)
          guard options.annotate != nil else { continue }
          let isDone = try options.write(
            picture: explained.picture(), named: "face-\(index).png", progress: progress)
          isWritten = isWritten && isDone
        }
        progress.update(start + part.count, of: indices.count)
      }
      progress.clear()
      return (explanations, isWritten)
    }
    try options.write(lines: explanations.lines, json: explanations.json) {
      explanations.page(environment: [.init("run", folder.url.path), .init("data", faces)]).data
    }
    if !isWritten { throw ExitCode.failure }
  }
}
