import Glibc
import MienCore
public import MienInference
import MienONNX

extension AdaptationCheck {
  /// Deals `examples`, a class after the other, into parts, and reads each by a layer fitted to the rest.
  ///
  /// - Throws: ``MienError`` if there is no example, or as `HeadAdaptation.fit` does.
  public init(_ adaptation: HeadAdaptation, _ examples: [HeadAdaptation.Example]) throws {
    guard !examples.isEmpty else { throw MienError(.mismatch, nil, "there are no corrections") }
    let folds = min(examples.count, Self.maximumFolds)
    let order = examples.indices.sorted { (examples[$0].emotion, $0) < (examples[$1].emotion, $1) }
    var part = [Int](repeating: 0, count: examples.count)
    for (place, index) in order.enumerated() { part[index] = place % folds }
    let problem = try adaptation.problem(examples)
    var after = Tally()
    for fold in 0..<folds {
      let head = try adaptation.fit(problem.selecting(examples.indices.filter { part[$0] != fold })).head
      for index in examples.indices where part[index] == fold { try after.add(examples[index], head) }
    }
    var before = Tally()
    for example in examples { try before.add(example, adaptation.original) }
    self.init(count: examples.count, folds: folds, before: before.score, after: after.score)
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
