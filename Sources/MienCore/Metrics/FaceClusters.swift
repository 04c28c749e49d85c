/// What is drawn independently in a measurement: pictures of one person, or of one sequence, are not.
public enum SamplingUnit: String, Codable, Sendable, CaseIterable {
  case face, person, sequence

  /// `1 person`, `118 people`.
  public func counted(_ count: Int) -> String {
    switch self {
    case .face: Spelling.counted(count, "face")
    case .person: count == 1 ? "1 person" : "\(count.grouped) people"
    case .sequence: Spelling.counted(count, "sequence")
    }
  }
}

/// Which measured faces belong together: those of one person, or of one sequence.
public struct FaceClusters: Sendable, Equatable {
  /// What a group is.
  public let unit: SamplingUnit
  /// The group of each face, [N], from 0.
  public let groups: [Int]
  /// How many groups there are.
  public let count: Int

  /// Groups faces by equal keys.
  ///
  /// - Parameter keys: [N] any numbers.
  public init(unit: SamplingUnit, keys: [Int]) {
    self.unit = unit
    var numbers: [Int: Int] = [:]
    groups = keys.map { key in
      let number = numbers[key] ?? numbers.count
      numbers[key] = number
      return number
    }
    count = numbers.count
  }

  /// The faces at `entries` only.
  func subset(_ entries: [Int]) -> FaceClusters {
    FaceClusters(unit: unit, keys: entries.map { groups[$0] })
  }
}

extension FaceSet {
  /// The faces at `indices` by person, or by sequence if people are not known; by face if neither is.
  ///
  /// A face whose person (or sequence) is not known is a group of its own. An index that occurs twice, as in
  /// measurements over several seeds, is one group.
  public func clusters(of indices: [Int]) -> FaceClusters {
    if hasSubjects {
      return FaceClusters(unit: .person, keys: indices.map { subjectIndex(at: $0) ?? -1 - $0 })
    }
    if hasSequences {
      return FaceClusters(unit: .sequence, keys: indices.map { sequenceIndex(at: $0) ?? -1 - $0 })
    }
    return FaceClusters(unit: .face, keys: indices)
  }
}
