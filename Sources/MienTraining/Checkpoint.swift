package import Foundation
public import MienCore
public import MienModels
public import MienRuns
public import MienTorch

/// What a checkpoint says besides its tensors.
public struct Progress: Codable, Sendable, Equatable {
  /// How many training faces of a running epoch had a target for a head, and how many were named right.
  struct Tally: Codable, Sendable, Equatable {
    var counted = 0
    var right = 0
  }

  /// The layout's version.
  public var format = Progress.currentFormat
  /// Steps done.
  public var step = 0
  /// Sum of the running epoch's losses.
  public var lossSum = 0.0
  /// How many steps `lossSum` is over.
  public var lossSteps = 0
  /// What the running epoch's batches came to, a head an entry.
  var tallies: [Tally] = []
  /// Seconds trained, over all sessions.
  public var seconds = 0.0
  /// The best epoch so far.
  public var best: EpochResult?
  /// Every finished epoch.
  public var epochs: [EpochResult] = []
  /// What was trained on.
  public var data: [ModelCard.TrainingData] = []
  /// What the best epoch is chosen by; empty in checkpoints of earlier versions.
  public var selection: [ModelCard.TrainingData] = []
  /// What the initial weights were trained on.
  public var initialData: [ModelCard.TrainingData] = []
  /// What the initial weights were chosen by.
  public var initialSelection: [ModelCard.TrainingData] = []

  static let currentFormat = 1

  /// Nothing done yet.
  package init() {}

  /// Decodes what is there; a key that an earlier version did not write keeps its default.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    func value<Value: Decodable>(_ key: CodingKeys, _ default: Value) throws -> Value {
      try keys.decodeIfPresent(Value.self, forKey: key) ?? `default`
    }
    step = try keys.decode(Int.self, forKey: .step)
    lossSum = try value(.lossSum, 0)
    lossSteps = try value(.lossSteps, 0)
    tallies = try value(.tallies, [])
    seconds = try value(.seconds, 0)
    best = try keys.decodeIfPresent(EpochResult.self, forKey: .best)
    epochs = try value(.epochs, [])
    data = try value(.data, [])
    selection = try value(.selection, [])
    initialData = try value(.initialData, [])
    initialSelection = try value(.initialSelection, [])
  }

  /// Mean loss of the running epoch.
  var meanLoss: Double { lossSum / Double(max(1, lossSteps)) }

  mutating func add(_ loss: Float, heads: [(counted: Int, right: Int)]) {
    step += 1
    lossSum += Double(loss)
    lossSteps += 1
    if tallies.isEmpty { tallies = heads.map { _ in Tally() } }
    for (index, head) in heads.enumerated() {
      tallies[index].counted += head.counted
      tallies[index].right += head.right
    }
  }

  mutating func startEpoch() { (lossSum, lossSteps, tallies) = (0, 0, []) }
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
    struct Version: Decodable { let format: Int }
    let file = try SafeTensors(contentsOf: url)
    let decoder = JSONDecoder()
    let json = Data((file.metadata[metadataKey] ?? "").utf8)
    guard let version = try? decoder.decode(Version.self, from: json) else {
      throw MienError(.format, url.relativePath, "is no checkpoint of a Mien run")
    }
    guard version.format == Progress.currentFormat else {
      throw MienError(
        .format, url.relativePath,
        "checkpoint of format \(version.format), this version reads \(Progress.currentFormat)")
    }
    guard let progress = try? decoder.decode(Progress.self, from: json) else {
      throw MienError(.format, url.relativePath, "is a damaged checkpoint: its progress cannot be read")
    }
    return (file, progress)
  }

  /// The file of the best epoch of `run`.
  ///
  /// - Throws: ``MienError`` where the folder holds a series of runs, or no finished epoch.
  static func best(checkpointOf run: RunFolder) throws -> (file: SafeTensors, progress: Progress) {
    if run.recipe.isSeries { throw run.files.seriesError(run.url.relativePath) }
    guard FileManager.default.fileExists(atPath: run.bestCheckpoint.path) else {
      throw run.files.noEpochError(run.url.relativePath)
    }
    return try read(run.bestCheckpoint)
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
    let (file, progress) = try best(checkpointOf: run)
    let network = try run.recipe.network()
    do { try restore(network.state, prefix: "average", from: file) } catch let error as MienError {
      throw error.about(run.bestCheckpoint.relativePath)
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
