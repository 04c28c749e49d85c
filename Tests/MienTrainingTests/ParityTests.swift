import MienCore
import MienInference
import MienModels
import MienONNX
import MienTorch
import MienTraining
import Testing

/// What users run (OpenVINO on the exported file) equals what was trained (libtorch).
@Suite @TorchActor struct ParityTests {
  private let labels = [LabelSet.ferplus, .fer2013]
  private let temperatures: [Float] = [1.5, 0.7]

  @Test(arguments: ModelTests.names) func openVINOAndLibtorchAgreeOnAThousandFaces(_ name: String) async throws {
    var random = SeededRandom(seed: 1)
    let network = try ModelRegistry.architecture(named: name).network(channels: 1, labels: labels, random: &random)
    try compare(network, on: ManyFaces.inputs(count: 1000), channels: 1)
  }

  @Test(arguments: Pooling.allCases, Activation.allCases)
  func everyPoolingAndActivationHasItsONNXForm(_ pooling: Pooling, _ activation: Activation) async throws {
    var small = PlainNetwork.leShallow
    (small.filters, small.dense) = ([6, 9], [12])
    (small.pooling, small.activation) = (pooling, activation)
    var random = SeededRandom(seed: 2)
    let network = try small.network(channels: 3, labels: labels, random: &random)
    try compare(network, on: colours(count: 40), channels: 3)
  }

  @Test(arguments: ModelTests.names.filter { $0 != "le-deep" }) func colourIsExported(_ name: String) async throws {
    var random = SeededRandom(seed: 3)
    let network = try ModelRegistry.architecture(named: name).network(channels: 3, labels: labels, random: &random)
    try compare(network, on: colours(count: 20), channels: 3)
  }

  @Test func layersThatNoArchitectureHasAreExported() async throws {
    var random = SeededRandom(seed: 4)
    let trunk = Sequential([
      try Conv2d(1, 8, kernel: 3, stride: 2, random: &random), LeakyReLU(slope: 0.3),
      try FractionalMaxPool2d(from: 24, to: 9, kernel: 3), try BatchNorm(8),
      Residual(
        Sequential([
          try Conv2d.depthwise(8, kernel: 5, bias: false, random: &random), try BatchNorm(8), SiLU(),
          try Conv2d(8, 8, kernel: 1, bias: false, random: &random), try BatchNorm(8),
        ]), dropProbability: 0.5),
      try Conv2d(8, 12, kernel: 3, groups: 4, random: &random), try ParametricReLU(12),
    ])
    let neck = Sequential([GlobalMaxPool(), try Linear(12, 10, random: &random), try BatchNorm(10), GELU()])
    let network = try FaceNetwork(
      scaling: .centered, trunk: trunk, neck: neck, embedding: 10, labels: labels, random: &random)
    try compare(network, on: ManyFaces.inputs(count: 40), channels: 1)
  }

  private func colours(count: Int) -> [Float] {
    var random = SeededRandom(seed: 8)
    return (0..<(count * 3 * 48 * 48)).map { _ in random.uniform() }
  }

  /// Probabilities of both differ by less than 1e-4.
  private func compare(_ network: FaceNetwork, on inputs: [Float], channels: Int) throws {
    let size = channels * 48 * 48
    let count = inputs.count / size
    try #require(count > 0 && inputs.count % size == 0)
    let batches = try stride(from: 0, to: count, by: 100).map { start in
      let end = min(start + 100, count)
      return try Tensor(Array(inputs[(start * size)..<(end * size)]), shape: [end - start, channels, 48, 48])
    }
    // Neither statistics nor offsets nor slopes stay the initial ones, so that each is put to the test.
    var random = SeededRandom(seed: 5)
    for (_, item) in Parameters.state(of: network) {
      guard case .parameter(let parameter) = item, !parameter.decays else { continue }
      let shape = try parameter.value.shape
      let noise = try Tensor(random.normal(count: shape.reduce(1, *), standardDeviation: 0.1), shape: shape)
      try parameter.value.copyInPlace(Tensor.withGradients(false) { try parameter.value.adding(noise) })
    }
    try Tensor.withGradients(false) {
      for (seed, batch) in batches.prefix(3).enumerated() {
        _ = try network.logits(batch, .training(seed: UInt64(seed)))
      }
    }
    var expected = [[Float]](repeating: [], count: labels.count)
    try Tensor.withGradients(false) {
      for batch in batches {
        for (head, logits) in try network.logits(batch, .inference).enumerated() {
          expected[head] += try logits.scaled(by: 1 / temperatures[head]).softmax(1).floats()
        }
      }
    }

    let card = ModelCard(
      name: "parity", summary: "", architecture: "parity", parameterCount: try network.parameterCount,
      preprocessing: Preprocessing(width: 48, height: 48, channels: channels, equalize: false), framing: .init(),
      outputs: zip(labels, temperatures).map { .init(name: $0.name, emotions: $0.emotions, temperature: $1) },
      training: [], seed: 1, epochs: 0, measurements: [], license: "MIT")
    let classifier = try EmotionClassifier(model: ModelExport.model(of: network, card: card))
    let outputs = try classifier.predictions(for: inputs, count: count)
    for (labels, expected) in zip(labels, expected) {
      let found = try #require(outputs[labels.name]?.values)
      let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(found.count == expected.count && difference < 1e-4, "they differ by \(difference)")
      // The faces are told apart at all: parity of constants would prove nothing.
      #expect(Set(found).count > count)
    }
    #expect(outputs["embedding"]?.shape.first == count && outputs["features"]?.shape.count == 4)
  }
}
