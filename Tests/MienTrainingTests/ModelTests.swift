import Foundation
import MienCore
import MienModels
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// What must hold for every architecture in the registry.
@Suite @TorchActor struct ModelTests {
  nonisolated static let names = ModelRegistry.builtIn.keys.sorted()

  private func network(_ name: String, channels: Int = 1, seed: UInt64 = 1) throws -> FaceNetwork {
    var random = SeededRandom(seed: seed)
    return try ModelRegistry.architecture(named: name)
      .network(channels: channels, labels: [.ferplus, .fer2013], random: &random)
  }

  private func faces(_ count: Int, channels: Int = 1) throws -> Tensor {
    var random = SeededRandom(seed: 9)
    return try Tensor(
      (0..<(count * channels * 48 * 48)).map { _ in random.uniform() }, shape: [count, channels, 48, 48])
  }

  @Test(arguments: names, [1, 3]) func forwardIsFiniteAndOfTheHeadsShape(_ name: String, _ channels: Int) throws {
    let logits = try network(name, channels: channels).logits(faces(3, channels: channels), .inference)
    #expect(try logits.map { try $0.shape } == [[3, 8], [3, 7]])
    #expect(try logits.allSatisfy { try $0.floats().allSatisfy(\.isFinite) })
  }

  @Test(arguments: names, [1, 3]) func aGradientReachesEveryParameter(_ name: String, _ channels: Int) throws {
    let network = try network(name, channels: channels)
    let logits = try network.logits(faces(8, channels: channels), .training(seed: 1))
    var random = SeededRandom(seed: 2)
    let losses = try logits.map { logits in
      let weights = try Tensor(
        random.normal(count: logits.shape.reduce(1, *), standardDeviation: 1), shape: logits.shape)
      return try logits.multiplied(by: weights).sum()
    }
    try losses[0].adding(losses[1]).backward()
    for (path, item) in Parameters.state(of: network) {
      guard case .parameter(let parameter) = item else { continue }
      let gradient = try #require(try parameter.value.gradient?.floats(), "\(path) has no gradient")
      #expect(gradient.allSatisfy(\.isFinite) && gradient.contains { $0 != 0 }, "\(path)")
    }
  }

  @Test(arguments: names) func aSeedGivesItsWeights(_ name: String) throws {
    let faces = try faces(2)
    let first = try network(name).logits(faces, .inference)[0].floats()
    #expect(try network(name).logits(faces, .inference)[0].floats() == first)
    #expect(try network(name, seed: 2).logits(faces, .inference)[0].floats() != first)
  }

  @Test(arguments: names) func aBatchIsItsFacesOneByOne(_ name: String) throws {
    let network = try network(name)
    let pixels = try faces(3)
    let together = try network.logits(pixels, .inference)[1].floats()
    let single = try (0..<3).flatMap { try network.logits(pixels.rows(Tensor(indices: [$0])), .inference)[1].floats() }
    #expect(zip(together, single).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test(arguments: names) func aCheckpointRestoresTheNetworkExactly(_ name: String) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "checkpoint.safetensors")
    let (saved, other) = (try network(name), try network(name, seed: 2))
    let pixels = try faces(4)
    // Statistics that are not the initial ones.
    try Tensor.withGradients(false) { _ = try saved.logits(pixels, .training(seed: 3)) }
    let expected = try saved.logits(pixels, .inference).map { try $0.floats() }
    #expect(try other.logits(pixels, .inference).map { try $0.floats() } != expected)

    try Checkpoint.write(["weights": saved.state], progress: Progress(), to: file)
    try Checkpoint.restore(other.state, prefix: "weights", from: Checkpoint.read(file).file)
    #expect(try other.logits(pixels, .inference).map { try $0.floats() } == expected)
  }

