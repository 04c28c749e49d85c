import MienCore
import MienInference
import MienONNX
import MienTestSupport
import Testing

@Suite struct EmotionClassifierTests {
  private func faces(_ count: Int, seed: UInt64 = 7) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<(count * 2304)).map { _ in random.uniform() }
  }

  @Test func outputsAreNamedShapedAndSumToOne() throws {
    let classifier = try EmotionClassifier(model: TinyGraph.model())
    #expect(classifier.outputNames == ["ferplus", "embedding"])
    let output = try classifier.predictions(for: faces(3), count: 3)
    #expect(output["ferplus"]?.shape == [3, 8])
    #expect(output["embedding"]?.shape == [3, 4])
    for distribution in try output.distributions(.ferplus) {
      #expect(abs(distribution.probabilities.reduce(0, +) - 1) < 1e-5)
    }
    #expect(try classifier.predictions(for: [], count: 0)["ferplus"]?.values == [])
    let alone = try classifier.predictions(for: faces(3), count: 3, outputs: ["embedding"])
    #expect(alone.tensors.keys.sorted() == ["embedding"] && alone["embedding"] == output["embedding"])
  }

  @Test func aFaceDoesNotFeelItsBatch() throws {
    let classifier = try EmotionClassifier(model: BuiltInModels.model())
    let inputs = faces(19)
    let together = try classifier.predictions(for: inputs, count: 19)
    for name in classifier.outputNames {
      let rows = try (0..<19).flatMap { index in
        let face = Array(inputs[(index * 2304)..<((index + 1) * 2304)])
        return try classifier.predictions(for: face, count: 1)[name]?.values ?? []
      }
      #expect(rows == together[name]?.values, "\(name), bit for bit")
    }
  }

  @Test func pixelsSpeak() throws {
    let classifier = try EmotionClassifier(model: PixelGraph.model())
    let inputs = try (0..<8).flatMap { try Preprocessing().input(pixels: PixelGraph.face($0), sourceChannels: 1) }
    let read = try classifier.distributions(for: inputs, count: 8)
    #expect(read.map(\.top.emotion) == LabelSet.ferplus.emotions)
    #expect(read.allSatisfy { $0.top.probability > 0.999 })
    let seven = try classifier.distributions(for: Array(inputs.prefix(7 * 2304)), count: 7, labels: .fer2013)
    #expect(seven.map(\.top.emotion) == LabelSet.fer2013.emotions)
  }

  @Test func aPriorTurnsTheProbabilitiesOfTheBuiltInModel() throws {
    let plain = try EmotionClassifier.default()
    let shares = try #require(plain.card.classShares(of: .ferplus))
    let even = try EmotionClassifier(model: BuiltInModels.model(), prior: ClassPrior(.uniform, strength: 0.5))
    let inputs = faces(3)
    let before = try plain.distributions(for: inputs, count: 3)
    let after = try even.distributions(for: inputs, count: 3)
    for (a, b) in zip(before, after) {
      #expect(try b == a.reweighted(from: shares, to: [Float](repeating: 1, count: 8), strength: 0.5))
      #expect(a != b)
    }
    #expect(try even.distributions(for: inputs, count: 3, prior: .data) == before)
    #expect(try plain.distributions(for: inputs, count: 3, prior: even.prior) == after)
    #expect(try even.predictions(for: inputs, count: 3) == plain.predictions(for: inputs, count: 3))
  }

  @Test func theBuiltInWeightsAreThoseOfTheCard() throws {
    let model = try BuiltInModels.model()
    #expect(try ONNXModel(data: model.data).card() == model.card())
    #expect(try model.card().weightsSHA256 == model.weightsSHA256)
  }

  @Test func aPriorNeedsACardWithClassShares() throws {
    let uniform = try ClassPrior(.uniform)
    let error = #expect(throws: MienError.self) { try EmotionClassifier(model: TinyGraph.model(), prior: uniform) }
    #expect(error?.message.contains("class shares") == true)
    let unfit = try ClassPrior(.shares([.contempt: 1]))
    let classifier = try EmotionClassifier.default()
    #expect(throws: MienError.self) {
      try classifier.distributions(for: faces(1), count: 1, labels: .fer2013, prior: unfit)
    }
    _ = try EmotionClassifier(model: TinyGraph.model(), prior: ClassPrior(.uniform, strength: 0))
  }

  @Test func manyTasksShareOneClassifier() async throws {
    let classifier = try EmotionClassifier(model: TinyGraph.model())
    let inputs = (0..<6).map { faces(2, seed: UInt64($0)) }
    let expected = try inputs.map { try classifier.predictions(for: $0, count: 2) }
    try await withThrowingTaskGroup(of: (Int, ClassifierOutput).self) { group in
      for round in 0..<30 {
        group.addTask {
          (round % 6, try await NativeQueue.shared.run { try classifier.predictions(for: inputs[round % 6], count: 2) })
        }
      }
      for try await (index, output) in group { #expect(output == expected[index]) }
    }
  }

  @Test func sizesThatDoNotFitAreRefused() throws {
    let classifier = try EmotionClassifier(model: TinyGraph.model())
    #expect(throws: MienError.self) { try classifier.predictions(for: faces(2), count: 3) }
    #expect(throws: MienError.self) { try classifier.predictions(for: faces(1), count: 1, outputs: ["moods"]) }
    #expect(throws: MienError.self) { try classifier.distributions(for: faces(1), count: 1, labels: .fer2013) }
    #expect(throws: MienError.self) { try EmotionClassifier(model: TinyGraph.model(), threads: 0) }
  }

  @Test func cardThatLiesAboutTheInputIsRefused() throws {
    var card = TinyGraph.card
    card.preprocessing.width = 64
    let model = try TinyGraph.model().replacingCard(card)
    let error = #expect(throws: MienError.self) { try EmotionClassifier(model: model) }
    #expect(error?.kind == .mismatch)
    #expect(error?.message == "faces has the shape [N, 1, 48, 48] in the model, [N, 1, 48, 64] by its card")
  }

  @Test func operatorThatDoesNotExistIsANativeError() throws {
    var graph = try TinyGraph.builder()
    let wrong = graph.node("Frobnicate", ["faces"])
    graph.output("features", from: wrong, shape: [.dynamic("N"), .fixed(1)])
    let model = try graph.model(card: TinyGraph.card)
    let error = #expect(throws: MienError.self) { try EmotionClassifier(model: model) }
    #expect(error?.kind == .native)
    #expect(error?.message.contains("Frobnicate") == true)
  }

  @Test func labelsAreChosenByClassesThenName() throws {
    let classifier = try EmotionClassifier(model: PixelGraph.model())
    #expect(classifier.widestLabels == .ferplus)
    #expect(classifier.labels(for: .fer2013) == .fer2013)
    let reordered = try LabelSet(name: "mine", emotions: LabelSet.fer2013.emotions.sorted())
    #expect(classifier.labels(for: reordered) == .fer2013)
    #expect(classifier.labels(for: .ckplus48) == .ferplus)
  }
}
