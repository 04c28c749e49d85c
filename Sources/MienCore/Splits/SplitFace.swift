/// What a split must know of a face.
public struct SplitFace: Sendable, Equatable {
  /// The data set's own label; nil where it gives none.
  public var emotion: Emotion?
  /// The data set's own split.
  public var split: Split
  /// Who it is, unique over all data sets; nil where it is not known.
  public var subject: String?
  /// Which sequence of pictures it is from, unique over all data sets; nil where it is not known.
  public var sequence: String?

  /// Describes a face.
  public init(emotion: Emotion?, split: Split = .train, subject: String? = nil, sequence: String? = nil) {
    self.emotion = emotion
    self.split = split
    self.subject = subject
    self.sequence = sequence
  }
}

extension FaceSet {
  /// Every face as a split sees it. Sets of one source share their subjects.
  public var splitFaces: [SplitFace] {
    (0..<count).map { index in
      let row = self[index]
      return SplitFace(
        emotion: row.label, split: row.split, subject: row.subject.map { "\(info.source)/\($0)" },
        sequence: row.sequence.map { "\(info.source)/\($0)" })
    }
  }
}

/// What stays together when faces are split.
public enum FaceGrouping: String, Codable, Sendable, CaseIterable {
  /// Nothing: pictures of one person may stand on both sides.
  case none
  /// All pictures of a person.
  case subject
  /// All pictures of a sequence.
  case sequence

  /// Subjects if every face has one and there are several, else sequences likewise, else nothing.
  public static func finest(of faces: [SplitFace]) -> FaceGrouping {
    [.subject, .sequence].first { ($0.count(in: faces) ?? 0) > 1 } ?? .none
  }

  /// What a group is in words.
  var unit: String { self == .none ? "face" : self == .subject ? "person" : "sequence" }

  /// `1 person`, `2 people`.
  func counted(_ count: Int) -> String {
    self == .subject && count != 1 ? "\(count.grouped) people" : Spelling.counted(count, unit)
  }

  /// How many groups there are; nil if a face has no subject or sequence.
  func count(in faces: [SplitFace]) -> Int? {
    guard self != .none else { return faces.count }
    let names = faces.compactMap { self == .subject ? $0.subject : $0.sequence }
    return names.count == faces.count ? Set(names).count : nil
  }

  /// The group of each face, [N], as a number; nil for ``none``.
  ///
  /// - Throws: ``MienError`` about `key` where a face has no subject or sequence.
  func groups(_ faces: [SplitFace], key: String) throws -> [Int]? {
    guard self != .none else { return nil }
    let names = faces.map { self == .subject ? $0.subject : $0.sequence }
    let known = names.compactMap(\.self)
    guard known.count == names.count else {
      let lacking =
        known.isEmpty
        ? "the data set has no \(rawValue)s"
        : "\(Spelling.counted(names.count - known.count, "face")) \(names.count - known.count == 1 ? "has" : "have") none"
      throw MienError(.mismatch, key, "needs the \(rawValue) of every face; \(lacking)")
    }
    let numbers = Dictionary(uniqueKeysWithValues: zip(Set(known).sorted(), 0...))
    return known.map { numbers[$0, default: 0] }
  }
}

/// The faces to train on, to choose the model by, and to measure once, as rising indices without overlap.
public struct FaceParts: Sendable, Equatable {
  /// Faces to train on.
  public var train: [Int]
  /// Faces to choose the model by.
  public var validation: [Int]
  /// Faces to measure once.
  public var test: [Int]

  /// Collects the parts.
  public init(train: [Int], validation: [Int], test: [Int]) {
    self.train = train
    self.validation = validation
    self.test = test
  }

  /// The data sets' own splits.
  public init(own faces: [SplitFace]) {
    func members(_ split: Split) -> [Int] { faces.indices.filter { faces[$0].split == split } }
    self.init(train: members(.train), validation: members(.validation), test: members(.test))
  }
}

extension [SplitFace] {
  /// The class of each face as a number, one for faces without a label.
  var classes: [Int] { map { $0.emotion.flatMap(Emotion.allCases.firstIndex) ?? -1 } }

  /// Throws where a class of the faces at `pool` does not occur at `train`.
  ///
  /// - Parameter remedy: what to do about it; `nil` to choose another seed or fewer parts.
  func requireEveryClass(
    of pool: [Int], in train: [Int], _ subject: String, _ part: String, remedy: String? = nil
  ) throws {
    let missing = Set(pool.compactMap { self[$0].emotion }).subtracting(train.compactMap { self[$0].emotion })
    guard missing.isEmpty else {
      let names = missing.map(\.rawValue).sorted().joined(separator: ", ")
      throw MienError(
        .mismatch, subject, "\(part) has no face of \(names)\(remedy ?? "; choose another seed, or fewer parts")")
    }
  }
}
