import Foundation
import MienAdaptation
import MienCore
import MienInference
import MienONNX
import Testing

/// Fitting a last layer, on embeddings whose meaning is known: number `k` of six is the logit of class `k`, and ordinary
/// faces hardly use the last two.
@Suite struct HeadAdaptationTests {
  private static let labels: LabelSet = .ckplus48
  private static let width = 9

  private static func original() throws -> LinearHead {
    let classes = labels.count
    let weights = (0..<(classes * width)).map { index -> Float in
      index / width == index % width ? 4 : 0
    }
    return try LinearHead(
      labels: labels, width: width, weights: weights, biases: [Float](repeating: 0, count: classes))
  }

  /// Ordinary faces: one of the first seven numbers is near 1, the last two are near 0.
  private static func ordinary(_ count: Int, seed: UInt64) -> [(embedding: [Float], emotion: Emotion)] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { index in
      let label = index % labels.count
      let embedding = (0..<width).map { place in
        (place == label ? 1 : 0) + random.uniform(in: -0.3...0.3) * (place < labels.count ? 1 : 0.05)
      }
      return (embedding, labels.emotions[label])
    }
  }

  /// Faces of a new setting: contempt looks like happiness there, but for one of the unused numbers.
  private static func shifted(_ count: Int, seed: UInt64) -> [HeadAdaptation.Example] {
    var random = SeededRandom(seed: seed)
    return ordinary(count, seed: seed &+ 100).map { face in
      var embedding = face.embedding
      embedding[7] += 0.5 + random.uniform(in: -0.1...0.1)
      if face.emotion == .contempt {
        embedding[1] -= 1
        embedding[4] += 1
        embedding[8] += 0.5 + random.uniform(in: -0.1...0.1)
      }
      return .init(embedding: embedding, emotion: face.emotion)
    }
  }

  private static func reference() throws -> EmbeddingReference {
    let faces = ordinary(700, seed: 1)
    let size = width + 1
    var moment = [Double](repeating: 0, count: size * size)
    var information = [Double](repeating: 0, count: labels.count * labels.count)
    for face in faces {
      let row = face.embedding.map { Double($0) } + [1]
      for (a, x) in row.enumerated() { for (b, y) in row.enumerated() { moment[a * size + b] += x * y / 700 } }
      let probabilities = try original().probabilities(face.embedding).map { Double($0) }
      for (a, p) in probabilities.enumerated() {
        for (b, q) in probabilities.enumerated() {
          information[a * labels.count + b] += ((a == b ? p : 0) - p * q) / 700
        }
      }
    }
    return EmbeddingReference(
      source: "drawn", count: 700, weightsSHA256: "0", width: width, moment: moment,
      information: [labels.name: information])
  }

  private static func accuracy(_ head: LinearHead, _ examples: [HeadAdaptation.Example]) throws -> Double {
    let hits = try examples.count { example in
      let logits = try head.logits(example.embedding)
      return logits.firstIndex(of: logits.max() ?? 0).map { head.labels.emotions[$0] } == example.emotion
    }
    return Double(hits) / Double(examples.count)
  }

  private func adaptation(budget: Double = 0.05) throws -> HeadAdaptation {
    try HeadAdaptation(original: Self.original(), reference: Self.reference(), divergenceBudget: budget)
  }

  @Test func gradientIsThatOfTheValue() throws {
    let problem = try adaptation().problem(Self.shifted(9, seed: 3))
    var random = SeededRandom(seed: 4)
    let place = (0..<problem.count).map { _ in Double(random.uniform(in: -0.5...0.5)) }
    let gradient = problem.value(at: place, strength: 0.7).gradient
    for index in stride(from: 0, to: problem.count, by: 3) {
      let step = 1e-5
      var (above, below) = (place, place)
      above[index] += step
      below[index] -= step
      let slope =
        (problem.value(at: above, strength: 0.7).value - problem.value(at: below, strength: 0.7).value) / (2 * step)
      #expect(abs(slope - gradient[index]) < 1e-6 * max(1, abs(slope)), "number \(index)")
    }
  }

  /// Thousands of them add up: what is rounded away of each would hide the minimum.
  @Test func lossesOfSureReadingsAreNotRoundedAway() throws {
    let face = (0..<Self.width).map { $0 == 0 ? Float(10) : 0 }
    let problem = try adaptation().problem([.init(embedding: face, emotion: Self.labels.emotions[0])])
    let (value, gradient) = problem.value(at: [Double](repeating: 0, count: problem.count), strength: 0)
    // The right logit is 40, the others are 0.
    #expect(abs(value / (Double(Self.labels.count - 1) * exp(-40)) - 1) < 1e-6)
    #expect(gradient.contains { $0 != 0 })
  }

  @Test func minimumOfAQuadraticIsFound() {
    // Σ c (x - m)², curvatures over five orders of magnitude.
    let curvatures = (0..<12).map { pow(10, Double($0) / 2.4 - 2) }
    let minimum = LBFGS().minimum(from: [Double](repeating: 3, count: 12)) { place in
      let offsets = place.indices.map { place[$0] - Double($0) }
      return (
        zip(curvatures, offsets).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }, zip(curvatures, offsets).map { 2 * $0 * $1 }
      )
    }
    for index in minimum.indices { #expect(abs(minimum[index] - Double(index)) < 1e-3) }
  }

  /// A large sum is rounded by more than there is to be gained near the minimum.
  @Test func roundingOfTheValueDoesNotHideTheMinimum() {
    func gradient(_ place: [Double]) -> [Double] { place.indices.map { 2 * (place[$0] - Double($0)) / Double(1 + $0) } }
    var calls = 0
    let minimum = LBFGS().minimum(from: [Double](repeating: 30, count: 12)) { place in
      calls += 1
      let squares = place.indices.map { (place[$0] - Double($0)) * (place[$0] - Double($0)) / Double(1 + $0) }
      let rounding = 1e-5 * sin(1e6 * place.reduce(0, +))
      return (1e9 + squares.reduce(0, +) + rounding, gradient(place))
    }
    #expect(gradient(minimum).allSatisfy { abs($0) <= LBFGS().tolerance })
    #expect(calls < 100)
  }

  @Test func aKnownShiftIsLearntFromTenCorrectionsAndOrdinaryFacesStay() throws {
    let adaptation = try adaptation()
    let others = Self.shifted(350, seed: 50)
    let ordinary = Self.ordinary(700, seed: 60).map { HeadAdaptation.Example(embedding: $0.0, emotion: $0.1) }
    let fit = try adaptation.fit(Self.shifted(14, seed: 5))
    #expect(try Self.accuracy(adaptation.original, others) < 0.88)
    #expect(try Self.accuracy(fit.head, others) > 0.97)
    #expect(try Self.accuracy(fit.head, ordinary) >= Self.accuracy(adaptation.original, ordinary) - 0.01)
  }

  @Test func ordinaryReadingsChangeByNoMoreThanTheBudget() throws {
    for budget in [0.001, 0.01, 0.05] {
      let adaptation = try adaptation(budget: budget)
      let fit = try adaptation.fit(Self.shifted(28, seed: 6))
      #expect(fit.divergence <= budget)
      #expect(fit.divergence > 0.9 * budget, "the budget is used where it is needed")
      let faces = Self.ordinary(700, seed: 1)
      let divergence = try faces.reduce(0.0) { sum, face in
        let before = try adaptation.original.probabilities(face.embedding)
        let after = try fit.head.probabilities(face.embedding)
        return sum + zip(before, after).reduce(0) { $0 + Double($1.0) * log(Double($1.0) / Double($1.1)) }
      }
      // The bound is of second order, and its two factors are averaged apart.
      #expect(divergence / 700 < 2 * budget, "budget \(budget)")
    }
  }

  @Test func strengthLeadsFromTheCorrectionsToTheOriginal() throws {
    let adaptation = try adaptation()
    let examples = Self.shifted(14, seed: 7)
    let distances = try [1e-3, 1, 1e3, 1e9].map { strength in
      zip(try adaptation.head(fittedTo: examples, strength: strength).weights, adaptation.original.weights)
        .map { abs($0 - $1) }.max() ?? 0
    }
    #expect(distances == distances.sorted(by: >) && distances[3] < 1e-5)
    #expect(try Self.accuracy(adaptation.head(fittedTo: examples, strength: 1e-3), examples) == 1)
    #expect(try adaptation.fit([]).head == adaptation.original)
  }

  /// Twice the corrections and twice the strength are twice the function, whose minimum is the same.
  @Test(arguments: [1, 2, 5, 40]) func repeatedCorrectionsWeighMore(count: Int) throws {
    let adaptation = try adaptation()
    let examples = Self.shifted(count, seed: 12)
    let once = try adaptation.head(fittedTo: examples, strength: 0.5)
    let twice = try adaptation.head(fittedTo: examples + examples.reversed(), strength: 1)
    #expect(once != adaptation.original)
    for (one, other) in zip(once.weights + once.biases, twice.weights + twice.biases) {
      #expect(abs(one - other) < 1e-4)
    }
  }

  @Test func correctionsThatContradictEachOtherAreFitted() throws {
    let adaptation = try adaptation()
    let face = Self.shifted(1, seed: 13)[0].embedding
    let examples = (0..<160).map {
      HeadAdaptation.Example(embedding: face, emotion: Self.labels.emotions[$0 % Self.labels.count])
    }
    let fit = try adaptation.fit(examples)
    #expect(fit.divergence > 0 && fit.divergence <= adaptation.divergenceBudget)
    let (before, after) = (try adaptation.original.probabilities(face), try fit.head.probabilities(face))
    #expect((after.max() ?? 1) < (before.max() ?? 0), "no emotion is as probable as before")
  }

  @Test func eachPartIsReadByALayerFittedToTheOthers() throws {
    let adaptation = try adaptation()
    let examples = Self.shifted(7, seed: 14)
    let check = try AdaptationCheck(adaptation, examples)
    var (correct, loss) = (0, 0.0)
    for (index, example) in examples.enumerated() {
      let head = try adaptation.fit(examples.enumerated().filter { $0.offset != index }.map(\.element)).head
      let probabilities = try head.probabilities(example.embedding)
      let target = try #require(Self.labels.index(of: example.emotion))
      if probabilities[target] == probabilities.max() { correct += 1 }
      loss -= log(Double(probabilities[target])) / 7
    }
    #expect(check.folds == 7 && check.after.correct == correct && abs(check.after.logLoss - loss) < 1e-4)
  }

  @Test func aCancelledFitEnds() async throws {
    let adaptation = try adaptation()
    let examples = Self.shifted(14, seed: 15)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try adaptation.fit(examples)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    let waiting = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await NativeQueue(width: 1).run { try AdaptationCheck(adaptation, examples) }
    }
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test func aFitIsTheSameEachTime() throws {
    let examples = Self.shifted(14, seed: 8)
    let fits = try (0..<2).map { _ in try adaptation().fit(examples).head }
    #expect(fits[0] == fits[1])
  }

  @Test func correctionsThatAgreeGiveAProfileThatHelpsAndNoiseOneThatDoesNot() throws {
    let adaptation = try adaptation()
    let check = try AdaptationCheck(adaptation, Self.shifted(28, seed: 9))
    #expect(check.count == 28 && check.folds == 10 && !check.isWorse)
    #expect(check.after.correct > check.before.correct && check.after.logLoss < check.before.logLoss)
    // What users say of ordinary faces at random.
    var random = SeededRandom(seed: 10)
    let noise = Self.ordinary(60, seed: 11).enumerated().map { index, face in
      HeadAdaptation.Example(
        embedding: face.embedding,
        emotion: index % 2 == 0 ? face.emotion : Self.labels.emotions.randomElement(using: &random) ?? .fear)
    }
    let noisy = try AdaptationCheck(
      HeadAdaptation(original: Self.original(), reference: Self.reference(), divergenceBudget: 5), noise)
    #expect(noisy.isWorse)
    // A log loss that falls a little is no gain as long as the same corrections are read right.
    let lower = AdaptationCheck(
      count: 2, folds: 2, before: .init(correct: 0, logLoss: 8.063), after: .init(correct: 0, logLoss: 8.05))
    #expect(!lower.showsGain && !lower.isWorse && check.showsGain)
    #expect(try AdaptationCheck(adaptation, Array(Self.shifted(3, seed: 1))).folds == 3)
    #expect(throws: MienError.self) { try AdaptationCheck(adaptation, []) }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let adaptation = try adaptation()
    #expect(throws: MienError.self) { try adaptation.fit([.init(embedding: [1, 2], emotion: .fear)]) }
    let embedding = [Float](repeating: 0, count: Self.width)
    #expect(throws: MienError.self) { try adaptation.fit([.init(embedding: embedding, emotion: .neutral)]) }
    #expect(throws: MienError.self) {
      try adaptation.fit([.init(embedding: embedding.map { _ in .nan }, emotion: .fear)])
    }
    #expect(throws: MienError.self) { try self.adaptation(budget: 0) }
  }
}