  @Test(arguments: names) func learnsSixtyFourFacesByHeart(_ name: String) throws {
    var architecture = try ModelRegistry.architecture(named: name)
    if name == "le-deep", var narrow = architecture as? PlainNetwork {
      // The paper's widths would take minutes; the same layers at a tenth of the work show the same.
      narrow.filters = [16, 32, 64, 64]
      architecture = narrow
    }
    var random = SeededRandom(seed: 4)
    let network = try architecture.network(channels: 1, labels: [.fer2013], random: &random)
    let set = try DrawnFaces.set(count: 64, split: { _ in .train })
    let pixels = try Tensor(
      (0..<64).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) },
      shape: [64, 1, 48, 48])
    let truth = (0..<64).map { $0 % 7 }
    let targets = try Tensor(truth.flatMap { label in (0..<7).map { $0 == label ? 1 : 0 } }, shape: [64, 7])

    let parameters = network.parameters
    let values = parameters.map(\.value)
    let optimizer = try SGD(parameters, momentum: 0.9, weightDecay: 0, nesterov: true)
    func correct() throws -> Int {
      let logits = try Tensor.withGradients(false) { try network.logits(pixels, .inference)[0].floats() }
      return truth.enumerated().filter { face, label in
        let row = Array(logits[(face * 7)..<((face + 1) * 7)])
        return row.indices.max { row[$0] < row[$1] } == label
      }.count
    }
    var epochs = 0
    while try correct() < 64, epochs < 60 {
      for batch in 0..<4 {
        // Every fourth face, so that each batch has all classes.
        let indices = try Tensor(indices: stride(from: batch, to: 64, by: 4).map(\.self))
        let logits = try network.logits(pixels.rows(indices), .training(seed: random.next()))[0]
        let loss = try CrossEntropy()(logits: logits, targets: targets.rows(indices)).mean([0])
        try Tensor.clearGradientsInPlace(values)
        try loss.backward()
        try Tensor.clipGradientsInPlace(values, maximumNorm: 5)
        try optimizer.step(epochs * 4 + batch, learningRate: 0.02)
      }
      epochs += 1
    }
    #expect(try correct() == 64, "after \(epochs) passes")
  }

  @Test func anUnknownArchitectureIsNamedWithTheKnown() {
    let error = #expect(throws: MienError.self) { try ModelRegistry.architecture(named: "vgg") }
    #expect(error?.description.contains("mien-s") == true)
  }

  @Test(arguments: names) func theDocumentedSizeIsTheNetworks(_ name: String) throws {
    let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/training.md")
    let row = try #require(
      String(contentsOf: docs, encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("| `\(name)` |") },
      "docs/training.md lists every architecture")
    let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    let channels = cells[1] == "RGB" ? 3 : 1
    var random = SeededRandom(seed: 1)
    let network = try ModelRegistry.architecture(named: name)
      .network(channels: channels, labels: [.fer2013], random: &random)
    let face = try Tensor.full([1, channels, 48, 48], 0)
    let (features, trunk) = try work(of: network.trunk, on: face)
    let (embedding, neck) = try work(of: network.neck, on: features)
    let total = trunk + neck + (try work(of: network.heads[0], on: embedding).count)
    #expect(cells[2] == (try network.parameterCount).formatted(.number.locale(Locale(identifier: "en_US"))))
    #expect(cells[3] == String(format: "%.1f", Double(total) / 1e6))
  }

  /// A layer's output for one face and how many multiplications of weights it takes.
  private func work(of layer: any Layer, on input: Tensor) throws -> (output: Tensor, count: Int) {
    let output = try layer(input, .inference)
    let count =
      switch layer {
      case let layer as Sequential:
        try layer.layers.reduce((output: input, count: 0)) { done, next in
          let (output, count) = try work(of: next, on: done.output)
          return (output, done.count + count)
        }.count
      case let layer as Residual:
        try work(of: layer.body, on: input).count + (layer.shortcut.map { try work(of: $0, on: input).count } ?? 0)
      case let layer as SqueezeExcite:
        try layer.reduce.weight.value.shape.reduce(1, *) + layer.expand.weight.value.shape.reduce(1, *)
      case let layer as Conv2d:
        try layer.weight.value.shape.reduce(1, *) * output.shape[2] * output.shape[3]
      case let layer as Linear: try layer.weight.value.shape.reduce(1, *)
      default: 0
      }
    return (output, count)
  }
}

/// What an architecture's options do.
@Suite @TorchActor struct ArchitectureOptionTests {
  private func network(_ architecture: String, _ options: String, channels: Int = 1) throws -> FaceNetwork {
    let text = "model: {architecture: \(architecture), channels: \(channels), options: {\(options)}}"
    return try RecipeFile.parse(text, file: "r.yaml").network()
  }

  private func shape(_ architecture: String, _ options: String, channels: Int = 1) throws -> [Int] {
    try network(architecture, options, channels: channels).trunk(.full([1, channels, 48, 48], 0), .inference).shape
  }

  @Test func blocksAreAsManyAsTheirFilters() throws {
    #expect(try shape("le-shallow", "") == [1, 128, 12, 12])
    #expect(try shape("le-deep", "") == [1, 512, 3, 3])
    #expect(try shape("le-deep", "filters: [4, 8, 8, 8, 16]", channels: 3) == [1, 16, 1, 1])
    #expect(try shape("javier", "filters: [4, [6, 8]], samePadding: false") == [1, 8, 9, 9])
    #expect(try shape("yousaf", "filters: [4, 4]") == [1, 4, 12, 12])
    let short = try network("mien-s", "stem: 4, widths: [8, 12, 16], blocks: [1, 1, 0]")
    #expect(try short.logits(.full([1, 1, 48, 48], 0), .inference)[0].shape[0] == 1)
  }

