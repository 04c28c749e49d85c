import Foundation
import MienCore
import MienModels
import MienTorch

/// The weights of another run that a run begins with.
@TorchActor struct InitialWeights {
  /// The other run's.
  let recipe: Recipe
  /// What the other run was trained on.
  let data: [ModelCard.TrainingData]
  private let path: String
  private let file: SafeTensors
  private static let prefix = "average."

  /// Reads the best weights of the run folder `path`.
  ///
  /// - Throws: ``MienError`` where it is none or has no finished epoch. An exported model is refused: in it batch norm is
  ///   folded into convolutions, so that training it on would begin from another function.
  init(_ path: String) throws {
    self.path = path
    let url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      throw MienError(
        .mismatch, path,
        "expected a run folder, found a file. An exported model cannot be trained on, since its batch norm is folded "
          + "into its convolutions: give the folder of the run that it was exported from")
    }
    let run = try RunFolder(opening: url)
    recipe = run.recipe
    let (file, progress) = try Checkpoint.best(checkpointOf: run)
    self.file = file
    data = progress.initialData + progress.data
  }

  /// Copies the weights into `networks`, which share one architecture. A head takes the weights of the other run's head
  /// for the same label set, and stays fresh where there is none.
  ///
  /// - Returns: what was not taken over, in words.
  /// - Throws: ``MienError`` naming the first tensor but a head's that one of the two lacks or that has another shape.
  func load(into networks: [FaceNetwork]) throws -> [String] {
    guard let first = networks.first else { return [] }
    let theirs = try recipe.labelSets()
    var sources: [String: String] = [:]
    var notes: [String] = []
    for (index, labels) in first.labels.enumerated() {
      guard let source = theirs.firstIndex(of: labels) else {
        notes.append("the head \(labels.name) starts with fresh weights: \(path) has none")
        continue
      }
      sources["heads.\(index)."] = "heads.\(source)."
    }
    notes += theirs.filter { !first.labels.contains($0) }.map { "the head \($0.name) of \(path) is left behind" }
    let advice = "model.architecture and model.options must be those of \(path)"
    let names = Set(first.state.map(\.name))
    let surplus = file.tensors.keys.sorted().first { name in
      name.hasPrefix(Self.prefix + "trunk.") || name.hasPrefix(Self.prefix + "neck.")
        ? !names.contains(String(name.dropFirst(Self.prefix.count))) : false
    }
    if let surplus {
      throw MienError(.mismatch, path, "its tensor \(surplus.dropFirst(Self.prefix.count)) has no place; \(advice)")
    }
    for (name, target) in networks.flatMap(\.state) {
      var source = name
      if name.hasPrefix("heads.") {
        guard let pair = sources.first(where: { name.hasPrefix($0.key) }) else { continue }
        source = pair.value + name.dropFirst(pair.key.count)
      }
      let shape = try target.shape
      guard let stored = file.tensors[Self.prefix + source] else {
        throw MienError(.mismatch, path, "it has no tensor \(source); \(advice)")
      }
      guard stored.shape == shape else {
        throw MienError(.mismatch, path, "its tensor \(source) is \(stored.shape), here it is \(shape); \(advice)")
      }
      try target.copyInPlace(Tensor(stored.values(Float.self), shape: shape))
    }
    return notes
  }
}
