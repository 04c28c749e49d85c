import Glibc
import MienCore
import MienONNX

/// Whether adapting to some corrections helps with others: cross-validation over the corrections.
public struct AdaptationCheck: Sendable, Equatable, Codable {
  /// How the corrections are read.
  public struct Score: Sendable, Equatable, Codable {
    /// Corrections whose most probable emotion is the corrected one.
    public let correct: Int
    /// Mean of -ln p(corrected emotion), in nats.
    public let logLoss: Double
  }

  /// How many corrections.
  public let count: Int
  /// How many parts they were dealt into; each is read by a layer fitted to the others.
  public let folds: Int
  /// By the model as it is.
  public let before: Score
  /// By layers that have not seen the correction.
  public let after: Score

  /// Whether fewer corrections are read right than without adaptation.
  public var isWorse: Bool { after.correct < before.correct }

  /// Parts at most; fewer corrections are left out one by one.
  public static let maximumFolds = 10

  /// Deals `examples`, a class after the other, into parts, and reads each by a layer fitted to the rest.
  ///
  /// - Throws: ``MienError`` where there is no example, or as ``HeadAdaptation/fit(_:)`` does.
  public init(_ adaptation: HeadAdaptation, _ examples: [HeadAdaptation.Example]) throws {
    guard !examples.isEmpty else { throw MienError(.mismatch, nil, "there are no corrections") }
    let folds = min(examples.count, Self.maximumFolds)
    let order = examples.indices.sorted { (examples[$0].emotion, $0) < (examples[$1].emotion, $1) }
    var after = Tally()
    for fold in 0..<folds {
      let isHeldOut = Dictionary(
        uniqueKeysWithValues: order.enumerated().map { place, index in (index, place % folds == fold) })
      let rest = examples.indices.filter { isHeldOut[$0] == false }.map { examples[$0] }
      let head = try adaptation.fit(rest).head
      for index in examples.indices where isHeldOut[index] == true { try after.add(examples[index], head) }
    }
    var before = Tally()
    for example in examples { try before.add(example, adaptation.original) }
    count = examples.count
    self.folds = folds
    self.before = before.score
    self.after = after.score
  }

  private struct Tally {
    var count = 0
    var correct = 0
    var loss = 0.0

    mutating func add(_ example: HeadAdaptation.Example, _ head: LinearHead) throws {
      let probabilities = try head.probabilities(example.embedding)
      guard let target = head.labels.index(of: example.emotion) else { return }
      count += 1
      if probabilities.firstIndex(of: probabilities.max() ?? 0) == target { correct += 1 }
      loss -= log(max(Double(probabilities[target]), Double(Float.ulpOfOne)))
    }

    var score: Score { Score(correct: correct, logLoss: loss / Double(max(1, count))) }
  }
}
