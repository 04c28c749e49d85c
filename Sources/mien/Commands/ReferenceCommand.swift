import ArgumentParser
import Foundation
import MienAdaptation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX

/// `mien reference --data FACES -o MODEL.onnx`: prepares a model for `mien adapt`.
struct Reference: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prepares a model's file for `mien adapt` and --prior.",
    discussion: """
      Stores second-moment statistics of the embeddings, which keep `mien adapt` from degrading other faces, and the share \
      of each emotion, which `--prior` needs, if the card lacks it. Weights and hash are unchanged; the built-in model \
      already has these statistics. -o may name the file of --model, which is then replaced.
      """)

  @Option(
    help: ArgumentHelp("The faces that the model was trained on, or others like them.", valueName: "faces.safetensors"))
  var data: String

  @Option(help: "The part of the set.")
  var split = Split.Choice.train

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the model.", valueName: "model.onnx"))
  var output: String

  @OptionGroup var model: ModelChoice

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: [data])
    let faces = try FaceSet.given(data)
    let file = try model.file()
    let progress = ProgressLine("faces")
    do {
      let reference = try await EmbeddingReference(
        model.naming { try EmotionClassifier(model: file) }, faces: faces, split: split.split
      ) { done, total in progress.update(done, of: total) }
      progress.clear()
      var card = try file.card()
      let labelSets = try card.labelSets()
      for place in card.training.indices
      where card.training[place].classShares == nil && card.training[place].source == faces.info.source
        && card.training[place].split == split.rawValue
      {
        card.training[place].classShares = faces.classShares(of: labelSets, among: faces.indices(in: split.split))
      }
      try file.replacingReference(reference).replacingCard(card).write(to: URL(fileURLWithPath: output))
      ResultFile.wrote(output)
      try Console.print(
        "\(output): averages over \(Spelling.counted(reference.count, "face")) of the set `\(reference.source)`, \(split.rawValue)"
      )
    } catch let error as MienError where error.subject == faces.info.source {
      throw error.about(data)
    }
  }
}
