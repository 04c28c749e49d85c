/// Which labels of a FaceSet to train on or to measure against (`--labels`).
public enum LabelSource: Sendable, Equatable {
  /// The data set's own label.
  case own
  /// The FER+ majority label, from votes.
  case ferplus
}

/// The rules that derive labels and targets from FER+'s ten raw counts (Barsoum et al., "Training Deep Networks for
/// Facial Expression Recognition with Crowd-Sourced Label Distribution", ICMI 2016).
public enum FERPlus {
  /// `votes` as numbers, with counts of one, taken for noise, dropped.
  static func cleaned(_ votes: [UInt8]) -> [Int] { votes.map { $0 == 1 ? 0 : Int($0) } }

  /// The emotion that holds more than half of the remaining votes, unknown and not-a-face counted in their sum.
  ///
  /// - Parameter votes: ten counts: eight emotions in ``LabelSet/ferplus`` order, unknown, not a face.
  /// - Returns: nil where no emotion does.
  public static func majority(_ votes: [UInt8]) -> Emotion? {
    let counts = cleaned(votes)
    let sum = counts.reduce(0, +)
    let emotions = LabelSet.ferplus.emotions
    return zip(emotions, counts).first { $0.1 * 2 > sum }?.0
  }

  /// The votes for the eight emotions, those of one dropped, divided by their sum.
  ///
  /// - Returns: eight values in ``LabelSet/ferplus`` order; nil where none remain.
  public static func softTarget(_ votes: [UInt8]) -> [Float]? {
    let counts = cleaned(votes).prefix(LabelSet.ferplus.count)
    let sum = counts.reduce(0, +)
    return sum > 0 ? counts.map { Float($0) / Float(sum) } : nil
  }
}

extension FaceSet {
  /// The label source named `name` in a command: `ferplus`, or the name of the set's own label set.
  ///
  /// - Parameter name: nil for the default: FER+ where there are votes, else the set's own.
  /// - Throws: ``MienError`` where the set has no such labels.
  public func labelSource(named name: String?) throws -> LabelSource {
    switch name {
    case nil: return hasVotes ? .ferplus : .own
    case LabelSet.ferplus.name? where hasVotes: return .ferplus
    case info.labelSet.name?: return .own
    case let name?:
      let choices = [info.labelSet.name] + (hasVotes ? [LabelSet.ferplus.name] : [])
      throw MienError(
        .argument, "labels \(name)", "expected \(choices.joined(separator: " or ")), the labels of this set")
    }
  }

  /// The label set that `source` speaks.
  public func labelSet(_ source: LabelSource) -> LabelSet { source == .ferplus ? .ferplus : info.labelSet }

  /// The label of face `index` under `source`; nil where it has none (no majority, unknown, not a face).
  public func label(at index: Int, _ source: LabelSource) -> Emotion? {
    switch source {
    case .own: label(at: index)
    case .ferplus: votes(at: index).flatMap(FERPlus.majority)
    }
  }

  /// What a head that speaks `labels` is to learn of face `index`, [K] with the sum 1: FER+'s distribution of votes, or 1
  /// for the set's own label.
  ///
  /// - Returns: `nil` if the face has no label of this kind.
  package func target(at index: Int, _ labels: LabelSet) -> [Float]? {
    if labels == .ferplus && hasVotes { return votes(at: index).flatMap(FERPlus.softTarget) }
    guard labels == info.labelSet, let label = label(at: index).flatMap(labels.index) else { return nil }
    return labels.emotions.indices.map { $0 == label ? 1 : 0 }
  }

  /// The share of each class of `labels` among the targets of `faces`, [K]; `nil` if none of them has one.
  package func classShares(_ labels: LabelSet, among faces: some Sequence<Int>) -> [Float]? {
    var sums = [Float](repeating: 0, count: labels.count)
    for face in faces {
      for (index, share) in (target(at: face, labels) ?? []).enumerated() { sums[index] += share }
    }
    let count = sums.reduce(0, +)
    return count > 0 ? sums.map { $0 / count } : nil
  }

  /// The shares of the classes among the targets of `faces` by the names of `labelSets`, for a model's card; `nil` if the
  /// faces have none.
  package func classShares(of labelSets: [LabelSet], among faces: [Int]) -> [String: [Float]]? {
    var shares: [String: [Float]] = [:]
    for labels in labelSets { shares[labels.name] = classShares(labels, among: faces) }
    return shares.isEmpty ? nil : shares
  }

  /// The faces outside `split` whose picture stands in it too, alike to the last pixel.
  public func copies(of split: Split) -> Set<Int> {
    let inside = indices(in: split)
    let pictures = Set(inside.map(face(at:)))
    return Set(0..<count).subtracting(inside).filter { pictures.contains(face(at: $0)) }
  }

  /// Up to `count` faces, drawn at random under a fixed seed, in rising order.
  ///
  /// - Parameter split: nil for all faces.
  /// - Throws: ``MienError`` where there is none.
  package func sample(in split: Split?, count: Int) throws -> [Int] {
    let all = indices(in: split)
    guard !all.isEmpty else {
      throw MienError(.mismatch, info.source, "no face\(split.map { " in the split \($0.rawValue)" } ?? " at all")")
    }
    var random = SeededRandom(seed: 0)
    return all.shuffled(using: &random).prefix(count).sorted()
  }

  /// The split to look at where none is named: test, else validation, else nil for all faces.
  package var usualSplit: Split? { [.test, .validation].first { !indices(in: $0).isEmpty } }

  /// The faces of `split` that have a label under `source`, with it.
  public func labelled(_ source: LabelSource, in split: Split?) -> [(index: Int, label: Emotion)] {
    indices(in: split).compactMap { index in label(at: index, source).map { (index, $0) } }
  }
}
