public import MienCore

/// A system that a paper describes: what it reports, and the protocols that Mien measures it under.
public struct PublishedSystem: Sendable {
  /// What a figure says.
  public enum Measure: Codable, Sendable, Hashable {
    /// Share of faces that is right, on the measured part.
    case accuracy
    /// Mean -ln p(true class) on the measured part.
    case loss
    /// Share of training faces that is right, augmented and with dropout.
    case trainingAccuracy
    /// The loss that training makes small.
    case trainingLoss
    /// Recall of a class on the measured part.
    case recall(Emotion)
    /// F1 of a class on the measured part.
    case f1(Emotion)
  }

  /// A figure that the paper reports.
  public struct Figure: Sendable, Hashable {
    /// What it says.
    public let measure: Measure
    /// The paper's value; shares in 0…1.
    public let value: Double
  }

  /// Whether and how training is repeated.
  public enum Repeats: Sendable, Hashable {
    /// One run.
    case once
    /// One run a fold of a cross-validation.
    case folds(Int)
    /// One run a seed, with a split of its own.
    case seeds(Int)
  }

  /// Where a protocol stands.
  public enum Kind: String, Codable, Sendable {
    /// The paper's, with what makes its figure too good.
    case paper
    /// Without leaks between training and measurement.
    case clean
    /// The paper's, which is clean already.
    case both
  }

  /// A way to train and measure the system.
  public struct Measurement: Sendable {
    /// Its name within the system, which is also that of its folder.
    public let name: String
    /// Where it stands.
    public let kind: Kind
    /// What is done, in a sentence.
    public let summary: String
    /// The built-in recipe.
    public let recipe: String
    /// The source of the FaceSet; nil for one's own.
    public let source: String?
    /// What differs from the recipe.
    public let settings: [String]
    /// Whether and how training is repeated.
    public let repeats: Repeats
    /// The part that the figures are of.
    public let part: Split
    /// What the paper reports under it.
    public let figures: [Figure]
    /// Whether the figures are of all runs together: those with draws of their own are measured on different faces, so
    /// none of them stands for the others.
    public var isPooled: Bool { if case .seeds = repeats { true } else { false } }
  }

  /// Its name in commands.
  public let name: String
  /// The paper.
  public let paper: String
  /// The ways to measure it, the paper's first.
  public let measurements: [Measurement]
  /// What a reader of the figures should know.
  public let remarks: [String]

  /// The systems known by name.
  public static let all = [chen, javier, gao, leShallow, leDeep, yousaf]
}

extension PublishedSystem {
  static let chen = PublishedSystem(
    name: "chen", paper: "J. Chen, CNN-Based Facial Emotion Recognition: Modeling and Evaluation",
    measurements: [
      Measurement(
        name: "random-split", kind: .paper,
        summary: "CK+48, a random fifth set aside, stratified cross-validation inside the rest; each fold's model is "
          + "measured on the same fifth, and the one of least validation loss stands against the paper",
        recipe: "chen", source: "ckplus48", settings: [], repeats: .folds(5), part: .test,
        figures: [
          .init(.accuracy, 0.8325), .init(.loss, 0.5008), .init(.recall(.anger), 0.989), .init(.recall(.sadness), 0.57),
        ]),
      Measurement(
        name: "grouped-by-person", kind: .clean,
        summary: "CK+48, no person on both sides: a fifth of the people set aside, a fifth of the rest to choose the "
          + "epoch by, over ten seeds of draw and weights",
        recipe: "chen", source: "ckplus48",
        settings: ["split.groupBy=subject", "folds.kind=grouped", "folds.count=5", "folds.fold=1"],
        repeats: .seeds(10), part: .test, figures: []),
    ],
    remarks: [
      "CK+48 has three frames of each sequence: a random split puts near-copies of a test face, and always frames of "
        + "the same person, among the training faces."
    ])