  @Test func blocksAtFullResolutionComeFirst() throws {
    let options = "stem: 4, widths: [8, 12], blocks: [1, 1], stochasticDepth: 0.4"
    let (plain, deep) = (try network("mien-s", options), try network("mien-s", options + ", stemBlocks: 2"))
    #expect(deep.trunk.layers.count == plain.trunk.layers.count + 2)
    let stem = try Sequential(Array(deep.trunk.layers.prefix(5)))(.full([1, 1, 48, 48], 0.3), .inference)
    #expect(try stem.shape == [1, 4, 48, 48])
    let probabilities = deep.trunk.layers.compactMap { ($0 as? Residual)?.dropProbability }
    #expect(zip(probabilities, [0.1, 0.2, 0.3, 0.4]).allSatisfy { abs($0 - $1) < 1e-12 } && probabilities.count == 4)
  }

  @Test func poolingAndPaddingDecideTheSide() throws {
    #expect(try shape("chen", "") == [1, 64, 3, 3])
    #expect(try shape("chen", "samePadding: true") == [1, 64, 6, 6])
    #expect(try shape("chen", "pooling: average") == [1, 64, 3, 3])
    #expect(try shape("le-shallow", "pooling: fractional") == [1, 128, 23, 23])
  }

  @Test func activationsAreChosenByName() throws {
    for activation in Activation.allCases {
      let network = try network("chen", "activation: \(activation.rawValue)")
      let expected = try activation.layer(1, ofMaps: true)
      #expect(network.trunk.layers.filter { type(of: $0) == type(of: expected) }.count == 3)
      #expect(network.neck.layers.filter { type(of: $0) == type(of: expected) }.count == 1)
    }
  }

  @Test func gaoPenalisesAllConvolutionsButTheFirstBlocks() throws {
    let penalties = try network("gao", "").trunk.layers.compactMap { ($0 as? Conv2d)?.weight.l2 }
    #expect(penalties == [0, 2e-5, 2e-5, 2e-5])
  }

  @Test func impossibleThreadsAreRefused() {
    for threads in [0, 1 << 40] {
      let error = #expect(throws: MienError.self) { try Torch.configure(threads: threads) }
      #expect(error?.kind == .argument && error?.subject == "threads \(threads)")
    }
  }

  @Test func stochasticDepthRisesAlongTheBlocksAndLeavesTheSeedsWeights() throws {
    let (plain, deep) = (try network("mien-s", ""), try network("mien-s", "stochasticDepth: 0.4"))
    let probabilities = deep.trunk.layers.compactMap { ($0 as? Residual)?.dropProbability }
    #expect(zip(probabilities, [0.1, 0.2, 0.3, 0.4]).allSatisfy { abs($0 - $1) < 1e-12 } && probabilities.count == 4)
    let face = try Tensor.full([1, 1, 48, 48], 0.3)
    #expect(try plain.logits(face, .inference)[0].floats() == deep.logits(face, .inference)[0].floats())
  }

  @Test(arguments: [
    ("le-deep", "activation: tanh", "tanh"), ("chen", "pooling: maximum", "maximum"), ("gao", "dense: wide", "dense"),
    ("yousaf", "filter: 3", "filters"), ("plain", "filters: [wide]", "filters"), ("mien-s", "stem: 1.5", "stem"),
  ]) func optionsThatDoNotFitAreRefusedByName(_ architecture: String, _ options: String, _ named: String) {
    let error = #expect(throws: MienError.self) { try network(architecture, options) }
    #expect(error?.description.contains(named) == true && error?.description.contains("model.options") == true)
  }

  @Test(arguments: [
    ("chen", "filters: [4]"), ("chen", "kernels: [4, 5, 3]"), ("chen", "filters: [0, 1, 1]"), ("chen", "dense: [0]"),
    ("chen", "denseDropout: 1"), ("le-deep", "kernels: []"), ("le-deep", "filters: [2, 2, 2, 2, 2, 2]"),
    ("javier", "filters: [[]]"), ("mien-s", "stochasticDepth: 1"),
    ("mien-s", "dropout: 1"), ("mien-s", "widths: [4, 4, 4, 4, 4], blocks: [1, 1, 1, 1, 1]"),
    ("yousaf", "kernels: 49, samePadding: false"),
    ("chen", "filters: [4611686018427387904, 1, 1]"), ("chen", "filters: [65537, 1, 1]"),
    ("chen", "filters: [4096, 65536, 1]"), ("chen", "kernels: [4294967297, 3, 3]"),
    ("chen", "dense: [4611686018427387904]"), ("mien-s", "stem: 4611686018427387904"),
    ("mien-s", "stemBlocks: -1"), ("mien-s", "blocks: [-1, 1, 1]"), ("mien-s", "blocks: [9223372036854775807, 1, 1]"),
  ]) func networksThatCannotBeAreRefused(_ architecture: String, _ options: String) {
    #expect(throws: MienError.self) { try shape(architecture, options) }
  }
}
