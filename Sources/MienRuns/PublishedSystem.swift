public import MienCore

/// A system that a paper describes: what it reports, and the protocols that Mien measures it under. A YAML file states
/// it; those of `recipes/published` are built in.
public struct PublishedSystem: Sendable, Equatable, Decodable {
  /// What a figure says.
  public enum Measure: Sendable, Hashable {
    /// Share of faces classified correctly, on the measured part.
    case accuracy
    /// Mean -ln p(true class) on the measured part.
    case loss
    /// Share of training faces classified correctly, augmented and with dropout.
    case trainingAccuracy
    /// The loss that training makes small.
    case trainingLoss
    /// Recall of a class on the measured part.
    case recall(Emotion)
    /// F1 of a class on the measured part.
    case f1(Emotion)

    /// The figure's name in tables.
    public var title: String {
      switch self {
      case .accuracy: "accuracy"
      case .loss: "loss"
      case .trainingAccuracy: "training accuracy"
      case .trainingLoss: "training loss"
      case .recall(let emotion): "recall, \(emotion.rawValue)"
      case .f1(let emotion): "F1, \(emotion.rawValue)"
      }
    }

    /// Whether its values are shares in 0…1.
    public var isShare: Bool { self != .loss && self != .trainingLoss }
  }

  /// A figure that the paper reports.
  public struct Figure: Sendable, Hashable {
    /// What it says.
    public let measure: Measure
    /// The paper's value; shares in 0…1.
    public let value: Double

    /// Describes a figure.
    public init(_ measure: Measure, _ value: Double) {
      (self.measure, self.value) = (measure, value)
    }
  }

  /// Whether and how training is repeated.
  public enum Repeats: Sendable, Hashable {
    /// One run.
    case once
    /// One run a fold of a cross-validation.
    case folds(Int)
    /// One run a seed, with a split of its own.
    case seeds(Int)

    /// How many runs that is.
    public var count: Int {
      switch self {
      case .once: 1
      case .folds(let count), .seeds(let count): count
      }
    }
  }

  /// Where a protocol stands.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The paper's, with what makes its figure too good.
    case paper
    /// Without leaks between training and measurement.
    case clean
    /// The paper's, which is clean already.
    case both
  }

  /// A way to train and measure the system.
  public struct Measurement: Sendable, Equatable {
    /// Its name within the system, which is also that of its folder.
    public let name: String
    /// Where it stands.
    public let kind: Kind
    /// What is done, in a sentence.
    public let summary: String
    /// The recipe: the name of a built-in one, or a file beside the system's own.
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
}

extension PublishedSystem {
  package enum CodingKeys: String, CodingKey, CaseIterable { case name, paper, remarks, measurements }

  /// Decodes a system; `remarks` may be left out.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    paper = try container.decode(String.self, forKey: .paper)
    remarks = try container.decodeIfPresent([String].self, forKey: .remarks) ?? []
    measurements = try container.decode([Measurement].self, forKey: .measurements)
  }
}

extension PublishedSystem.Measurement: Decodable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, kind, summary, recipe, source, settings, repeats, part, figures
  }

  /// The names of the keys, for messages about others.
  package static let keys = CodingKeys.allCases.map(\.rawValue)

  /// Decodes a measurement. `name`, `kind`, `summary` and `recipe` are needed; without `part` the validation part is
  /// measured, without `repeats` there is one run, without `source` the faces are one's own.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    kind = try container.decode(PublishedSystem.Kind.self, forKey: .kind)
    summary = try container.decode(String.self, forKey: .summary)
    recipe = try container.decode(String.self, forKey: .recipe)
    source = try container.decodeIfPresent(String.self, forKey: .source)
    settings = try container.decodeIfPresent([String].self, forKey: .settings) ?? []
    repeats = try container.decodeIfPresent(PublishedSystem.Repeats.self, forKey: .repeats) ?? .once
    part = try container.decodeIfPresent(Split.self, forKey: .part) ?? .validation
    figures = try container.decodeIfPresent(PublishedSystem.Figures.self, forKey: .figures)?.list ?? []
  }
}

extension PublishedSystem.Repeats: Decodable {
  package enum CodingKeys: String, CodingKey, CaseIterable { case folds, seeds }

  /// Decodes `{folds: N}` or `{seeds: N}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let counts = try CodingKeys.allCases.compactMap { key in
      try container.decodeIfPresent(Int.self, forKey: key).map { (key, $0) }
    }
    guard counts.count == 1, let (key, count) = counts.first, (2...1000).contains(count) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "expected folds: N or seeds: N with N from 2 to 1,000"))
    }
    self = key == .folds ? .folds(count) : .seeds(count)
  }
}

extension PublishedSystem {
  /// The figures of a measurement as they stand in its file.
  package struct Figures: Decodable {
    package enum CodingKeys: String, CodingKey, CaseIterable {
      case accuracy, loss, trainingAccuracy, trainingLoss, recall, f1
    }

    /// In the order of the keys; of classes in the emotions' order.
    package let list: [Figure]

    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      var list: [Figure] = []
      func add(_ measure: Measure, _ value: Double, _ path: [any CodingKey]) throws {
        guard value.isFinite, value >= 0, !measure.isShare || value <= 1 else {
          throw DecodingError.dataCorrupted(
            .init(
              codingPath: path,
              debugDescription: measure.isShare
                ? "expected a share from 0 to 1, such as 0.8325, found \(value)"
                : "expected a loss from 0, found \(value)"
            ))
        }
        list.append(Figure(measure, value))
      }
      for (key, measure) in [
        (CodingKeys.accuracy, Measure.accuracy), (.loss, .loss), (.trainingAccuracy, .trainingAccuracy),
        (.trainingLoss, .trainingLoss),
      ] {
        if let value = try container.decodeIfPresent(Double.self, forKey: key) {
          try add(measure, value, container.codingPath + [key])
        }
      }
      for key in [CodingKeys.recall, .f1] {
        let values = try container.decodeIfPresent([Emotion: Double].self, forKey: key) ?? [:]
        for (emotion, value) in values.sorted(by: { $0.key < $1.key }) {
          try add(key == .recall ? .recall(emotion) : .f1(emotion), value, container.codingPath + [key])
        }
      }
      self.list = list
    }
  }
}