  static let javier = PublishedSystem(
    name: "javier", paper: "J. Javier, Facial Expression Detection Using CNN Model",
    measurements: [
      official(
        recipe: "javier",
        figures: [
          .init(.accuracy, 0.6215), .init(.loss, 1.0121), .init(.trainingAccuracy, 0.6047),
          .init(.trainingLoss, 1.0447),
        ])
    ], remarks: [selection])

  static let gao = PublishedSystem(
    name: "gao", paper: "Z. Gao et al., Emotion Recognition from Facial Expressions Using CNNs",
    measurements: [
      official(recipe: "gao", figures: [.init(.accuracy, 0.6159), .init(.trainingAccuracy, 0.6679)])
    ], remarks: [selection])

  static let leShallow = PublishedSystem(
    name: "le-shallow", paper: "Le, Pham, Hoang, CNNs for Facial Emotion Recognition, the shallow network",
    measurements: [
      official(
        recipe: "le-shallow",
        figures: [.init(.accuracy, 0.5631)]
          + classes([
            .anger: 0.4070, .disgust: 0.375, .fear: 0.2849, .happiness: 0.7771, .sadness: 0.6361,
            .surprise: 0.6787, .neutral: 0.4846,
          ]).map { .init(.recall($0), $1) })
    ], remarks: [selection])

  static let leDeep = PublishedSystem(
    name: "le-deep", paper: "Le, Pham, Hoang, CNNs for Facial Emotion Recognition, the deep network",
    measurements: [
      official(
        recipe: "le-deep",
        figures: [.init(.accuracy, 0.6555)]
          + classes([
            .anger: 0.5124, .disgust: 0.5714, .fear: 0.4741, .happiness: 0.8663, .sadness: 0.5492,
            .surprise: 0.767, .neutral: 0.6245,
          ]).map { .init(.recall($0), $1) })
    ], remarks: [selection])

  static let yousaf = PublishedSystem(
    name: "yousaf", paper: "S. Yousaf et al., Modified CNNs for Facial Emotion Classification, IJIST 6(4), 2024",
    measurements: [
      Measurement(
        name: "fer2013-as-written", kind: .paper,
        summary: "FER2013 with the paper's learning rate of 0.01: balanced by copies, then split 75:25 at random",
        recipe: "yousaf", source: "fer2013", settings: [], repeats: .once, part: .validation,
        figures: [.init(.accuracy, 0.854)]),
      Measurement(
        name: "fer2013-leaky", kind: .paper,
        summary: "FER2013 with a learning rate at which the network learns: balanced by copies, then split 75:25 at "
          + "random, so that copies of one face stand on both sides",
        recipe: "yousaf-trainable", source: "fer2013", settings: [], repeats: .once, part: .validation,
        figures: [.init(.accuracy, 0.854)]
          + classes([
            .anger: 0.82, .disgust: 0.85, .fear: 0.80, .happiness: 0.93, .neutral: 0.85, .sadness: 0.81,
            .surprise: 0.90,
          ]).map { .init(.f1($0), $1) }),
      Measurement(
        name: "fer2013-clean", kind: .clean,
        summary: "FER2013's own split, the training part alone balanced by copies", recipe: "yousaf-trainable",
        source: "fer2013",
        settings: [
          "split.train=0", "split.validation=0", "balance.when=afterSplit",
          "earlyStopping={metric: accuracy, patience: 5}",
        ], repeats: .once, part: .validation, figures: []),
      Measurement(
        name: "ckplus48-leaky", kind: .paper, summary: "CK+48, balanced by copies, then split 80:20 at random",
        recipe: "yousaf-trainable", source: "ckplus48",
        settings: ["heads=[{labels: ckplus48, weight: 1}]", "split.train=0.8", "split.validation=0.2"]
          + ckplus48Training,
        repeats: .once,
        part: .validation,
        figures: [.init(.accuracy, 0.894)]
          + classes([.anger: 0.85, .disgust: 0.89, .fear: 0.91, .happiness: 0.95, .sadness: 0.87, .surprise: 0.92]).map
        {
          .init(.f1($0), $1)
        }),
      Measurement(
        name: "ckplus48-clean", kind: .clean,
        summary: "CK+48, no person on both sides: a fifth of the people set aside, a fifth of the rest to choose the "
          + "epoch by, the training part alone balanced by copies; five seeds of draw and weights",
        recipe: "yousaf-trainable", source: "ckplus48",
        settings: [
          "heads=[{labels: ckplus48, weight: 1}]", "split={train: 0.8, validation: 0, test: 0.2, groupBy: subject}",
          "folds.kind=grouped", "folds.count=5", "folds.fold=1", "balance.when=afterSplit",
        ] + ckplus48Training, repeats: .seeds(5), part: .test, figures: []),
      Measurement(
        name: "own-videos", kind: .paper,
        summary: "One's own faces out of videos, balanced by copies, then split 90:10 at random",
        recipe: "yousaf-trainable", source: nil, settings: ["split.train=0.9", "split.validation=0.1"], repeats: .once,
        part: .validation, figures: [.init(.accuracy, 0.974)]),
    ],
    remarks: [
      "The paper's tables for FER2013 and CK+ are headed \"training results\": compare them with the training accuracy "
        + "too. Its text tells of 68 to 72 % across two attempts and 86 % after five.",
      "Copies made before a random split stand on both sides, and FER2013 has exact copies of its own.",
      "Its CK+ has neutral faces; CK+48 has none, and has contempt instead.",
      "But for CK+48 by person, the epoch is the one of best accuracy on the faces measured, as in the paper: a figure "
        + "chosen so reads a little high.",
    ])

