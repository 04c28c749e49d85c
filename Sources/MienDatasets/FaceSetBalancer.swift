public import MienCore
public import MienVision

/// Fills the smaller classes of a set up to its largest with turned copies of their own faces.
///
/// Each face of a class is copied as often as every other, give or take one, in an order that the seed gives. A copy is
/// flipped in each of the directions allowed with probability 1/2, then turned by an angle drawn evenly from the range;
/// where the border's pixels are missing they are repeated. It keeps its face's label, votes, split, subject, sequence
/// and row, so that a set can still be cut by person or by row.
public struct FaceSetBalancer: Sendable {
  /// Which directions copies are flipped in.
  public var flips: Set<Image.Flip>
  /// The largest angle that copies are turned by, in degrees to either side; 0 for none.
  public var rotation: Double
  /// Whether all splits are balanced together, as if none were cut yet; else only the training split.
  public var beforeSplit: Bool
  /// The seed of all choices.
  public var seed: UInt64

  /// A balanced set, and what was added.
  public struct Result: Sendable {
    /// The faces given, and the copies after them, class by class.
    public let faces: FaceSet
    /// How many copies each class got; classes without any are left out.
    public let added: [(emotion: Emotion, count: Int)]
    /// Classes that have no face to copy.
    public let empty: [Emotion]
  }

  /// Sets up balancing.
  ///
  /// - Throws: ``MienError`` where copies would be no different from their faces, or the angle is outside 0…180.
  public init(
    flips: Set<Image.Flip> = [.horizontal], rotation: Double = 45, beforeSplit: Bool = false, seed: UInt64 = 1
  ) throws {
    guard (0...180).contains(rotation) else {
      throw MienError(.argument, "rotation \(rotation)", "expected 0 to 180 degrees")
    }
    guard !flips.isEmpty || rotation > 0 else {
      throw MienError(.argument, nil, "without flips and rotation every copy would equal its face")
    }
    self.flips = flips
    self.rotation = rotation
    self.beforeSplit = beforeSplit
    self.seed = seed
  }

  /// Balances the classes that `source` names; faces without such a label stay as they are.
  ///
  /// - Throws: ``MienError`` where no face has a label.
  public func balance(_ faces: FaceSet, labels source: LabelSource) throws -> Result {
    let labelSet = faces.labelSet(source)
    let members = Dictionary(grouping: faces.labelled(source, in: beforeSplit ? nil : .train), by: \.label)
    guard let largest = members.values.map(\.count).max() else {
      throw MienError(
        .mismatch, faces.info.source, "no face\(beforeSplit ? "" : " for training") has a \(labelSet.name) label")
    }
    var copies: [(row: FaceSet.Row, pixels: [UInt8])] = []
    var added: [(emotion: Emotion, count: Int)] = []
    for (stream, emotion) in labelSet.emotions.enumerated() {
      guard let indices = members[emotion]?.map(\.index), indices.count < largest else { continue }
      var random = SeededRandom(seed: seed, stream: UInt64(stream))
      let order = indices.shuffled(using: &random)
      let count = largest - indices.count
      for number in 0..<count {
        let index = order[number % order.count]
        copies.append((faces[index], try copy(faces.image(at: index), &random).pixels))
      }
      added.append((emotion, count))
    }
    let flipped = Image.Flip.allCases.filter(flips.contains).map(\.rawValue).joined(separator: " and ")
    let ways = [flips.isEmpty ? nil : "\(flipped) flips", rotation > 0 ? "turns to \(rotation) degrees" : nil]
    let counts = added.map { "\($0.emotion.rawValue) \($0.count.grouped)" }.joined(separator: ", ")
    let step =
      "balance (\(beforeSplit ? "all splits together" : "train"), labels \(labelSet.name), seed \(seed)): "
      + "\(copies.count.grouped) copies by \(ways.compactMap(\.self).joined(separator: " and ")) follow the first "
      + "\(faces.count.grouped) faces: \(counts.isEmpty ? "none needed" : counts)"
    return Result(
      faces: try faces.appending(copies, step: step), added: added,
      empty: labelSet.emotions.filter { members[$0] == nil })
  }

  private func copy(_ image: Image, _ random: inout SeededRandom) throws -> Image {
    let allowed = Image.Flip.allCases.filter(flips.contains)
    var chosen = allowed.filter { _ in Bool.random(using: &random) }
    // Without a turn, a copy that is not flipped would be its face again.
    if rotation == 0, chosen.isEmpty { chosen = allowed.randomElement(using: &random).map { [$0] } ?? [] }
    let flipped = chosen.reduce(image) { $0.flipped($1) }
    guard rotation > 0 else { return flipped }
    return try flipped.rotated(degrees: Double.random(in: -rotation...rotation, using: &random))
  }
}
