import Foundation
import MienCore
import MienInference
import MienModels
import MienONNX
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// Adds to each map its distance from the map's mean, times a factor that is learned for each channel.
@TorchActor private final class LocalContrast: Layer {
  let strength: Parameter

  init(_ channels: Int) throws { strength = try Parameter(.full([1, channels, 1, 1], 0.5), decays: false) }

  func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let shape = try input.shape
    let mean = try input.mean([2, 3]).reshaped([shape[0], shape[1], 1, 1])
    return try input.subtracting(mean).multiplied(by: strength.value).adding(input)
  }

  func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let mean = graph.node("ReduceMean", [input], attributes: ["axes": .ints([2, 3]), "keepdims": .int(1)])
    let factor = try graph.constant(
      "\(path).strength", shape: strength.value.shape, values: strength.value.floats())
    let contrast = graph.node("Mul", [graph.node("Sub", [input, mean]), factor])
    return graph.node("Add", [contrast, input])
  }
}

/// An architecture that Mien does not know, with that layer.
private struct ContrastNetwork: Architecture {
  var filters = 6
  var activation = Activation.relu

  func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    try FaceNetwork(
      trunk: Sequential([
        Conv2d(channels, filters, kernel: 3, stride: 2, bias: false, random: &random), BatchNorm(filters),
        activation.layer(filters, ofMaps: true), LocalContrast(filters), Pool2d(.average, kernel: 4),
      ]),
      neck: Sequential([Flatten(), Dropout(0.1)]), embedding: filters * 36, labels: labels, random: &random)
  }
}

/// What someone who depends on Mien can add to it.
@Suite(.serialized) @TorchActor struct ForeignArchitectureTests {
  private static let name = "test-contrast"
  private static let registered: Void? = try? ModelRegistry.register(ContrastNetwork(), as: name)

  private func recipe(_ options: String = "{filters: 4}") throws -> Recipe {
    _ = Self.registered
    return try RecipeFile.parse(
      """
      name: foreign
      model: {architecture: \(Self.name), options: \(options)}
      heads: [{labels: fer2013}]
      epochs: 1
      batchSize: 16
      schedule: {warmupEpochs: 0}
      """, file: "foreign.yaml")
  }

  @Test func aForeignNetworkIsTrainedExportedAndEvaluated() async throws {
    let folder = try TemporaryFolder()
    let set = try DrawnFaces.set(count: 56, split: { $0 < 42 ? .train : .validation }, votes: false)
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe())
    let trainer = try Trainer(run: run, sets: [set], observers: [])
    #expect(try trainer.run(shouldStop: { false })?.epochs == 1)
    let network = try Checkpoint.best(of: run).network
    let strength = try #require(Parameters.state(of: network).first { $0.name == "trunk.layers.3.strength" })
    #expect(try strength.item.value.floats().contains { $0 != 0.5 }, "its parameter is trained")

    let file = folder.file("foreign.onnx")
    try ModelExport.model(of: run, calibratedOn: [set]).write(to: file)
    let card = try ONNXModel(contentsOf: file).card()
    #expect(card.architecture == Self.name)
    // Both runtimes give the same probabilities.
    let classifier = try EmotionClassifier(model: ONNXModel(contentsOf: file))
    let inputs = try (42..<56).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) }
    let logits = try Tensor.withGradients(false) {
      try network.logits(Tensor(inputs, shape: [14, 1, 48, 48]), .inference)[0]
    }
    let expected = try logits.scaled(by: 1 / card.outputs[0].temperature).softmax(1).floats()
    let found = try #require(classifier.predictions(for: inputs, count: 14)["fer2013"]?.values)
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })

    // Its own constants are found again by --init.
    var next = try recipe()
    next.initialWeights = file.path
    let second = try RunFolder(creating: folder.file("second"), recipe: next)
    #expect(throws: Never.self) { try Trainer(run: second, sets: [set], observers: []) }
  }

  @Test func itsOptionsAreCheckedLikeThoseOfMien() throws {
    let unknown = #expect(throws: MienError.self) { try recipe("{filter: 4}") }
    #expect(
      unknown?.message.contains("model.options.filter of \(Self.name); did you mean model.options.filters?") == true)
    let value = #expect(throws: MienError.self) { try recipe("{activation: tanh}") }
    #expect(value?.message.contains("must be one of relu, leakyReLU") == true, "\(value as Any)")
  }

  @Test func aNameIsTakenOnce() throws {
    _ = Self.registered
    for name in [Self.name, "mien-s", ""] {
      let error = #expect(throws: MienError.self) { try ModelRegistry.register(ContrastNetwork(), as: name) }
      #expect(error?.kind == .argument)
    }
    #expect(ModelRegistry.architectures["mien-s"] is CompactResidualNetwork)
  }
}
