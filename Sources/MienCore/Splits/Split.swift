/// Which part of a data set a face belongs to. FER2013's Training, PublicTest and PrivateTest.
public enum Split: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
  case train, validation, test

  /// Reads the names that data sets give their parts: `train`, `Training`, `val`, `PublicTest`, `FER2013Test`,
  /// `test_images`, … Letter case, digits, punctuation and filler words do not matter.
  ///
  /// - Returns: nil for a word that names no part.
  public init?(spelling: String) {
    guard let split = Spelling.key(spelling, fillers: Self.fillers, { Self.spellings[$0] }) else { return nil }
    self = split
  }

  /// The usual names of this part, for messages.
  public var spellings: [String] {
    switch self {
    case .train: ["train", "training"]
    case .validation: ["val", "valid", "validation", "dev", "PublicTest"]
    case .test: ["test", "testing", "PrivateTest"]
    }
  }

  private static let fillers: Set<String> = [
    "data", "face", "faces", "fer", "folder", "image", "images", "img", "imgs", "part", "photos", "pictures", "set",
    "split",
  ]

  private static let spellings: [String: Split] = [
    "train": .train, "training": .train, "trainset": .train, "trainingset": .train,
    "val": .validation, "valid": .validation, "validation": .validation, "valset": .validation,
    "validset": .validation, "validationset": .validation, "dev": .validation, "devset": .validation,
    "publictest": .validation,
    "test": .test, "testing": .test, "testset": .test, "testingset": .test, "privatetest": .test,
  ]
}