  /// What suits yousaf's network to CK+48, which is 40 times smaller than FER2013.
  private static let ckplus48Training = ["epochs=60", "optimizer.learningRate=0.001"]

  private static let selection =
    "The epoch is the one of best accuracy on PublicTest, and the figures are of PublicTest too, as in the paper: a "
    + "figure chosen so reads a little high."

  /// FER2013's own split: training on Training, choosing and measuring on PublicTest.
  private static func official(recipe: String, figures: [Figure]) -> Measurement {
    Measurement(
      name: "official", kind: .both,
      summary: "FER2013's own split: trained on Training, chosen and measured on PublicTest", recipe: recipe,
      source: "fer2013", settings: [], repeats: .once, part: .validation, figures: figures)
  }

  /// In the emotions' order.
  private static func classes(_ values: [Emotion: Double]) -> [(Emotion, Double)] {
    values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

extension PublishedSystem.Figure {
  fileprivate init(_ measure: PublishedSystem.Measure, _ value: Double) {
    self.measure = measure
    self.value = value
  }
}

extension PublishedSystem.Measurement {
  /// The runs to train, by the names of their folders; an empty name for a run that is the measurement's own folder.
  ///
  /// - Parameters:
  ///   - labels: the label set of the FaceSet.
  ///   - epochs: at most so many; nil for the recipe's.
  ///   - folds: so many folds or seeds where there are any; nil for the protocol's.
  /// - Throws: ``MienError`` where the numbers do not fit the recipe.
  public func runs(labels: LabelSet, epochs: Int? = nil, folds: Int? = nil) throws -> [(name: String, recipe: Recipe)] {
    func recipe(_ more: [String]) throws -> Recipe {
      let own = source == nil ? ["heads=[{labels: \(labels.name), weight: 1}]"] : []
      var recipe = try RecipeFile.builtIn(self.recipe, settings: settings + own + more)
      recipe.epochs = min(recipe.epochs, epochs ?? recipe.epochs)
      return recipe
    }
    switch repeats {
    case .once: return [("", try recipe([]))]
    case .folds(let count):
      let count = folds ?? count
      return try (1...max(2, count)).map {
        ("fold-\($0)", try recipe(["folds.count=\(max(2, count))", "folds.fold=\($0)"]))
      }
    case .seeds(let count):
      return try (1...max(1, folds ?? count)).map { seed in
        ("seed-\(seed)", try recipe(["seed=\(seed)", "split.seed=\(seed)", "folds.seed=\(seed)"]))
      }
    }
  }
}
