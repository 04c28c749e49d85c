import Foundation
public import MienCore
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
    /// The architecture's own options.
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
    public var weight: Double

    /// A head for `labels`.
    public init(labels: String, weight: Double) {
      self.labels = labels
      self.weight = weight
    }

    /// Decodes a head; without `weight` it has 1.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      labels = try container.decode(String.self, forKey: .labels)
      weight = try container.decodeIfPresent(Double.self, forKey: .weight) ?? 1
    }
  }

  /// Gradient descent.
  public struct Optimizer: Codable, Sendable, Equatable {
    /// The rule.
    public enum Rule: String, Codable, Sendable, CaseIterable { case sgd, adam, adamw, rmsprop }

    /// The rule.
    public var name = Rule.sgd
    /// Peak learning rate.
    public var learningRate = 0.1
    /// Of `sgd` and `rmsprop`, 0..<1.
    public var momentum = 0.9
    /// Nesterov's variant of `sgd`.
    public var nesterov = true
    /// Decay of the mean of gradients in `adam` and `adamw`, 0..<1.
    public var beta1 = 0.9
    /// Decay of the mean of their squares in `adam` and `adamw`, 0..<1.
    public var beta2 = 0.999
    /// Decay of the mean of squares in `rmsprop`, 0..<1.
    public var rho = 0.9
    /// Added to the root of the mean of squares in `adam`, `adamw` and `rmsprop`.
    public var epsilon = 1e-7
    /// L2 coefficient on weights; in `adamw` the decoupled decay.
    public var weightDecay = 5e-4
    /// Largest joint L2 norm of the gradients; 0 for none.
    public var gradientClip = 5.0
  }

  /// What is made small.
  public struct Loss: Codable, Sendable, Equatable {
    /// How much each class counts.
    public enum ClassWeights: String, Codable, Sendable, CaseIterable { case none, balanced }

    /// Share of each target spread over all classes, 0..<1.
    public var labelSmoothing = 0.0
    /// Exponent of the focal loss; 0 for plain cross-entropy.
    public var focalGamma = 0.0
    /// `balanced`: a class counts by the inverse of its share of the training faces.
    public var classWeights = ClassWeights.none
  }

  /// Learning from trained networks besides the labels.
  public struct Teachers: Codable, Sendable, Equatable {
    /// Run folders, whose best networks' probabilities are averaged; none for no distillation.
    public var runs: [String] = []
    /// Share of the distillation loss in a head's loss, 0…1.
    public var weight = 0.5
    /// Divides both networks' logits, above 0.
    public var temperature = 2.0
  }

  /// Learning rate over the run.
  public struct LearningRateSchedule: Codable, Sendable, Equatable {
    /// The rule.
    public enum Rule: String, Codable, Sendable, CaseIterable {
      case constant, step, exponential, cosine, oneCycle, plateau
    }

    /// The rule.
    public var name = Rule.cosine
    /// Epochs of linear warm-up; of the rise in `oneCycle`.
    public var warmupEpochs = 1.0
    /// Rate at the end relative to the peak, in `cosine` and `oneCycle`.
    public var final = 0.0
    /// Rate at the start relative to the peak, in `oneCycle`.
    public var initial = 0.04
    /// Factor of the rate: after every `everyEpochs` in `step`, each epoch in `exponential`, at a plateau in `plateau`.
    public var factor = 0.1
    /// Epochs between the steps of `step`.
    public var everyEpochs = 10.0
    /// Epochs without a better score that make a plateau, in `plateau`.
    public var patienceEpochs = 5
    /// Warm restarts of `cosine`.
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
  /// What is made small.
  public var loss = Loss()
  /// Learning from trained networks besides the labels.
  public var teachers = Teachers()
  /// Decay a step of the moving average of weights that is measured and exported; 0 for none.
  public var averageDecay = 0.999
  /// Gradient descent.
  public var optimizer = Optimizer()
  /// Learning rate over the run.
  public var schedule = LearningRateSchedule()
  /// What is done to faces while training.
  public var augmentation = Augmentation()
  /// Smaller faces in the first epochs.
  public var progressive = ProgressiveResizing()
  /// Seconds between checkpoints within an epoch.
  public var checkpointEverySeconds = 120.0
  /// What the best epoch is chosen by.
  public var selection = Selection()
  /// When training ends before its last epoch.
  public var earlyStopping = EarlyStopping()
  /// A split instead of the data sets' own.
  public var split = SplitRule()
  /// Cross-validation.
  public var folds = FoldRule()
  /// Seeds to train with in turn, instead of `seed`.
  public var seeds: [UInt64] = []
  /// Copies that make up for small classes.
  public var balance = Balance()
  /// The run folder or the model whose weights this run begins with, or the built-in model's name; empty for fresh ones.
  public var initialWeights = ""
  /// How many of the trunk's first layers keep their initial weights and statistics.
  public var freeze = 0

  /// The defaults.
  public init() {}

  /// The learning rate relative to its peak.
  var learningRate: Schedule {
    let rule: Schedule.Rule =
      switch schedule.name {
      case .constant: .constant
      case .step: .step(epochs: schedule.everyEpochs, factor: schedule.factor)
      case .exponential: .exponential(factor: schedule.factor)
      case .cosine:
        .cosine(
          final: schedule.final, restarts: schedule.restarts.map { .init(epoch: Double($0.epoch), peak: $0.peak) })
      case .oneCycle: .oneCycle(rise: schedule.warmupEpochs, initial: schedule.initial, final: schedule.final)
      case .plateau: .plateau(patience: schedule.patienceEpochs, factor: schedule.factor)
      }
    return Schedule(rule, warmup: schedule.warmupEpochs, epochs: Double(epochs))
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

extension Recipe {
  /// The recipe with whole paths, since a run folder may be resumed from another working directory.
  public var withAbsolutePaths: Recipe {
    func whole(_ path: String) -> String { path.isEmpty ? path : URL(fileURLWithPath: path).path }
    var recipe = self
    let isFile = FileManager.default.fileExists(atPath: initialWeights)
    // The built-in model has a name, not a path.
    if isFile || (try? InitialWeights.builtInModel(named: initialWeights)) == nil {
      recipe.initialWeights = whole(initialWeights)
    }
    recipe.teachers.runs = teachers.runs.map(whole)
    return recipe
  }
}
