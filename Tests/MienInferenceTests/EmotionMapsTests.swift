import MienCore
import MienInference
import MienONNX
import MienTestSupport
import MienVision
import Testing

@Suite struct EmotionMapsTests {
  /// Two feature maps of 6x6 squares, how bright and how dark each is; brightness speaks for happiness, darkness for
  /// sadness, both alike for anger.
  private static func squares() throws -> ONNXModel {
    var graph = ONNXGraphBuilder(name: "squares")
    graph.input("faces", shape: [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
    let kernel = try graph.constant(
      "kernel", shape: [2, 1, 8, 8], values: (0..<128).map { $0 < 64 ? 1.0 / 64 : -1.0 / 64 })
    let bias = try graph.constant("bias", shape: [2], values: [0, 1])
    let maps = graph.node(
      "Relu",
      [
        graph.node(
          "Conv", ["faces", kernel, bias], attributes: ["kernel_shape": .ints([8, 8]), "strides": .ints([8, 8])])
      ]
    )
    let embedding = graph.node(
      "Flatten", [graph.node("GlobalAveragePool", [maps])], attributes: ["axis": .int(1)])
    let labels = LabelSet.fer2013
    let weights = try graph.constant(
      "weights", shape: [labels.count, 2],
      values: labels.emotions.flatMap { emotion -> [Float] in
        switch emotion {
        case .happiness: [9, 0]
        case .sadness: [0, 3]
        case .anger: [2, 2]
        default: [0, 0]
        }
      })
    let logits = graph.node("Gemm", [embedding, weights], attributes: ["transB": .int(1)])
    let probabilities = graph.node("Softmax", [logits], attributes: ["axis": .int(1)])
    graph.output("fer2013", from: probabilities, shape: [.dynamic("N"), .fixed(labels.count)])
    graph.output("embedding", from: embedding, shape: [.dynamic("N"), .fixed(2)])
    graph.output("features", from: maps, shape: [.dynamic("N"), .fixed(2), .fixed(6), .fixed(6)])
    return try graph.model(
      card: ModelCard(
        name: "squares", summary: "", architecture: "squares", parameterCount: 0, preprocessing: Preprocessing(),
        framing: .init(), outputs: [.init(name: "fer2013", emotions: labels.emotions)], training: [], seed: 0,
        epochs: 0, measurements: [], license: "MIT"))
  }

  /// A black face with a white square of 8x8 at (x, y).
  private static func face(x: Int, y: Int) -> [Float] {
    (0..<2304).map { (x..<(x + 8)).contains($0 % 48) && (y..<(y + 8)).contains($0 / 48) ? 1 : 0 }
  }

  @Test(arguments: EmotionClassifier.MapMethod.allCases)
  func whatSpeaksForAnEmotionIsHot(method: EmotionClassifier.MapMethod) throws {
    let classifier = try EmotionClassifier(model: Self.squares())
    let face = Self.face(x: 32, y: 8)
    let happy = try classifier.map(of: .happiness, for: face, method: method)
    #expect(happy.emotion == .happiness && happy.width == 48 && happy.height == 48)
    #expect(happy.values.max() == 1 && (happy.values.min() ?? -1) >= 0)
    #expect(happy.values[12 * 48 + 36] > 0.9 && happy.values[36 * 48 + 12] < 0.05)
    let sad = try classifier.map(of: .sadness, for: face, method: method)
    #expect(sad.values[12 * 48 + 36] < 0.1)
  }

  @Test func aBatchIsItsFaces() throws {
    let classifier = try EmotionClassifier(model: Self.squares())
    let faces = [Self.face(x: 0, y: 0), Self.face(x: 16, y: 24)]
    for method in EmotionClassifier.MapMethod.allCases {
      let together = try classifier.maps(
        of: [.happiness, .fear], for: faces[0] + faces[1], count: 2, method: method)
      for (index, face) in faces.enumerated() {
        let alone = try classifier.maps(of: [.happiness, .fear], for: face, count: 1, method: method)
        #expect(alone == [together[index]] && alone[0].maps.map(\.emotion) == [.happiness, .fear])
      }
      #expect(together[0].maps[0] != together[1].maps[0])
      let own = try classifier.maps(of: [], for: faces[0], count: 1, method: method)
      #expect(own[0].maps.map(\.emotion) == [own[0].distribution.top.emotion])
    }
    #expect(try classifier.maps(of: [], for: [], count: 0).isEmpty)
  }

  @Test func modelsWithoutActivationMapsSayThatAndHaveOcclusion() throws {
    let classifier = try EmotionClassifier(model: PixelGraph.model())
    #expect(classifier.mapMethods() == [.occlusion] && classifier.mapMethods(.fer2013) == [.occlusion])
    let face = try Preprocessing().input(pixels: PixelGraph.face(3), sourceChannels: 1)
    let error = #expect(throws: MienError.self) { try classifier.map(for: face, method: .cam) }
    #expect(error?.description.contains("no class activation maps") == true)
    // The one pixel that the network looks at is in the first square.
    let map = try classifier.map(for: face)
    #expect(map.emotion == LabelSet.ferplus.emotions[3] && map.values[0] == 1)
    #expect(map.values.enumerated().allSatisfy { $1 < 0.01 || ($0 % 48 < 16 && $0 / 48 < 16) })
    #expect(throws: MienError.self) { try classifier.map(of: .contempt, for: face, labels: .fer2013) }
    #expect(throws: MienError.self) { try classifier.map(for: face, labels: .ckplus48) }
    #expect(try EmotionClassifier(model: BuiltInModels.model()).mapMethods() == [.cam, .occlusion])
  }

  @Test func hidingARegionTakesWhatIsInIt() throws {
    let classifier = try EmotionClassifier(model: Self.squares())
    // A square within the eyes' region, rows 15 to 21.
    let face = (0..<2304).map { (12..<30).contains($0 % 48) && (15..<22).contains($0 / 48) ? Float(1) : 0 }
    let falls = try classifier.regionFalls(of: .happiness, for: face)
    let eyes = try #require(FaceRegion.allCases.firstIndex(of: .eyes))
    #expect(falls.count == FaceRegion.allCases.count && falls[eyes] == falls.max() && falls[eyes] > 0.01)
    let whole = try classifier.distributions(for: face, count: 1)
    #expect(try classifier.distributions(hiding: [[]], of: face) == whole)
    #expect(throws: MienError.self) { try classifier.distributions(hiding: [[true]], of: face) }
  }

  /// Emotion, probability and falls are with the prior, as everywhere; the maps stay the network's own.
  @Test(arguments: EmotionClassifier.MapMethod.allCases)
  func aPriorTurnsTheReadingAndNotTheMaps(method: EmotionClassifier.MapMethod) throws {
    let plain = try EmotionClassifier.default()
    let even = try EmotionClassifier(model: BuiltInModels.model(), prior: ClassPrior(.uniform))
    let face = Self.face(x: 12, y: 15)
    let emotions = LabelSet.ferplus.emotions
    let found = try even.maps(of: emotions, for: face, count: 1, method: method)[0]
    let before = try plain.maps(of: emotions, for: face, count: 1, method: method)[0]
    #expect(found.distribution == (try even.card.reweighted(before.distribution, to: even.prior)))
    #expect(zip(found.maps, before.maps).allSatisfy { zip($0.values, $1.values).allSatisfy { abs($0 - $1) < 1e-4 } })
    #expect(found.distribution != before.distribution)
    #expect(try even.map(for: face, method: method).emotion == found.distribution.top.emotion)
  }

  @Test func aRecognizerExplainsTheFacesOfAPicture() async throws {
    let recognizer = try Recognizer(classifier: EmotionClassifier(model: Self.squares()), detector: WholePicture())
    let pixels = Self.face(x: 8, y: 8).map { UInt8($0 * 255) }
    let picture = try Image(width: 48, height: 48, channels: 1, pixels: pixels)
    let found = try await recognizer.explanations(in: picture, emotions: [.happiness])
    #expect(found.count == 1 && found[0].face == picture && found[0].box.width == 48)
    #expect(found[0].maps == [try recognizer.classifier.map(of: .happiness, for: Self.face(x: 8, y: 8))])
    let larger = try picture.resized(width: 96, height: 96)
    let again = try await recognizer.explanation(ofFace: larger, emotions: [.happiness])
    #expect(again.maps[0].width == 48 && again.maps[0].values[12 * 48 + 12] > 0.9)
  }
}
