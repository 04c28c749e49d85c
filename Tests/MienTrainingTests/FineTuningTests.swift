import Foundation
import MienCore
import MienInference
import MienONNX
import MienTestSupport
import MienTorch
import MienTraining
import Testing

/// Runs that begin with another run's weights.
@Suite(.serialized) @TorchActor struct FineTuningTests {
  private let folder: TemporaryFolder
  private let source: RunFolder
  private let set: FaceSet

  init() throws {
    folder = try TemporaryFolder()
    set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    source = try RunFolder(creating: folder.file("source"), recipe: DrawnFaces.recipe(epochs: 2))
    try Trainer(run: source, sets: [set], observers: []).run(shouldStop: { false })
  }

  private func run(_ name: String, epochs: Int = 2, _ settings: String...) throws -> RunFolder {
    let recipe = try DrawnFaces.recipe(
      epochs: epochs, settings: ["initialWeights=\(source.url.path)", "seed=9"] + settings)
    return try RunFolder(creating: folder.file(name), recipe: recipe)
  }

  private func train(_ run: RunFolder, stopAfter steps: Int = .max) throws -> [String] {
    let recorder = Recorder()
    try Trainer(run: run, sets: [set], observers: [recorder]).run(shouldStop: { recorder.steps >= steps })
    return recorder.plan?.notes ?? []
  }

