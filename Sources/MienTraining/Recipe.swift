import MienCore
import MienModels
import MienTorch

/// Everything that decides a training run but its data and the machine: what a recipe file holds.
///
/// Every key has a default; a file or `--set` names only what differs.
public struct Recipe: Codable, Sendable, Equatable {
  /// The network.
  public struct Model: Codable, Sendable, Equatable {
    /// A name in ``ModelRegistry``.
    public var architecture = "mien-s"
    /// The architecture's own options, as JSON.
    public var options = JSONValue.object([:])
    /// 1 (grey) or 3 (RGB).
    public var channels = 1
    /// Whether histograms are equalised first.
    public var equalize = false
  }

  /// One head of the network and its share of the loss.
  public struct Head: Codable, Sendable, Equatable {
    /// The label set: `fer2013`, `ferplus`, `ckplus48`.
    public var labels: String
    /// Factor of the head's loss.
    public var weight: Float

    /// A head for `labels`.
    public init(labels: String, weight: Float) {
      self.labels = labels
      self.weight = weight
    }
  }

  /// Gradient descent.
  public struct Optimizer: Codable, Sendable, Equatable {
    /// The rule; `sgd` is the only one yet.
    public var name = "sgd"
    /// Peak learning rate.
    public var learningRate = 0.1
    /// 0..<1.
    public var momentum = 0.9
    /// Nesterov's variant.
    public var nesterov = true
    /// L2 coefficient on weights.
    public var weightDecay = 5e-4
    /// Largest joint L2 norm of the gradients; 0 for none.
    public var gradientClip = 5.0
  }

  /// Learning rate over the run.
  public struct LearningRateSchedule: Codable, Sendable, Equatable {
    /// `constant` or `cosine`.
    public var name = "cosine"
    /// Epochs of linear warm-up.
    public var warmupEpochs = 1.0
    /// Rate at the end relative to the peak.
    public var final = 0.0
    /// Warm restarts of a cosine.
    public var restarts: [Restart] = []
  }

  /// A warm restart of the learning rate.
  public struct Restart: Codable, Sendable, Equatable {
    /// Epochs done when it begins.
    public var epoch: Int
    /// The rate it begins with, relative to the peak.
    public var peak: Double
  }

  /// Name of the run and of the exported model.
  public var name = "model"
  /// A sentence for the model's card.
  public var summary = ""
  /// The network.
  public var model = Model()
  /// The heads, at least one.
  public var heads = [Head(labels: "fer2013", weight: 1)]
  /// Passes over the training split.
  public var epochs = 24
  /// Faces a step.
  public var batchSize = 128
  /// Of all randomness in the run.
  public var seed: UInt64 = 1
  /// Share of each target spread over all classes.
  public var labelSmoothing: Float = 0
  /// Decay a step of the moving average of weights that is measured and exported; 0 for none.
  public var averageDecay = 0.999
  /// Gradient descent.
  public var optimizer = Optimizer()
  /// Learning rate over the run.
  public var schedule = LearningRateSchedule()
  /// What is done to faces while training.
  public var augmentation = Augmentation()
  /// Seconds between checkpoints within an epoch.
  public var checkpointEverySeconds = 120.0

  /// The defaults.
  public init() {}

  /// The schedule over `epochs`.
  var learningRate: Schedule {
    guard schedule.name == "cosine" else { return .constant }
    return .cosine(
      warmup: schedule.warmupEpochs / Double(epochs), final: schedule.final,
      restarts: schedule.restarts.map { .init(start: Double($0.epoch) / Double(epochs), peak: $0.peak) })
  }

  /// The label sets of the heads, in order.
  func labelSets() throws -> [LabelSet] {
    try heads.map { head in
      guard let known = LabelSet.known.first(where: { $0.name == head.labels }) else {
        throw MienError(.argument, "heads.labels \(head.labels)", "unknown label set")
      }
      return known
    }
  }
}
