import Foundation
import MienAdaptation
import MienCore
import MienInference
import MienONNX

/// Faces whose embeddings are known, for measuring what adaptation does.
struct EmbeddedFaces: Sendable {
  let embeddings: [[Float]]
  let emotions: [Emotion]
  /// Who each face shows; empty where the set does not say.
  let subjects: [String]
  /// The clip that each face is from.
  let sequences: [String]

  /// Runs the labelled faces of a set through a model.
  ///
  /// - Parameter limit: faces at most, the first; nil for all.
  init(
    _ classifier: EmotionClassifier, _ faces: FaceSet, _ source: LabelSource, split: Split?, limit: Int? = nil
  ) async throws {
    let labelled = faces.labelled(source, in: split).prefix(limit ?? .max)
    let output = try await classifier.output(
      of: faces, at: labelled.map(\.index), outputs: [ONNXModel.embeddingName])
    guard let tensor = output[ONNXModel.embeddingName] else {
      throw MienError(.mismatch, classifier.card.name, "has no output \(ONNXModel.embeddingName)")
    }
    embeddings = (0..<output.count).map { Array(tensor.row($0)) }
    emotions = labelled.map(\.label)
    subjects = labelled.compactMap { faces[$0.index].subject }
    sequences = labelled.map { faces[$0.index].sequence ?? "face \($0.index)" }
  }

  /// The share of some faces that `head` reads right.
  ///
  /// - Parameter classes: only these count as answers; nil for all of the head's.
  func accuracy(
    _ head: LinearHead, of indices: some Collection<Int>, among classes: Set<Emotion>? = nil
  ) throws -> Double {
    let hits = try indices.count { index in
      let logits = try head.logits(embeddings[index])
      let answers = head.labels.emotions.indices.filter { classes?.contains(head.labels.emotions[$0]) ?? true }
      return answers.max { logits[$0] < logits[$1] }.map { head.labels.emotions[$0] } == emotions[index]
    }
    return Double(hits) / Double(max(1, indices.count))
  }
}

/// Trials of adaptation: some people's faces are corrected, others' are read.
struct AdaptationTrials: Sendable {
  /// Which of the people a trial uses: what is chosen on the one part is reported on the other.
  enum Part: String, CaseIterable, Sendable {
    case tuning, reporting
  }

  /// What is drawn for corrections.
  enum Drawn: String, CaseIterable, Sendable {
    case any, mistakes
  }

  /// The accuracies of one trial and number of corrections, 0…1.
  struct Outcome: Codable, Sendable {
    /// How many faces were corrected.
    let corrections: Int
    /// Of the other people's faces, over the model's classes.
    let before, after: Double
    /// The same, over the data's classes.
    let sharedBefore, sharedAfter: Double
    /// Of the faces that must not suffer.
    let guardBefore, guardAfter: Double
  }

  let faces: EmbeddedFaces
  let guardFaces: EmbeddedFaces
  let adaptation: HeadAdaptation
  let seed: UInt64

  /// The people of a part: a third, by the seed, to choose settings on, and the rest to report.
  func people(_ part: Part) -> [String] {
    var random = SeededRandom(seed: seed, stream: 0)
    let people = Set(faces.subjects).sorted().shuffled(using: &random)
    let third = people.count / 3
    return part == .tuning ? Array(people.prefix(third)) : Array(people.dropFirst(third))
  }

  /// One trial: half of the people give corrections, at most one of a clip while there are enough clips; the faces of the
  /// other half are read. A larger number of corrections holds the smaller.
  ///
  /// - Returns: an outcome for each of `counts`.
  func outcomes(draw: Int, _ part: Part, _ drawn: Drawn, counts: [Int]) throws -> [Outcome] {
    var random = SeededRandom(seed: seed, stream: UInt64(1 + 2 * draw + (part == .tuning ? 1 : 0)))
    let people = people(part).shuffled(using: &random)
    let givers = Set(people.prefix(people.count / 2))
    let readers = Set(people).subtracting(givers)
    let tested = faces.subjects.indices.filter { readers.contains(faces.subjects[$0]) }
    var pool = faces.subjects.indices.filter { givers.contains(faces.subjects[$0]) }.shuffled(using: &random)
    if drawn == .mistakes { pool = try pool.filter { try faces.accuracy(adaptation.original, of: [$0]) == 0 } }
    var clips: Set<String> = []
    let (first, further) = pool.reduce(into: ([Int](), [Int]())) { parts, index in
      if clips.insert(faces.sequences[index]).inserted { parts.0.append(index) } else { parts.1.append(index) }
    }
    let order = first + further
    let classes = Set(faces.emotions)
    let everyGuard = guardFaces.emotions.indices
    let before = try faces.accuracy(adaptation.original, of: tested)
    let sharedBefore = try faces.accuracy(adaptation.original, of: tested, among: classes)
    let guardBefore = try guardFaces.accuracy(adaptation.original, of: everyGuard)
    return try counts.map { count in
      let examples = order.prefix(count).map {
        HeadAdaptation.Example(embedding: faces.embeddings[$0], emotion: faces.emotions[$0])
      }
      let head = try adaptation.fit(examples).head
      return Outcome(
        corrections: examples.count, before: before, after: try faces.accuracy(head, of: tested),
        sharedBefore: sharedBefore, sharedAfter: try faces.accuracy(head, of: tested, among: classes),
        guardBefore: guardBefore, guardAfter: try guardFaces.accuracy(head, of: everyGuard))
    }
  }
}

/// A mean over trials with its 95 % interval by Student's t.
struct TrialMean: Codable, Sendable {
  let mean: Double
  /// Half the interval's width.
  let margin: Double

  /// The mean of `values`; the margin is 0 where there is one only.
  init(_ values: [Double]) {
    let sample = SampleStatistics(values)
    mean = sample.mean
    guard let variance = sample.variance else {
      margin = 0
      return
    }
    let count = Double(values.count)
    // The quantile's expansion in the degrees of freedom (Abramowitz and Stegun, 26.7.5).
    let (z, freedom) = (1.959963984540054, count - 1)
    let quantile =
      z + (pow(z, 3) + z) / (4 * freedom) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * freedom * freedom)
    margin = quantile * (variance / count).squareRoot()
  }
}
