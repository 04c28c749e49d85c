import Foundation
import MienCore
import MienModels
import MienTorch

/// The trained networks that a run learns from, by knowledge distillation.
@TorchActor final class Teachers {
  private let networks: [FaceNetwork]
  /// The label sets of the student's heads.
  private let labels: [LabelSet]
  private let loss: Distillation
  private let weight: Float

  /// Loads the best networks of the recipe's `teachers.runs`.
  ///
  /// - Throws: ``MienError`` naming a run that cannot be read, or that takes other input than the student.
  init(_ recipe: Recipe) throws {
    labels = try recipe.labelSets()
    loss = Distillation(temperature: Float(recipe.teachers.temperature))
    weight = Float(recipe.teachers.weight)
    networks = try recipe.teachers.runs.map { path in
      let run = try RunFolder(opening: URL(fileURLWithPath: path))
      guard run.recipe.preprocessing == recipe.preprocessing else {
        throw MienError(.mismatch, path, "a teacher must take the same input as the network that learns from it")
      }
      return try Checkpoint.best(of: run).network
    }
  }

  /// The teachers' mean opinion for each head, `[N, K]`, nil where none knows the head's label set.
  func opinions(of faces: Tensor) throws -> [Tensor?] {
    try Tensor.withGradients(false) {
      let logits = try Torch.withAutocast {
        try networks.map { ($0.labels, try $0.logits(faces, .inference).map { try $0.cast(to: .f32) }) }
      }
      return try labels.map { label in
        let opinions = try logits.compactMap { known, outputs in
          try known.firstIndex(of: label).map { try loss.opinion(logits: outputs[$0]) }
        }
        guard let first = opinions.first else { return nil }
        return try opinions.dropFirst().reduce(first) { try $0.adding($1) }.scaled(by: 1 / Float(opinions.count))
      }
    }
  }

  /// A head's loss with the share of distillation in it.
  func blend(_ term: Tensor, logits: Tensor, opinion: Tensor) throws -> Tensor {
    try term.scaled(by: 1 - weight).adding(loss(logits: logits, opinion: opinion).scaled(by: weight))
  }
}
