/// Whether a model was measured on faces that it has seen: trained on, chosen by or calibrated on.
///
/// The card names these faces by a hash of all their pictures, and by a sample of the pictures, which finds them in any
/// other set. Cards of earlier versions name the data set and the split only; then the same source and split, with as many
/// faces, are taken for the same faces.
public struct DataOverlap: Sendable, Equatable, Codable {
  /// What the faces were used for.
  public enum Use: String, Codable, Sendable, CaseIterable {
    /// The weights were fitted to them.
    case training
    /// The best epoch was chosen by them.
    case selection
    /// The temperature was fitted on them.
    case calibration

    fileprivate var words: String {
      switch self {
      case .training: "to train the model"
      case .selection: "to choose the epoch"
      case .calibration: "to fit the temperature"
      }
    }
  }

  /// One use of faces of the measured set.
  public struct Part: Sendable, Equatable, Codable {
    /// What for.
    public let use: Use
    /// The data set and the split, as the card names them.
    public let data: String
    /// How many of the measured faces these are; nil if it is not known, since the card names a part of this data set
    /// that is none of its splits.
    public let count: Int?
    /// Whether a hash of the pictures says so, and not only the name of the split.
    public let isCertain: Bool
    /// Whether ``count`` is an estimate, as the card holds a sample of the pictures only; `nil` if it is not.
    public let isEstimate: Bool?

    /// ``data`` for a sentence: `pictures, train, fold 1 of 5`.
    fileprivate var words: String { data.replacing(" (", with: ", ").replacing(")", with: "") }
  }

  /// The uses, at most one per kind and data set.
  public let parts: [Part]
  /// How many other measured faces are pictures that the model was trained on, alike to the last pixel.
  public let copies: Int
  /// How many faces were measured.
  public let count: Int
  /// The accuracy on the measured faces that the model was not trained on; nil if all or none of them were, or if which
  /// ones is not known.
  public let accuracyOfOthers: Double?

  /// Compares the faces of a measurement with those that a model's card names.
  ///
  /// - Parameters:
  ///   - faces: the set that was measured on.
  ///   - measured: [N] the faces measured, by their places in the set.
  ///   - hits: [N] whether each was read as its label.
  public init(_ card: ModelCard, on faces: FaceSet, measured: [Int], hits: [Bool]) {
    let splits = Dictionary(grouping: 0..<faces.count, by: faces.split(at:))
    var hashes: [String: Set<Int>]?
    lazy var pictures = (0..<faces.count).map(faces.pictureHash)
    /// The faces that an entry of the card names: by hash, else by name.
    func named(_ entry: ModelCard.TrainingData, _ use: Use) -> (faces: Set<Int>, isCertain: Bool)? {
      if let hash = entry.picturesHash {
        let known =
          hashes
          ?? Dictionary(
            (splits.values.map { $0 } + [Array(0..<faces.count)]).map { (faces.picturesHash(of: $0), Set($0)) },
            uniquingKeysWith: { first, _ in first })
        hashes = known
        if let part = known[hash] { return (part, true) }
        guard let sample = entry.picturesSample, sample.isComplete else { return nil }
        let part = Set((0..<faces.count).filter { sample.contains(pictures[$0]) })
        return part.isEmpty ? nil : (part, true)
      }
      // Cards count all faces of a part that is trained on, and the labelled ones of a part that is measured.
      guard entry.source == faces.info.source, let split = Split(rawValue: entry.split), let indices = splits[split],
        use == .training ? entry.count == indices.count : entry.count <= indices.count
      else { return nil }
      return (Set(indices), false)
    }
    let isMeasured = Set(measured)
    var parts: [Part] = []
    var trained: Set<Int> = []
    var isTrainedKnown = true
    let uses: [(Use, [ModelCard.TrainingData])] = [
      (.training, card.training), (.selection, card.chosenBy),
      (.calibration, card.calibration ?? card.statedUse("temperature")),
    ]
    for (use, entries) in uses {
      for entry in entries {
        let found = named(entry, use)
        if found == nil, let sample = entry.picturesSample {
          let share = sample.share(of: measured.map { pictures[$0] }) ?? 0
          if share > 0 {
            parts.append(
              Part(
                use: use, data: "\(entry.source), \(entry.split)",
                count: max(1, Int((share * Double(measured.count)).rounded())), isCertain: false, isEstimate: true))
            if use == .training { isTrainedKnown = false }
          }
          if share > 0 || sample.isComplete { continue }
        }
        let isNamed = entry.source.split(separator: "+").contains(faces.info.source[...])
        guard found?.isCertain == true || isNamed else { continue }
        let overlap = found.map { $0.faces.intersection(isMeasured).count }
        if use == .training, let found { trained.formUnion(found.faces) }
        let part = Part(
          use: use, data: "\(entry.source), \(entry.split)", count: overlap, isCertain: found?.isCertain ?? false,
          isEstimate: nil)
        if overlap != 0, !parts.contains(part) { parts.append(part) }
      }
    }
    let copies = trained.isEmpty ? [] : faces.copies(among: measured, of: trained)
    let others = zip(measured, hits).filter { !trained.contains($0.0) && !copies.contains($0.0) }
    self.parts = parts
    self.copies = measured.count { copies.contains($0) }
    count = measured.count
    accuracyOfOthers =
      others.isEmpty || others.count == measured.count || !isTrainedKnown
      ? nil : Double(others.count { $0.1 }) / Double(others.count)
  }

