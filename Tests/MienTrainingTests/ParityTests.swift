import MienCore
import MienInference
import MienModels
import MienONNX
import MienTorch
import MienTraining
import Testing

/// What users run (OpenVINO on the exported file) equals what was trained (libtorch).
@Suite @TorchActor struct ParityTests {
  @Test(arguments: ModelTests.names) func openVINOAndLibtorchAgreeOnAThousandFaces(_ name: String) async throws {
    let count = 1000
    let set = try DrawnFaces.set(count: count, split: { _ in .test }, seed: 11)
    let preprocessing = Preprocessing()
    let inputs = try (0..<count).flatMap { try preprocessing.input(pixels: set.face(at: $0), sourceChannels: 1) }
    let faces = try Tensor(inputs, shape: [count, 1, 48, 48])

    let labels = [LabelSet.ferplus, .fer2013]
    var random = SeededRandom(seed: 1)
    let network = try ModelRegistry.architecture(named: name).init()
      .network(channels: 1, labels: labels, random: &random)
    // Statistics that are not the initial ones, so that folding them is put to the test.
    for seed in 0..<4 {
      let batch = try Tensor(indices: (0..<64).map { $0 * 7 + seed })
      try Tensor.withGradients(false) { _ = try network.logits(faces.rows(batch), .training(seed: UInt64(seed))) }
    }
    let temperatures: [Float] = [1.5, 0.7]
    let expected = try Tensor.withGradients(false) {
      try zip(network.logits(faces, .inference), temperatures).map { logits, temperature in
        try logits.scaled(by: 1 / temperature).softmax(1).floats()
      }
    }

    let card = ModelCard(
      name: name, summary: "", architecture: name, parameterCount: try network.parameterCount,
      preprocessing: preprocessing, framing: .init(),
      outputs: zip(labels, temperatures).map { .init(name: $0.name, emotions: $0.emotions, temperature: $1) },
      training: [], seed: 1, epochs: 0, measurements: [], license: "MIT")
    let classifier = try EmotionClassifier(model: ModelExport.model(of: network, card: card))
    let outputs = try classifier.predictions(for: inputs, count: count)
    for (labels, expected) in zip(labels, expected) {
      let found = try #require(outputs[labels.name]?.values)
      let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(found.count == expected.count && difference < 1e-4)
      // The faces are told apart at all: parity of constants would prove nothing.
      #expect(Set(found).count > count)
    }
    #expect(outputs["embedding"]?.shape.first == count && outputs["features"]?.shape.count == 4)
  }
}
