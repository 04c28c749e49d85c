import Foundation
import MienAdaptation
import MienCore
import MienInference
import MienONNX
import MienTestSupport
import Testing

@Suite struct ProfileTests {
  private func faces(_ count: Int, seed: UInt64 = 7) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<(count * 2304)).map { _ in random.uniform() }
  }

  /// A layer that says `emotion` to everything.
  private func profile(_ emotion: Emotion, of model: ONNXModel) throws -> AdaptedHead {
    let original = try model.linearHead(for: .ferplus)
    var biases = original.biases
    biases[LabelSet.ferplus.index(of: emotion) ?? 0] += 100
    let head = try LinearHead(labels: .ferplus, width: original.width, weights: original.weights, biases: biases)
    let adaptation = try HeadAdaptation(
      original: original,
      reference: EmbeddingReference(
        source: "drawn", count: 1, weightsSHA256: model.weightsSHA256, width: original.width,
        moment: (0..<((original.width + 1) * (original.width + 1))).map { $0 % (original.width + 2) == 0 ? 1 : 0 },
        information: ["ferplus": (0..<64).map { $0 % 9 == 0 ? 0.1 : 0 }]))
    let examples = [
      HeadAdaptation.Example(embedding: [Float](repeating: 0.1, count: original.width), emotion: emotion)
    ]
    let fit = HeadAdaptation.Fit(head: head, strength: 1, divergence: 0.01)
    return AdaptedHead(
      head: head,
      info: .init(
        profile: try ProfileName("me"), model: try model.card(), fit: fit,
        check: try AdaptationCheck(adaptation, examples), created: Date(timeIntervalSince1970: 1_700_000_000.738)))
  }

  @Test func headsAreReadOutOfTheGraph() throws {
    let model = try BuiltInModels.model()
    let classifier = try EmotionClassifier(model: model)
    let output = try classifier.predictions(for: faces(5), count: 5)
    let embedding = try #require(output[ONNXModel.embeddingName])
    for labels in classifier.labelSets {
      let head = try model.linearHead(for: labels)
      for index in 0..<5 {
        let expected = try #require(output[labels.name]).row(index)
        for (found, value) in try zip(head.probabilities(embedding.row(index)), expected) {
          #expect(abs(found - value) < 1e-5, "\(labels.name)")
        }
      }
    }
  }

  @Test func graphsOfAnotherFormAreRefused() throws {
    let error = #expect(throws: MienError.self) { try PixelGraph.model().linearHead(for: .ferplus) }
    #expect(error?.message.contains("embedding") == true)
    #expect(throws: MienError.self) { try TinyGraph.model().linearHead(for: .fer2013) }
  }

  @Test func anAdaptedHeadMakesTheProbabilitiesOfItsLabels() throws {
    let model = try TinyGraph.model()
    let plain = try EmotionClassifier(model: model)
    let adapted = try EmotionClassifier(model: model, adaptedHead: profile(.disgust, of: model))
    let inputs = faces(11)
    #expect(try plain.distributions(for: inputs, count: 11).allSatisfy { $0.top.emotion != .disgust })
    let read = try adapted.distributions(for: inputs, count: 11)
    #expect(read.allSatisfy { $0.top.emotion == .disgust && $0.top.probability > 0.999 })
    let all = try adapted.predictions(for: inputs, count: 11)
    #expect(all["embedding"] == (try plain.predictions(for: inputs, count: 11)["embedding"]))
    let one = try adapted.predictions(for: inputs, count: 11, outputs: ["ferplus"])
    #expect(one.tensors.keys.sorted() == ["ferplus"] && one["ferplus"] == all["ferplus"])
  }

  @Test func profilesSurviveWritingAndReading() throws {
    let folder = try TemporaryFolder()
    let store = ProfileStore(folder: folder.file("a/b"))
    let name = try ProfileName("me")
    let profile = try profile(.fear, of: TinyGraph.model())
    let missing = #expect(throws: MienError.self) { try store.head(of: name) }
    #expect(missing?.subject == "profile me" && missing?.message.hasPrefix("not found in ") == true)
    #expect(try store.write(profile, as: name).path == folder.file("a/b/me.safetensors").path)
    // The time too, which the file has to the second.
    #expect(try store.head(of: name) == profile)
    let whole = try Data(contentsOf: store.url(of: name))
    for damaged in [Data(), Data(whole.prefix(whole.count / 2)), Data("text".utf8)] {
      try damaged.write(to: store.url(of: name))
      let error = #expect(throws: MienError.self) { try store.head(of: name) }
      #expect(error?.subject == store.url(of: name).path)
    }
  }

  @Test func profilesOfAnotherModelAreRefused() throws {
    let profile = try profile(.fear, of: TinyGraph.model(seed: 1))
    let error = #expect(throws: MienError.self) {
      try EmotionClassifier(model: TinyGraph.model(seed: 2), adaptedHead: profile)
    }
    #expect(error?.subject == "profile me" && error?.message.hasPrefix("was fitted to tiny ") == true)
  }

  @Test(arguments: [
    "", ".", "..", "a/b", "../a", "/etc", "-a", ".a", "a b", "ä", "a\u{0}", String(repeating: "a", count: 65),
  ])
  func namesThatCouldLeadElsewhereAreRefused(name: String) {
    #expect(throws: MienError.self) { try ProfileName(name) }
  }

  @Test(arguments: ["a", "Anna-2", "0.b_c", String(repeating: "a", count: 64)])
  func plainNamesAreTaken(name: String) throws { #expect(try ProfileName(name).text == name) }

  @Test func theFolderFollowsTheEnvironment() {
    #expect(ProfileStore(environment: ["MIEN_PROFILES": "/p"]).folder.path == "/p")
    #expect(ProfileStore(environment: ["XDG_CONFIG_HOME": "/c"]).folder.path == "/c/mien/profiles")
    #expect(ProfileStore(environment: [:]).folder.path.hasSuffix("/.config/mien/profiles"))
  }

  @Test func averagesTravelWithTheModel() async throws {
    let model = try TinyGraph.model()
    var random = SeededRandom(seed: 3)
    let set = try FaceSet(
      source: "drawn", labelSet: .ferplus, height: 48, width: 48, channels: 1,
      rows: (0..<300).map { .init(label: nil, split: $0 < 290 ? .train : .test, sourceRow: $0) },
      pixels: Data((0..<(300 * 2304)).map { _ in UInt8.random(in: 0...255, using: &random) }))
    let classifier = try EmotionClassifier(model: model)
    let reference = try await EmbeddingReference(classifier, faces: set, split: .train)
    #expect(reference.count == 290 && reference.width == 4)
    #expect(try model.embeddingReference() == nil)
    let carrying = try ONNXModel(data: model.replacingReference(reference).data)
    #expect(try carrying.embeddingReference() == reference)
    #expect(try carrying.card() == model.card() && carrying.weightsSHA256 == model.weightsSHA256)
    #expect(throws: MienError.self) { try TinyGraph.model(seed: 2).replacingReference(reference) }
    await #expect(throws: MienError.self) {
      try await EmbeddingReference(classifier, faces: set, split: .validation)
    }
    // The averages are those of the embeddings, and a change of the layer is weighed by them.
    let adaptation = try HeadAdaptation(original: model.linearHead(for: .ferplus), reference: reference)
    #expect(try adaptation.fit([]).divergence == 0)
  }
}
