/// A named, ordered list of emotions: the meaning of a label index or of a model's output channel.
///
/// Order exists only here, as data that travels with a FaceSet or a model card.
public struct LabelSet: Sendable, Hashable, Codable {
  /// The set's name, as in `--labels` and in a model's output names: `fer2013`, `ferplus`, `ckplus48`, …
  public let name: String
  /// The emotions in index order, each at most once, at least two.
  public let emotions: [Emotion]

  /// Makes a label set.
  ///
  /// - Throws: ``MienError`` where an emotion stands twice, or fewer than two stand.
  public init(name: String, emotions: [Emotion]) throws {
    guard emotions.count >= 2, Set(emotions).count == emotions.count else {
      throw MienError(
        .format, name, "a label set needs at least two different emotions, found \(emotions.map(\.rawValue))")
    }
    self.name = name
    self.emotions = emotions
  }

  private init(known name: String, _ emotions: [Emotion]) {
    self.name = name
    self.emotions = emotions
  }

  /// Decodes and validates as ``init(name:emotions:)`` does.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      name: container.decode(String.self, forKey: .name),
      emotions: container.decode([Emotion].self, forKey: .emotions))
  }

  private enum CodingKeys: String, CodingKey { case name, emotions }

  /// FER2013's seven classes in the order of its CSV (0 anger … 6 neutral).
  public static let fer2013 = LabelSet(
    known: "fer2013", [.anger, .disgust, .fear, .happiness, .sadness, .surprise, .neutral])
  /// FER+'s eight emotions in the order of its vote columns.
  public static let ferplus = LabelSet(
    known: "ferplus", [.neutral, .happiness, .surprise, .sadness, .anger, .disgust, .fear, .contempt])
  /// CK+48's seven classes (no neutral), alphabetical.
  public static let ckplus48 = LabelSet(
    known: "ckplus48", [.anger, .contempt, .disgust, .fear, .happiness, .sadness, .surprise])

  /// The sets known by name.
  public static let known: [LabelSet] = [.fer2013, .ferplus, .ckplus48]

  /// How many classes the set has.
  public var count: Int { emotions.count }

  /// The index of `emotion`, or nil where the set lacks it.
  public func index(of emotion: Emotion) -> Int? { emotions.firstIndex(of: emotion) }
}
