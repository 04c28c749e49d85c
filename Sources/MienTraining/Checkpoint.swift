package import Foundation
public import MienCore
public import MienModels
public import MienTorch

/// What a checkpoint says besides its tensors.
public struct Progress: Codable, Sendable, Equatable {
  /// The layout's version.
  public var format = Progress.currentFormat
  /// Steps done.
  public var step = 0
  /// Sum of the running epoch's losses.
  public var lossSum = 0.0
  /// How many steps `lossSum` is over.
  public var lossSteps = 0
  /// Seconds trained, over all sessions.
  public var seconds = 0.0
  /// The best selection metric so far, and its epoch.
  public var best: EpochResult?
  /// What each epoch came to, higher is better.
  public var scores: [Double] = []
  /// What was trained on.
  public var data: [ModelCard.TrainingData] = []

  static let currentFormat = 1

  /// Nothing done yet.
  package init() {}

  /// Mean loss of the running epoch.
  var meanLoss: Double { lossSum / Double(max(1, lossSteps)) }

  mutating func add(_ loss: Float) {
    step += 1
    lossSum += Double(loss)
    lossSteps += 1
  }

  mutating func startEpoch() { (lossSum, lossSteps) = (0, 0) }
}

/// Saves and restores a run's tensors.
///
/// Tensors are named `weights.PATH`, `average.PATH` and `velocity.PATH` after the network's property paths.
@TorchActor public enum Checkpoint {
  static let metadataKey = "mien.checkpoint"

  /// Writes `groups` (prefix, names, tensors) and `progress` as a whole or not at all.
  package static func write(_ groups: [String: [(name: String, value: Tensor)]], progress: Progress, to url: URL) throws
  {
    let json = try JSONEncoder().encode(progress)
    var file = SafeTensors(metadata: [metadataKey: String(decoding: json, as: UTF8.self)])
    for (prefix, tensors) in groups {
      for (name, value) in tensors {
        file.tensors["\(prefix).\(name)"] = try .init(value.floats(), shape: value.shape)
      }
    }
    try file.write(to: url)
  }

  /// Reads a checkpoint's tensors and progress.
  package static func read(_ url: URL) throws -> (file: SafeTensors, progress: Progress) {
    let file = try SafeTensors(contentsOf: url)
    guard let json = file.metadata[metadataKey],
      let progress = try? JSONDecoder().decode(Progress.self, from: Data(json.utf8))
    else { throw MienError(.format, url.path, "is no checkpoint of a Mien run") }
    guard progress.format == Progress.currentFormat else {
      throw MienError(
        .format, url.path, "checkpoint of format \(progress.format), this version reads \(Progress.currentFormat)")
    }
    return (file, progress)
  }

  /// Copies the tensors called `prefix.PATH` into `targets`.
  package static func restore(_ targets: [(name: String, value: Tensor)], prefix: String, from file: SafeTensors) throws
  {
    for (name, target) in targets {
      let shape = try target.shape
      let stored = try file.tensor("\(prefix).\(name)", type: .f32, rank: shape.count)
      guard stored.shape == shape else {
        throw MienError(.mismatch, nil, "\(prefix).\(name) has the shape \(stored.shape), the network's is \(shape)")
      }
      try target.copyInPlace(Tensor(stored.values(Float.self), shape: shape))
    }
  }

  /// The network of `run` with the weights of its best epoch, and what is known of it.
  public static func best(of run: RunFolder) throws -> (network: FaceNetwork, progress: Progress) {
    let (file, progress) = try read(run.bestCheckpoint)
    let network = try run.recipe.network()
    do { try restore(network.state, prefix: "average", from: file) } catch let error as MienError {
      throw error.about(run.bestCheckpoint.path)
    }
    return (network, progress)
  }
}

extension FaceNetwork {
  /// Parameters and buffers by path.
  package var state: [(name: String, value: Tensor)] { Parameters.state(of: self).map { ($0.name, $0.item.value) } }
}

extension Recipe {
  /// The recipe's network with fresh weights of its seed.
  @TorchActor package func network() throws -> FaceNetwork {
    var random = SeededRandom(seed: seed, stream: 0)
    return try architecture(RecipePlaces(file: name)).network(
      channels: model.channels, labels: labelSets(), random: &random)
  }
}