  /// The tensors of a checkpoint with a prefix, by what follows it.
  private func tensors(_ url: URL, _ prefix: String) throws -> [String: SafeTensors.Tensor] {
    let all = try SafeTensors(contentsOf: url).tensors.filter { $0.key.hasPrefix(prefix + ".") }
    return Dictionary(uniqueKeysWithValues: all.map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
  }

  @Test func weightsAreTakenOverByPathAndHeadsByLabelSet() throws {
    let run = try run("run", "heads=[{labels: fer2013, weight: 1}]")
    _ = try Trainer(run: run, sets: [set], observers: [])
    let (before, after) = (
      try tensors(source.bestCheckpoint, "average"), try tensors(run.lastCheckpoint, "weights")
    )
    #expect(try tensors(run.lastCheckpoint, "average") == after)
    // The source's head for fer2013 is its second.
    for (name, tensor) in after {
      #expect(tensor == before[name.replacingOccurrences(of: "heads.0", with: "heads.1")], "\(name)")
    }
    let notes = try train(run)
    #expect(notes.isEmpty, "they are said once: this session began with the checkpoint")
    let card = try ModelExport.model(of: run).card()
    #expect(card.training.map(\.labels) == [["ferplus", "fer2013"], ["fer2013"]])
  }

  @Test func headsWithoutLabelsAreLeftOut() throws {
    var recipe = try DrawnFaces.recipe(epochs: 1)
    #expect(recipe.heads.map(\.labels) == ["ferplus", "fer2013"])
    #expect(recipe.fittingHeads(to: [set]).note == nil)
    let own = try FaceSet(
      source: "own", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: (0..<4).map { .init(label: .anger, split: .train, sourceRow: $0) }, pixels: Data(count: 4 * 2304))
    let (fitting, note) = recipe.fittingHeads(to: [own])
    #expect(fitting.heads.map(\.labels) == ["fer2013"])
    #expect(note == "no face has labels for the recipe's ferplus; trained on fer2013 alone")
    // The name of a head that was left out would stay in the model's card.
    for name in RecipeFile.builtInNames {
      let builtIn = try RecipeFile.builtIn(name)
      guard builtIn.heads.count > 1 else { continue }
      #expect(!builtIn.fittingHeads(to: [own]).recipe.summary.contains("FER+"), "\(name)")
    }
    recipe.heads = [.init(labels: "ferplus", weight: 1)]
    #expect(recipe.fittingHeads(to: [own]).recipe.heads == [.init(labels: "fer2013", weight: 1)])
  }

  @Test func aModelThatARunBeganWithTellsHowFacesAreFramed() throws {
    var card = try ModelExport.model(of: source).card()
    card.framing = .init(anchor: .points, scale: 1.2, shiftDown: -0.1, isTurned: true)
    let model = folder.file("model.onnx")
    try ModelExport.model(of: source).replacingCard(card).write(to: model)
    let first = try RunFolder(
      creating: folder.file("first"), recipe: DrawnFaces.recipe(epochs: 1, settings: ["initialWeights=\(model.path)"]))
    #expect(try ModelExport.framing(of: first) == card.framing)
    let second = try RunFolder(
      creating: folder.file("second"),
      recipe: DrawnFaces.recipe(epochs: 1, settings: ["initialWeights=\(first.url.path)"]))
    #expect(try ModelExport.framing(of: second) == card.framing)
    #expect(try ModelExport.framing(of: source) == .init())
  }

  @Test func headsThatTheSourceLacksStartFreshAndAreNamed() throws {
    let single = try run("single", "heads=[{labels: fer2013, weight: 1}]")
    #expect(try train(single) == ["the head ferplus of \(source.url.path) is not used"])
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: ["initialWeights=\(single.url.path)"])
    let both = try RunFolder(creating: folder.file("both"), recipe: recipe)
    let notes = try train(both)
    #expect(notes == ["the head ferplus starts with fresh weights: \(single.url.path) has none"])
    let labels = LabelSet.ckplus48
    let relabelled = try FaceSet(
      source: "other", labelSet: labels, height: 48, width: 48, channels: 1,
      rows: (0..<set.count).map {
        .init(label: labels.emotions[$0 % labels.count], split: set.split(at: $0), sourceRow: $0)
      }, pixels: set.pixels)
    let (other, recorder, path) = (try run("other", "heads=[{labels: ckplus48}]"), Recorder(), source.url.path)
    try Trainer(run: other, sets: [relabelled], observers: [recorder]).run(shouldStop: { true })
    #expect(
      recorder.plan?.notes == [
        "the head ckplus48 starts with fresh weights: \(path) has none",
        "the heads ferplus and fer2013 of \(path) are not used",
      ])
  }

  @Test func frozenLayersKeepWeightsAndStatistics() throws {
    let run = try run("frozen", "freeze=4")
    _ = try train(run)
    let (before, after) = (
      try tensors(source.bestCheckpoint, "average"), try tensors(run.lastCheckpoint, "weights")
    )
    let average = try tensors(run.lastCheckpoint, "average")
    for name in after.keys {
      let isFrozen = (0..<4).contains { name.hasPrefix("trunk.layers.\($0).") }
      #expect((after[name] == before[name]) == isFrozen, "\(name)")
      if isFrozen { #expect(average[name] == before[name], "\(name)") }
    }
    // The stem's convolution and batch norm, and the first block.
    #expect(
      after.keys.contains("trunk.layers.1.runningMean") && after.keys.contains { $0.hasPrefix("trunk.layers.3.") })
  }

  @Test func aResumedRunDoesNotNeedTheSourceAndGoesOnBitForBit() throws {
    let (whole, broken) = (try run("whole", "freeze=1"), try run("broken", "freeze=1"))
    _ = try train(whole)
    _ = try train(broken, stopAfter: 2)
    try FileManager.default.moveItem(at: source.url, to: folder.file("elsewhere"))
    _ = try train(RunFolder(opening: broken.url))
    #expect(try whole.checkpointTensors == broken.checkpointTensors)
  }

  /// A model whose batch norms were folded becomes a network that computes the same, in training as well.
  @Test(arguments: [[], ["model.options={}", "model.architecture=gao", "optimizer={name: adam}"]] as [[String]])
  func anExportedModelBeginsARun(settings: [String]) throws {
    let trained = try RunFolder(
      creating: folder.file("trained"), recipe: DrawnFaces.recipe(epochs: 6, settings: settings))
    try Trainer(run: trained, sets: [set], observers: []).run(shouldStop: { false })
    let model = folder.file("model.onnx")
    let faces = try Tensor(
      (0..<set.count).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) },
      shape: [set.count, 1, 48, 48])
    let expected = try Checkpoint.best(of: trained).network.logits(faces, .inference).map { try $0.floats() }
    let largest = max(1, expected[1].map(abs).max() ?? 0)
    for (precision, tolerance) in [(ModelPrecision.f32, 1e-4 * largest), (.f16, 0.02 * largest)] {
      // The temperature in the file is no part of the weights.
      try ModelExport.model(of: trained, calibratedOn: [set], precision: precision).write(to: model)
      let recipe = try DrawnFaces.recipe(
        epochs: 1,
        settings: settings + (settings.isEmpty ? ["model.options.dropout=0"] : [])
          + ["initialWeights=\(model.path)", "heads=[{labels: fer2013, weight: 1}]"])
      let run = try RunFolder(creating: folder.file("from-\(precision)"), recipe: recipe)
      let recorder = Recorder()
      let trainer = try Trainer(run: run, sets: [set], observers: [recorder])
      let start = try SafeTensors(contentsOf: run.lastCheckpoint)
      for prefix in ["weights", "average"] {
        let network = try recipe.network()
        try Checkpoint.restore(network.state, prefix: prefix, from: start)
        let found = try network.logits(faces, .inference)[0].floats()
        // fer2013 is the second head of the trained network.
        #expect(zip(found, expected[1]).allSatisfy { abs($0 - $1) < tolerance }, "\(precision) \(prefix)")
        for (name, norm) in Parameters.batchNorms(of: network) {
          #expect(try norm.runningVariance.value.floats().allSatisfy { $0 == 1 }, "\(name)")
          #expect(try norm.runningMean.value.floats().contains { $0 != 0 }, "\(name)")
        }
        // The statistics of a batch are close to those of the faces that were measured.
        let batch = try network.logits(faces.rows(0..<49), .training(seed: 1))[0].floats()
        if settings.isEmpty {
          let distance = zip(batch, expected[1]).map { abs($0 - $1) }.reduce(0, +) / Float(batch.count)
          let size = expected[1].prefix(batch.count).map(abs).reduce(0, +) / Float(batch.count)
          #expect(distance < size / 2, "\(distance) of \(size)")
        }
      }
      try trainer.run(shouldStop: { false })
      #expect(recorder.plan?.notes == ["the head ferplus of \(model.path) is not used"])
      #expect(try ModelExport.model(of: run).card().training.map(\.labels) == [["ferplus", "fer2013"], ["fer2013"]])
      // So it was chosen by.
      #expect(try ModelExport.model(of: run).card().selection?.map(\.labels) == [["ferplus", "fer2013"], ["fer2013"]])
    }
  }

  /// A wider network begins as the narrower one: it computes the same, and its new channels learn.
  @Test(arguments: [false, true]) func aWiderNetworkBeginsAsTheNarrowerOne(fromModel: Bool) throws {
    let model = folder.file("model.onnx")
    try ModelExport.model(of: source).write(to: model)
    let recipe = try DrawnFaces.recipe(
      epochs: 2,
      settings: [
        "initialWeights=\(fromModel ? model.path : source.url.path)",
        "model.options={stem: 6, widths: [12, 20], blocks: [1, 1], dropout: 0}",
      ])
    let run = try RunFolder(creating: folder.file("wider"), recipe: recipe)
    let recorder = Recorder()
    let trainer = try Trainer(run: run, sets: [set], observers: [recorder])
    let faces = try Tensor(
      (0..<set.count).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) },
      shape: [set.count, 1, 48, 48])
    let network = try recipe.network()
    let start = try SafeTensors(contentsOf: run.lastCheckpoint)
    try Checkpoint.restore(network.state, prefix: "weights", from: start)
    let expected = try Checkpoint.best(of: source).network.logits(faces, .inference).map { try $0.floats() }
    let found = try network.logits(faces, .inference).map { try $0.floats() }
    for (found, expected) in zip(found, expected) {
      let largest = max(1, expected.map(abs).max() ?? 0)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 * largest })
    }
    try trainer.run(shouldStop: { false })
    #expect(try #require(recorder.plan?.notes.first).contains("tensors are larger than those of"))
    // The head's weights for the channels that the narrower network lacks began as 0.
    let trained = try #require(SafeTensors(contentsOf: run.lastCheckpoint).tensors["weights.heads.0.weight"])
    #expect(trained.shape[1] == 20)
    let rows = try trained.values(Float.self)
    #expect((12..<20).allSatisfy { rows[$0] != 0 })
  }

  /// The built-in model is begun with by its name, and the run computes what `mien detect` does.
  @Test func theBuiltInModelBeginsARunByItsName() async throws {
    let recipe = try RecipeFile.builtIn(
      "mien-s", settings: ["epochs=2", "batchSize=16", "initialWeights=mien-s", "model.options.dropout=0"]
    ).withAbsolutePaths
    #expect(recipe.initialWeights == "mien-s")
    let run = try RunFolder(creating: folder.file("fine"), recipe: recipe)
    let trainer = try Trainer(run: run, sets: [set], observers: [])
    let network = try recipe.network()
    try Checkpoint.restore(network.state, prefix: "weights", from: SafeTensors(contentsOf: run.lastCheckpoint))
    let inputs = try (0..<8).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) }
    let classifier = try EmotionClassifier.default()
    let outputs = try classifier.predictions(for: inputs, count: 8)
    let logits = try Tensor.withGradients(false) {
      try network.logits(Tensor(inputs, shape: [8, 1, 48, 48]), .inference)
    }
    for (head, output) in zip(logits, classifier.card.outputs) {
      let expected = try #require(outputs[output.name]?.values)
      let found = try head.scaled(by: 1 / output.temperature).softmax(1).floats()
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 }, "\(output.name)")
    }
    withExtendedLifetime(trainer) {}
  }

  @Test func whatDoesNotFitIsRefusedByName() throws {
    func message(_ settings: String...) throws -> String {
      let recipe = try DrawnFaces.recipe(
        epochs: 1, settings: ["initialWeights=\(source.url.path)"] + settings)
      let run = try RunFolder(creating: folder.file("bad-\(UUID())"), recipe: recipe)
      let error = #expect(throws: MienError.self) { try Trainer(run: run, sets: [set], observers: []) }
      return error?.description ?? ""
    }
    func options(_ stem: Int, _ blocks: [Int]) -> String {
      "model.options={stem: \(stem), widths: [8, 12], blocks: \(blocks)}"
    }
    let narrow = try message(options(3, [1, 1]))
    #expect(
      narrow.contains("trunk.layers.0.weight") && narrow.contains("[4, 1, 3, 3]") && narrow.contains("[3, 1, 3, 3]"))
    #expect(try message("model.channels=3").contains("the run takes 1 channel, the recipe's network 3"))
    #expect(try message(options(4, [1, 2])).contains("it has no tensor trunk.layers.5."))
    #expect(try message(options(4, [1, 2])).hasSuffix("; only more channels per layer are allowed"))
    #expect(try message(options(4, [1, 0])).contains("has no place"))
    #expect(try message("freeze=99").contains("has 5 layers"))
    let model = folder.file("model.onnx")
    try ModelExport.model(of: source).write(to: model)
    let exported = "initialWeights=\(model.path)"
    let narrower = try message(exported, options(3, [1, 1]))
    #expect(
      narrower.hasPrefix(model.path) && narrower.contains("trunk.layers.0.weight") && narrower.contains("[3, 1, 3, 3]"))
    #expect(try message(exported, options(4, [1, 2])).contains("it has no tensor trunk.layers.5."))
    #expect(try message(exported, options(4, [1, 0])).contains("has no place"))
    #expect(try message(exported, "model.channels=3").contains("add --set model.channels=1 --set model.equalize=false"))
    try ModelExport.model(of: source, calibratedOn: [set], precision: .int8).write(to: model)
    #expect(try message(exported).contains("8 bits"))
    try Data("no model".utf8).write(to: model)
    #expect(try message(exported).hasPrefix(model.path))
    #expect(try message("initialWeights=/nowhere").contains("no such run folder"))
    #expect(throws: MienError.self) { try DrawnFaces.recipe(epochs: 1, settings: ["freeze=1"]) }
  }

  /// Weights of the identity network with its shapes, as `scripts/pretrained.sh` writes them; stem and first block alone.
  private func identityWeights(_ name: String, without missing: String = "") throws -> URL {
    var file = SafeTensors(metadata: ["source": "a test"])
    for layer in ["stem", "blocks.0.first", "blocks.0.second"] {
      let (inputs, kernel) = layer == "stem" ? (3, 7) : (32, 3)
      let shape = [32, inputs, kernel, kernel]
      file.tensors["\(layer).conv.weight"] = try .init(
        [Float](repeating: 0.01, count: shape.reduce(1, *)), shape: shape)
      for vector in ["conv.bias", "gamma", "beta"] {
        file.tensors["\(layer).\(vector)"] = try .init([Float](repeating: 1, count: 32), shape: [32])
      }
    }
    file.tensors[missing] = nil
    let url = folder.file(name)
    try file.write(to: url)
    return url
  }

  @Test func filesThatAreNoIdentityNetworkAreNamed() throws {
    let file = try identityWeights("part.safetensors")
    func error(_ architecture: String, _ url: URL) throws -> MienError? {
      let recipe = try DrawnFaces.recipe(
        epochs: 1, settings: ["model.architecture=\(architecture)", "model.options={}"])
      return #expect(throws: MienError.self) { try InitialWeights(url.path, for: recipe) }
    }
    let other = try error("mien-s", file)
    #expect(other?.kind == .mismatch && other?.subject == file.path)
    #expect(other?.message.contains("dlib-resnet") == true && other?.message.contains("mien-s") == true)
    let part = try error("dlib-resnet", file)
    #expect(part?.subject == file.path && part?.message.contains("blocks.1.first") == true, "\(part?.message ?? "")")
    let stemless = try identityWeights("stemless.safetensors", without: "stem.gamma")
    #expect(try error("dlib-resnet", stemless)?.message.contains("stem.gamma") == true)
  }

  /// What the fine-tuned network makes of a picture before any training: past its first layer, which would take a picture of 48x48
  /// and enlarge it, and with dlib's last layer after its embedding.
  private func identity(
    channels: Int, _ pixel: (_ channel: Int, _ x: Int, _ y: Int) -> Int
  ) throws -> (values: [Float], notes: [String], origin: String) {
    let url = Shared.url("data/pretrained/dlib-face-resnet.safetensors")
    let recipe = try DrawnFaces.recipe(
      epochs: 1,
      settings: ["model.architecture=dlib-resnet", "model.options={side: 150}", "model.channels=\(channels)"])
    var random = SeededRandom(seed: 3)
    let network = try recipe.network()
    let initial = try InitialWeights(url.path, for: recipe)
    let notes = try initial.load(into: network) {
      try Tensor((0..<(8 * channels * 48 * 48)).map { _ in random.uniform() }, shape: [8, channels, 48, 48])
    }
    let pixels = (0..<channels).flatMap { channel in
      (0..<150).flatMap { y in (0..<150).map { x in Float(pixel(channel, x, y) % 256) / 255 } }
    }
    let last = try #require(try SafeTensors(contentsOf: url).tensors["fc.weight"]?.values(Float.self))
    let mean = try Tensor.withGradients(false) {
      let picture = try Tensor(pixels, shape: [1, channels, 150, 150]).channelsLast()
      return try network.neck(network.trunk.layers.dropFirst().reduce(picture) { try $1($0, .inference) }, .inference)
        .floats()
    }
    let values = (0..<128).map { row in zip(mean, last[(256 * row)...]).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
    return (values, notes, initial.data.map(\.text).joined())
  }

  @Test(.enabled(if: Shared.has("data/pretrained"), "needs the weights of dlib's identity network"))
  func theIdentityNetworkComputesWhatDlibDoes() throws {
    let colour = try identity(channels: 3) { channel, x, y in [7 * x + 3 * y, 5 * x + 11 * y, x + 2 * y][channel] }
    // dlib's own numbers for this picture.
    let expected: [Float] = [
      -0.0910036, 0.0833014, 0.0210602, -0.110839, -0.0969031, -0.0159041, -0.0330971, -0.0189417,
    ]
    #expect(zip(colour.values, expected).allSatisfy { abs($0 - $1) < 2e-4 }, "\(colour.values.prefix(8))")
    #expect(colour.notes.count == 2 && colour.notes.allSatisfy { $0.contains("starts with fresh weights") })
    #expect(colour.origin.hasPrefix("dlib_face_recognition_resnet_model_v1.dat (CC0)"))
    // Grey is the same in each channel.
    let pairs = try zip(
      identity(channels: 1) { _, x, y in 3 * x + y }.values, identity(channels: 3) { _, x, y in 3 * x + y }.values)
    #expect(pairs.allSatisfy { abs($0 - $1) < 2e-4 } && pairs.contains { abs($0.0) > 0.01 })
  }
}
