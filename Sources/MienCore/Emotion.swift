/// An expression that Mien can name. A reading describes what a face shows, not what a person feels.
///
/// The eight classes of FER+; FER2013 has no `contempt` and CK+48 has no `neutral`. The order of cases carries no
/// meaning: the order of a model's outputs stands in its card and that of a data set's labels in its metadata.
public enum Emotion: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable, Hashable, Comparable {
  case anger, contempt, disgust, fear, happiness, neutral, sadness, surprise

  /// Alphabetical, for stable tables.
  public static func < (a: Emotion, b: Emotion) -> Bool { a.rawValue < b.rawValue }

  /// Reads the spellings found in data sets: `angry`, `Happy`, `sad`, `SURPRISED`, `neutrality`, …
  ///
  /// - Returns: nil where the word names none of the eight emotions. Bare digits are not read here, since their
  ///   meaning depends on the data set; see ``LabelSet/emotion(spelled:)``.
  public init?(spelling: String) {
    let word = spelling.lowercased().filter(\.isLetter)
    guard let emotion = Self.spellings[word] else { return nil }
    self = emotion
  }

  /// The words that name an emotion of `labels`, for messages: those of one emotion together.
  public static func spellings(in labels: LabelSet) -> [String] {
    labels.emotions.flatMap { emotion in spellings.filter { $0.value == emotion }.keys.sorted() }
  }

  private static let spellings: [String: Emotion] = [
    "anger": .anger, "angry": .anger, "an": .anger,
    "contempt": .contempt, "contemptuous": .contempt, "co": .contempt,
    "disgust": .disgust, "disgusted": .disgust, "di": .disgust,
    "fear": .fear, "fearful": .fear, "afraid": .fear, "scared": .fear, "fe": .fear,
    "happiness": .happiness, "happy": .happiness, "joy": .happiness, "ha": .happiness,
    "neutral": .neutral, "neutrality": .neutral, "normal": .neutral, "ne": .neutral,
    "sadness": .sadness, "sad": .sadness, "sa": .sadness,
    "surprise": .surprise, "surprised": .surprise, "su": .surprise,
  ]
}