  /// Whether the measured faces are all new to the model, as far as its card tells.
  public var isEmpty: Bool { parts.isEmpty && copies == 0 }

  /// What a reader of the figures must know, a sentence each; none if ``isEmpty``.
  public var notes: [String] {
    let largest = Use.allCases.compactMap { use in
      parts.filter { $0.use == use }.max { $0.count ?? -1 < $1.count ?? -1 }
    }
    var (notes, stated): ([String], [Use]) = ([], [])
    for part in largest where part.count != nil && !stated.contains(part.use) {
      // What chose the epoch is mostly what the temperature was fitted on.
      let same = largest.filter {
        part.use != .training && $0.use != .training
          && ($0.data, $0.count, $0.isEstimate) == (part.data, part.count, part.isEstimate)
      }
      let alike = same.isEmpty ? [part] : same
      stated += alike.map(\.use)
      notes.append(note(alike))
    }
    let unclear = largest.filter { $0.count == nil }
    if !unclear.isEmpty {
      let places = unclear.map(\.words).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      let uses = places.map { place in
        place + ", used " + Spelling.alternatives(unclear.filter { $0.words == place }.map(\.use.words), "and")
      }
      notes.append(
        "The model's card names faces that are not a split of this file: \(uses.joined(separator: "; ")). Whether measured "
          + "faces are among them is not known; if they are, the figures are too good. `mien evaluate --run RUN` measures a run "
          + "on what it set aside.")
    }
    let isTrained = parts.contains { $0.use == .training }
    if copies > 0 {
      notes.append(
        "\(measured(copies)) \(copies == 1 ? "is a pixel-for-pixel copy" : "are pixel-for-pixel copies") of "
          + "\(copies == 1 ? "a training picture" : "training pictures").")
    }
    if let accuracyOfOthers, !notes.isEmpty {
      let others =
        !isTrained
        ? (copies == 1 ? "it" : "these") : copies == 0 ? "the training faces" : "the training faces and their copies"
      // The note on training is the first, that on copies the last.
      notes[copies > 0 ? notes.count - 1 : 0] +=
        " Without \(others), accuracy is \(NumberText.percent(accuracyOfOthers))."
    }
    return notes
  }

  /// What measured faces were used for, in one note; all of `parts` are the same faces.
  private func note(_ parts: [Part]) -> String {
    let (part, count) = (parts[0], parts[0].count ?? 0)
    let isEstimate = part.isEstimate == true
    let some = isEstimate ? "About \(measured(count, isAll: false))" : measured(count)
    let source =
      isEstimate
      ? ", estimated from the model card's sample of the pictures"
      : parts.contains(where: \.isCertain) ? "" : ", by the names in the model's card"
    let result =
      part.use == .training
      ? "The figures say how well it remembers them, not how well it reads new faces."
      : "The figures are slightly optimistic."
    let uses = (part.use == .training ? "" : "also ") + "used " + Spelling.alternatives(parts.map(\.use.words), "and")
    return "\(some) \(count == 1 ? "was" : "were") \(uses) (\(part.words)\(source)). \(result)"
  }

  /// `All 3,199 measured faces`, `251 of the 3,199 measured faces`.
  private func measured(_ count: Int, isAll: Bool = true) -> String {
    guard count == self.count, isAll else { return "\(count.grouped) of the \(self.count.grouped) measured faces" }
    return count == 1 ? "The measured face" : "All \(count.grouped) measured faces"
  }
}

extension ModelCard {
  /// The faces that the weights were chosen by, as far as the card says.
  package var chosenBy: [TrainingData] { selection ?? statedUse("chosen") }

  /// The faces that the notes of the measurements say were used so: cards of earlier versions have nothing else.
  fileprivate func statedUse(_ word: String) -> [TrainingData] {
    measurements.filter { $0.note.contains(word) }.map {
      TrainingData(source: $0.source, split: $0.split, count: $0.count, labels: [$0.labels])
    }
  }
}
