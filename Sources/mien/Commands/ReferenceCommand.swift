import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX
import Synchronization

/// `mien reference --data FACES -o MODEL.onnx`: prepares a model for `mien adapt`.
struct Reference: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts averages over many faces into a model's file, which `mien adapt` needs.",
    discussion: """
      What is stored are means of products of the embedding's numbers, by which adapting to a few corrections is kept from \
      spoiling the reading of other faces. The weights and their hash stay. The built-in model has it already.
      """)

  @Option(
    help: ArgumentHelp("The faces that the model was trained on, or others like them.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: "The part of the set.")
  var split = MeasureOptions.Part.train

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
    let faces = try FaceSet(contentsOf: URL(fileURLWithPath: data))
    let file = try model.file()
    let progress = Mutex(ProgressLine("faces"))
    do {
      let reference = try await EmbeddingReference(
        model.classifier(of: file), faces: faces, split: Split(rawValue: split.rawValue)
      ) { done, total in progress.withLock { $0.update(done, of: total) } }
      progress.withLock { $0.clear() }
      try file.replacingReference(reference).write(to: URL(fileURLWithPath: output))
      try Console.print("\(output): averages over \(reference.count) faces of \(reference.source), \(split.rawValue)")
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(data)
    }
  }
}
