import Foundation
import MienCore
import MienTestSupport
import MienTorch
import MienTraining
import Testing

@Suite(.serialized) @TorchActor struct BalanceTests {
  /// Five faces of every class to train on, and eleven more of anger; five of every class to validate.
  private func faces() throws -> FaceSet {
    try DrawnFaces.set(
      count: 147, split: { $0 < 35 || ($0 >= 70 && $0 % 7 == 0) ? .train : $0 < 70 ? .validation : .test })
  }

  private func recipe(_ settings: String...) throws -> Recipe { try DrawnFaces.recipe(epochs: 1, settings: settings) }

  @Test func afterTheSplitOnlyTrainingFacesAreCopied() throws {
    let (set, recipe) = (try faces(), try recipe("balance.when=afterSplit"))
    let faces = set.splitFaces
    let dealt = try recipe.dealt(faces)
    let own = FaceParts(own: faces)
    #expect(dealt.copies.count == 6 * 11 && Set(dealt.copies).isSubset(of: own.train))
    #expect(dealt.parts.train == own.train + (faces.count..<(faces.count + 66)))
    #expect(dealt.parts.validation == own.validation && dealt.parts.test == own.test)
    let classes = Dictionary(grouping: dealt.copies) { faces[$0].emotion }
    #expect(classes.count == 6 && classes[.anger] == nil && classes.values.allSatisfy { $0.count == 11 })
    // Each of a class's five is copied twice, one of them a third time.
    #expect(classes.values.allSatisfy { Set($0).count == 5 })
    #expect(try recipe.dealt(faces).copies == dealt.copies)
    #expect(try self.recipe("balance={when: afterSplit, seed: 2}").dealt(faces).copies != dealt.copies)

    let data = try TrainingData([set], recipe: recipe)
    #expect(data.train.count == 16 * 7 && data.validation.count == 35)
    let origin = ModelCard.TrainingData(
      source: "drawn", split: "train (balanced by copies)", count: 46, labels: ["ferplus", "fer2013"])
    #expect(data.origins.count == 1 && data.origins[0].isSame(as: origin))
    // Of the faces themselves, without copies: 16 of anger and 5 of each other class.
    #expect(data.origins[0].classShares?["fer2013"] == [16 / 46] + [Float](repeating: 5 / 46, count: 6))
    #expect(try data.classCounts[1] == [Float](repeating: 16, count: 7))
  }

  @Test func beforeTheSplitCopiesLandOnBothSidesAndItIsSaid() throws {
    let set = try DrawnFaces.set(count: 147, split: { _ in .train }, keep: { $0 < 70 || $0 % 7 == 0 })
    let recipe = try recipe("balance.when=beforeSplit", "split={train: 0.75, validation: 0.25}")
    let dealt = try recipe.dealt(set.splitFaces)
    let train = Set(dealt.parts.train)
    let leaked = dealt.copies.enumerated().count { train.contains(set.count + $0.offset) != train.contains($0.element) }
    #expect(leaked > 0)
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe)
    let recorder = Recorder()
    try Trainer(run: run, sets: [set], observers: [recorder]).run(shouldStop: { false })
    #expect(recorder.plan?.notes.contains { $0.hasPrefix("warning:") && $0.contains("both sides") } == true)
    #expect(throws: MienError.self) { try self.recipe("balance.when=beforeSplit") }
  }

  @Test func copiesAreMirroredAndTurned() throws {
    let set = try faces()
    let pixels = [UInt8](set.pixels)
    func copies(_ settings: String) throws -> [UInt8] {
      let balance = try recipe("balance=\(settings)").balance
      return try balance.pixels(of: Array(repeating: 1, count: 40), in: pixels, preprocessing: Preprocessing())
    }
    let face = Array(pixels[2304..<4608])
    let mirrored = stride(from: 0, to: 2304, by: 48).flatMap { face[$0..<($0 + 48)].reversed() }
    let plain = try copies("{rotationDegrees: 0}")
    var found: Set<[UInt8]> = []
    for start in stride(from: 0, to: plain.count, by: 2304) { found.insert(Array(plain[start..<(start + 2304)])) }
    #expect(found == [face, mirrored])
    let turned = try copies("{rotationDegrees: 45}")
    #expect(turned.count == 40 * 2304 && turned != plain)
    #expect(try copies("{rotationDegrees: 45}") == turned)
  }
}
