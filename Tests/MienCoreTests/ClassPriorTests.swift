import Foundation
import MienCore
import Testing

struct ClassPriorTests {
  private let labels: LabelSet

  init() throws { labels = try LabelSet(name: "three", emotions: [.neutral, .happiness, .sadness]) }

  @Test func bayesRuleTurnsProbabilitiesToAnotherMix() throws {
    let read = try EmotionDistribution(labels: labels, probabilities: [0.5, 0.2, 0.3])
    // 0.5 * (1/3)/0.6, 0.2 * (1/3)/0.3, 0.3 * (1/3)/0.1: in proportion 5, 4 and 18.
    let even = try read.reweighted(from: [0.6, 0.3, 0.1], to: [1, 1, 1])
    for (found, expected) in zip(even.probabilities, [5.0, 4, 18]) {
      #expect(abs(Double(found) - expected / 27) < 1e-6)
    }
    #expect(even.top.emotion == .sadness)
  }

  @Test func strengthIsTheExponent() throws {
    let read = try EmotionDistribution(labels: labels, probabilities: [0.5, 0.2, 0.3])
    #expect(try read.reweighted(from: [0.6, 0.3, 0.1], to: [1, 1, 1], strength: 0) == read)
    let half = try read.reweighted(from: [0.64, 0.32, 0.04], to: [1, 1, 1], strength: 0.5)
    // Square roots of 1/0.64, 1/0.32 and 1/0.04.
    let weighted = [0.5 / 0.8, 0.2 / 0.32.squareRoot(), 0.3 / 0.2]
    let sum = weighted.reduce(0, +)
    for (found, expected) in zip(half.probabilities, weighted) { #expect(abs(Double(found) - expected / sum) < 1e-6) }
  }

  @Test func nothingIsInventedForClassesWithoutShares() throws {
    let read = try EmotionDistribution(labels: labels, probabilities: [0.5, 0.2, 0.3])
    // Never trained on: its probability stays; not expected: none is left.
    let known = try read.reweighted(from: [0.5, 0.5, 0], to: [0, 1, 1])
    #expect(known.probabilities[0] == 0 && known.probabilities.allSatisfy(\.isFinite))
    let sure = try EmotionDistribution(labels: labels, probabilities: [1, 0, 0])
    #expect(try sure.reweighted(from: [0.5, 0.3, 0.2], to: [0, 1, 1]) == sure)
    #expect(throws: MienError.self) { try read.reweighted(from: [1, 1], to: [1, 1, 1]) }
    #expect(throws: MienError.self) { try read.reweighted(from: [1, 1, .nan], to: [1, 1, 1]) }
  }

  @Test func sharesAreReadFromJSON() throws {
    let prior = try ClassPrior(json: Data(#"{"neutral": 20, "sadness": 60}"#.utf8), strength: 0.25)
    #expect(prior.strength == 0.25 && prior.mix == .shares([.neutral: 20, .sadness: 60]))
    for text in ["[1]", "{}", #"{"happy": 1}"#, #"{"neutral": -1}"#, #"{"neutral": 0}"#, "x"] {
      #expect(throws: MienError.self, "\(text)") { try ClassPrior(json: Data(text.utf8)) }
    }
    #expect(throws: MienError.self) { try ClassPrior(.uniform, strength: 1.5) }
    #expect(throws: MienError.self) { try ClassPrior(.uniform, strength: .nan) }
  }

  @Test func aCardWeighsItsDataSetsByTheirFaces() throws {
    var card = ModelCard(
      name: "x", summary: "", architecture: "x", parameterCount: 1, preprocessing: Preprocessing(width: 4, height: 4),
      framing: .init(), outputs: [.init(name: "three", emotions: labels.emotions)],
      training: [
        .init(source: "a", split: "train", count: 30, labels: ["three"], classShares: ["three": [1, 0, 0]]),
        .init(source: "b", split: "train", count: 10, labels: ["three"], classShares: ["three": [0, 0.5, 0.5]]),
      ], seed: 1, epochs: 1, measurements: [], license: "")
    #expect(card.classShares(of: labels) == [0.75, 0.125, 0.125])
    #expect(try ModelCard(json: card.json()) == card)
    card.training = card.training.map { .init(source: $0.source, split: $0.split, count: $0.count, labels: $0.labels) }
    #expect(card.classShares(of: labels) == nil)
  }
}
