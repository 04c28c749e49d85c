import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX

/// `mien reference --data FACES -o MODEL.onnx`: prepares a model for `mien adapt`.
struct Reference: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prepares a model's file for `mien adapt`.",
    discussion: """
      Stores second-moment statistics of the embeddings, which keep `mien adapt` from degrading other faces. Weights and \
      hash are unchanged; the built-in model already has these statistics.
      """)

  @Option(
    help: ArgumentHelp("The faces that the model was trained on, or others like them.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: "The part of the set.")
  var split = Split.Choice.train

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the model.", valueName: "model.onnx"))
  var output: String

  @OptionGroup var model: ModelOptions

  func validate() throws {
    guard model.profile == nil else {
      throw ValidationError("a profile has no place here: the averages are the model's")
    }
  }

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: [data])
    let faces = try FaceSet.given(data)
    let file = try model.file()
    let progress = ProgressLine("faces")
    do {
      let reference = try await EmbeddingReference(
        model.classifier(of: file), faces: faces, split: split.split
      ) { done, total in progress.update(done, of: total) }
      progress.clear()
      try file.replacingReference(reference).write(to: URL(fileURLWithPath: output))
      ResultFile.wrote(output)
      try Console.print(
        "\(output): averages over \(Spelling.counted(reference.count, "face")) of \(reference.source), \(split.rawValue)"
      )
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(data)
    }
  }
}
