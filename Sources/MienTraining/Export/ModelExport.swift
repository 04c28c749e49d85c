public import MienCore
public import MienModels
public import MienONNX
public import MienTorch

/// Turns a trained run into the model file that users run.
@TorchActor public enum ModelExport {
  /// The best epoch of `run` as an ONNX model with its card.
  ///
  /// - Parameters:
  ///   - run: a run with at least one finished epoch.
  ///   - sets: where given, each head's temperature is fitted on their validation split and the accuracy there is
  ///     measured anew; else the temperature is 1 and the accuracy is the run's.
  ///   - framing: how detected faces are cropped for this model.
  public static func model(
    of run: RunFolder, calibratedOn sets: [FaceSet] = [], framing: ModelCard.Framing = .init()
  ) throws -> ONNXModel {
    let (network, progress) = try Checkpoint.best(of: run)
    var results = progress.best?.heads ?? []
    var temperatures = [Float](repeating: 1, count: network.heads.count)
    if !sets.isEmpty {
      let data = try TrainingData(sets, recipe: run.recipe)
      let measured = try Validation.logits(network, data: data, part: data.validation)
      results = try measured.map { try $0.result() }
      temperatures = measured.map { $0.fittedTemperature() }
    }
    func measurement(_ head: EpochResult.Head, on split: Split, note: String) -> ModelCard.Measurement {
      ModelCard.Measurement(
        source: progress.data.map(\.source).joined(separator: "+"), split: split.rawValue + run.recipe.splitNote,
        labels: head.labels, count: head.count, accuracy: head.accuracy, balancedAccuracy: head.balancedAccuracy,
        note: "\(note); one pass, no test-time averaging")
    }
    let measurements =
      results.map {
        measurement($0, on: .validation, note: "best epoch chosen and temperature fitted on this split")
      }
      + (try RunResult(of: run)?.test ?? []).map { measurement($0, on: .test, note: "measured once, after training") }
    let card = ModelCard(
      name: run.recipe.name, summary: run.recipe.summary, architecture: run.recipe.model.architecture,
      parameterCount: try network.parameterCount, preprocessing: run.recipe.preprocessing, framing: framing,
      outputs: zip(network.labels, temperatures).map {
        ModelCard.Output(name: $0.name, emotions: $0.emotions, temperature: $1)
      }, training: progress.initialData + progress.data, seed: run.recipe.seed, epochs: progress.best?.epoch ?? 0,
      measurements: measurements, license: "MIT")
    return try model(of: network, card: card)
  }

  /// `network` as it computes at inference.
  ///
  /// Input `faces` f32 [N, C, 48, 48] in 0…1; outputs: probabilities [N, K] named by each label set, `embedding`
  /// [N, D] and `features` [N, F, h, w]. Batch norm is folded where it directly follows a convolution or a linear layer.
  public static func model(of network: FaceNetwork, card: ModelCard) throws -> ONNXModel {
    let input = card.preprocessing
    var graph = ONNXGraphBuilder(name: card.name)
    graph.input("faces", shape: [.dynamic("N"), .fixed(input.channels), .fixed(input.height), .fixed(input.width)])
    var value = "faces"
    if network.scaling != .identity {
      value = graph.node(
        "Mul", [value, try graph.constant("scaling.scale", shape: [1], values: [network.scaling.scale])])
      value = graph.node(
        "Add", [value, try graph.constant("scaling.offset", shape: [1], values: [network.scaling.offset])])
    }
    let features = try network.trunk.exported(value, path: "trunk", to: &graph)
    let embedding = try network.neck.exported(features, path: "neck", to: &graph)
    for (index, head) in network.heads.enumerated() {
      var logits = try head.exported(embedding, path: "heads.\(index)", to: &graph)
      let output = card.outputs[index]
      let temperature = try graph.constant("heads.\(index).temperature", shape: [1], values: [output.temperature])
      logits = graph.node("Div", [logits, temperature])
      let probabilities = graph.node("Softmax", [logits], attributes: ["axis": .int(1)])
      graph.output(output.name, from: probabilities, shape: [.dynamic("N"), .fixed(output.emotions.count)])
    }
    let shape = try featureShape(network, input)
    graph.output(
      "embedding", from: embedding, shape: [.dynamic("N"), .fixed(try network.heads[0].weight.value.shape[1])])
    graph.output("features", from: features, shape: [.dynamic("N")] + shape.dropFirst().map { .fixed($0) })
    return try graph.model(card: card)
  }

  private static func featureShape(_ network: FaceNetwork, _ input: Preprocessing) throws -> [Int] {
    try Tensor.withGradients(false) {
      try network.trunk(.full([1, input.channels, input.height, input.width], 0), .inference).shape
    }
  }
}
