import Foundation
import MienCore
import MienEvaluation
import MienInference
import MienTestSupport
import Testing

@Suite struct EvaluationTests {
  /// Faces whose white pixel says `read` under PixelGraph's order, with the label `truth`.
  private func set(_ labels: LabelSet, _ faces: [(truth: Emotion?, pixel: Int)], split: Split = .test) throws -> FaceSet
  {
    try FaceSet(
      source: "pixels", labelSet: labels, height: 48, width: 48, channels: 1,
      rows: faces.enumerated().map { .init(label: $1.truth, split: split, sourceRow: $0) },
      pixels: Data(faces.flatMap { PixelGraph.face($0.pixel) }))
  }

  private func classifier(_ labels: [LabelSet] = [.ferplus, .fer2013]) throws -> EmotionClassifier {
    try EmotionClassifier(model: PixelGraph.model(labels))
  }

  @Test func ownOutputIsMeasured() async throws {
    // fer2013: 0 anger, 3 happiness, 6 neutral.
    let faces = try set(.fer2013, [(.anger, 0), (.happiness, 3), (.happiness, 3), (.neutral, 0), (nil, 0)])
    let result = try await Evaluation(classifier(), on: faces, labels: .own, split: .test)
    #expect(result.output == .fer2013)
    #expect(result.metrics.count == 4 && result.metrics.correct == 3)
    #expect(result.metrics.confusion[6][0] == 1)
    #expect(result.unlabelledCount == 1 && result.missingClasses.isEmpty)
  }

  @Test func widestOutputIsRestrictedToSharedClasses() async throws {
    // ferplus order: 0 neutral, 1 happiness, 7 contempt; CK+48 has no neutral.
    let faces = try set(.ckplus48, [(.happiness, 1), (.contempt, 7), (.sadness, 0)])
    let result = try await Evaluation(classifier(), on: faces, labels: .own, split: .test)
    #expect(result.output == .ferplus && result.missingClasses.isEmpty)
    #expect(result.metrics.correct == 2)
    #expect(result.metrics.labels == .ckplus48)
  }

  @Test func facesOfClassesTheModelLacksCountAsWrong() async throws {
    let faces = try set(.ckplus48, [(.happiness, 3), (.contempt, 3), (.contempt, 0)])
    let result = try await Evaluation(classifier([.fer2013]), on: faces, labels: .own, split: .test)
    #expect(result.missingClasses == [.contempt])
    #expect(result.metrics.count == 3 && result.metrics.correct == 1)
  }

  @Test func flippedPassIsAveraged() async throws {
    let faces = try set(.fer2013, [(.happiness, 3)])
    let classifier = try classifier()
    let plain = try await Evaluation(classifier, on: faces, labels: .own, split: .test)
    let both = try await Evaluation(classifier, on: faces, labels: .own, split: .test, averaging: .flip)
    // The mirror image has its white pixel where no class looks: all seven are equally likely.
    let expected = (exp(-plain.metrics.logLoss) + 1.0 / 7) / 2
    #expect(abs(exp(-both.metrics.logLoss) - expected) < 1e-5)
  }

  @Test func progressReachesTheEnd() async throws {
    let faces = try set(.fer2013, (0..<150).map { _ in (.anger, 0) })
    let (stream, updates) = AsyncStream<Int>.makeStream()
    _ = try await Evaluation(classifier(), on: faces, labels: .own, split: nil) { done, _ in updates.yield(done) }
    updates.finish()
    var seen: [Int] = []
    for await done in stream { seen.append(done) }
    #expect(seen == [64, 128, 150])
  }

  @Test func facesOfAnotherSizeAreRefused() async throws {
    let faces = try set(.fer2013, [(.anger, 0)])
    let small = try EmotionClassifier(model: PixelGraph.model(size: 24))
    let error = await #expect(throws: MienError.self) {
      try await Evaluation(small, on: faces, labels: .own, split: .test)
    }
    #expect(error?.message == "faces of 48x48 pixels, pixels takes 24x24: import them with --size 24")
  }

  @Test func picturesThatWereTrainedOnAreLeftOut() async throws {
    // The first and the third face are one picture.
    let rows: [(Emotion, Int, Split)] = [(.anger, 0, .train), (.happiness, 3, .test), (.anger, 0, .test)]
    let faces = try FaceSet(
      source: "pixels", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: rows.enumerated().map { .init(label: $1.0, split: $1.2, sourceRow: $0) },
      pixels: Data(rows.flatMap { PixelGraph.face($0.1, size: 48) }))
    #expect(faces.copies(of: .train) == [2] && faces.copies(of: .test) == [0] && faces.copies(of: .validation) == [])
    let result = try await Evaluation(
      classifier(), on: faces, labels: .own, split: .test, excluding: faces.copies(of: .train))
    #expect(result.indices == [1] && result.excludedCount == 1 && result.unlabelledCount == 0)
  }

  @Test func emptySplitIsRefused() async throws {
    let faces = try set(.fer2013, [(.anger, 0)])
    let classifier = try classifier()
    await #expect(throws: MienError.self) {
      try await Evaluation(classifier, on: faces, labels: .own, split: .train)
    }
  }
}
