import Foundation
public import MienCore
public import MienModels
public import MienONNX
import MienRuns
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
  ///   - license: of the weights, for the card; empty where nothing is said.
  ///   - precision: int8 needs `sets`: the ranges of what layers read are taken from their training faces.
  ///   - keptInitial: how far to go back to the weights that the run began with, 0…1: between both, a fine-tuned network
  ///     often keeps what it knew and has learnt the new (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
  ///     Above 0 it needs `sets`.
  public static func model(
    of run: RunFolder, calibratedOn sets: [FaceSet] = [], framing: ModelCard.Framing = .init(), license: String = "",
    precision: ModelPrecision = .f32, keptInitial: Double = 0
  ) throws -> ONNXModel {
    let (network, progress) = try Checkpoint.best(of: run)
    if keptInitial > 0 && run.recipe.initialWeights.isEmpty {
      throw MienError(
        .mismatch, run.url.relativePath, "began with no other weights that could be kept; `mien train --init` does")
    }
    let data: TrainingData?
    do { data = try sets.isEmpty ? nil : TrainingData(sets, recipe: run.recipe) } catch {
      // Other sets may calibrate a model; of those that cannot, say that the run was not trained on them.
      try run.check(sets, against: progress.data)
      throw error
    }
    if keptInitial > 0 {
      guard let data else {
        throw MienError(.argument, "keptInitial", "needs the sets of faces that the run was trained on")
      }
      try interpolate(network, towardsInitialOf: run, data, weight: keptInitial)
    }
    var results = progress.best?.heads ?? []
    var temperatures = [Float](repeating: 1, count: network.heads.count)
    var calibrationErrors = [Double?](repeating: nil, count: network.heads.count)
    let trained = progress.data.map(\.source)
    let keepsLast = run.recipe.selection.last
    // Fine-tuned, it was also chosen by what its initial weights were chosen by.
    let chosenBy = progress.initialSelection + progress.selection
    var (measured, note) = (trained, keepsLast ? "last epoch, nothing chosen" : "best epoch chosen on this split")
    var ranges: [String: ClosedRange<Float>] = [:]
    var calibration: [ModelCard.TrainingData]?
    var origins = progress.initialData + progress.data
    if let data {
      measured = sets.map(\.info.source)
      note = "\(measured == trained && !keepsLast ? "best epoch chosen and " : "")temperature fitted on this split"
      calibration = data.selectionOrigins
      // Runs of earlier versions noted less of their data.
      origins = origins.map { origin in data.origins.first { $0.isSame(as: origin) } ?? origin }
      let logits = try Validation.logits(network, data: data, part: data.validation)
      results = try logits.map { try $0.result() }
      temperatures = logits.map { $0.fittedTemperature() }
      let people = people(sets.flatMap(\.splitFaces), data.validation)
      calibrationErrors = try logits.map { head in
        try head.crossFittedCalibrationError(groups: head.rows.map { people[$0] })
      }
      if precision == .int8 { ranges = try inputRanges(network, data: data) }
    } else if precision == .int8 {
      throw MienError(.argument, "int8", "needs faces to learn the ranges of the layers' inputs from")
    }
    func measurement(
      _ head: EpochResult.Head, of sources: [String], on split: Split, calibrationError: Double? = nil, note: String
    ) -> ModelCard.Measurement {
      ModelCard.Measurement(
        source: sources.joined(separator: "+"), split: split.rawValue + run.recipe.splitNote,
        labels: head.labels, count: head.count, accuracy: head.accuracy, balancedAccuracy: head.balancedAccuracy,
        calibrationError: calibrationError, note: "\(note); one pass, no test-time averaging")
    }
    let measurements =
      zip(results, calibrationErrors).map {
        measurement($0, of: measured, on: .validation, calibrationError: $1, note: note)
      }
      + (try RunResult(of: run)?.test ?? []).map {
        measurement($0, of: trained, on: .test, note: "measured once, after training")
      }
    let card = ModelCard(
      name: run.recipe.name,
      summary: run.recipe.summary
        + (keptInitial > 0
          ? " Weights: \(NumberText.fixed(keptInitial, 2)) × initial + \(NumberText.fixed(1 - keptInitial, 2)) × fine-tuned."
          : ""),
      architecture: run.recipe.model.architecture,
      parameterCount: try network.parameterCount, preprocessing: run.recipe.preprocessing, framing: framing,
      outputs: zip(network.labels, temperatures).map {
        ModelCard.Output(name: $0.name, emotions: $0.emotions, temperature: $1)
      },
      // Fine-tuned on what it was trained on before, it was trained on that.
      training: origins.distinct, selection: chosenBy.isEmpty && !keepsLast ? nil : chosenBy.distinct,
      calibration: calibration,
      seed: run.recipe.seed,
      epochs: progress.best?.epoch ?? 0,
      measurements: measurements, license: license)
    let model = try model(of: network, card: card)
    return switch precision {
    case .f32: model
    case .f16: try model.roundedToHalf()
    case .int8: try model.quantized(inputRanges: ranges)
    }
  }

  /// Who each of some faces is, as the first face of the person; a face whose person is not known stands for itself.
  private static func people(_ faces: [SplitFace], _ part: [Int]) -> [Int] {
    var firsts: [String: Int] = [:]
    return part.map { face in
      guard let subject = faces[face].subject else { return face }
      if firsts[subject] == nil { firsts[subject] = face }
      return firsts[subject] ?? face
    }
  }

  /// Moves the weights of a trained network towards those that its run began with.
  private static func interpolate(
    _ network: FaceNetwork, towardsInitialOf run: RunFolder, _ data: TrainingData, weight: Double
  ) throws {
    let initial = try run.recipe.network()
    _ = try InitialWeights(run.recipe.initialWeights, for: run.recipe).load(into: initial) { try data.sample() }
    // What a batch norm counts is no weight; statistics and weights are.
    try Tensor.interpolateInPlace(network.state.map(\.value), towards: initial.state.map(\.value), weight: weight)
  }

  /// How the model framed faces that a run began with, directly or by way of other runs; the plain box for a run that
  /// began with none, or whose model is not there any more.
  ///
  /// - Throws: ``MienError`` if the model's file cannot be read.
  package static func framing(of run: RunFolder) throws -> ModelCard.Framing {
    let path = run.recipe.initialWeights
    guard !path.isEmpty else { return ModelCard.Framing() }
    if let model = try InitialWeights.model(named: path) { return try model.card().framing }
    guard let before = try? RunFolder(opening: URL(fileURLWithPath: path)), before.url.path != run.url.path else {
      return ModelCard.Framing()
    }
    return try framing(of: before)
  }

  /// What the convolutions and linear layers before the heads read, from least to greatest, by the names of their
  /// weights: over at most 512 training faces, evenly spread.
  private static func inputRanges(
    _ network: FaceNetwork, data: TrainingData
  ) throws -> [String: ClosedRange<Float>] {
    let heads = Set(network.heads.map { ObjectIdentifier($0.weight) })
    var names: [ObjectIdentifier: String] = [:]
    for case (let name, .parameter(let parameter)) in Parameters.state(of: network)
    where parameter.decays && !heads.contains(ObjectIdentifier(parameter)) {
      names[ObjectIdentifier(parameter)] = name
    }
    var ranges: [String: ClosedRange<Float>] = [:]
    let pass = ForwardPass.inference
    pass.observer = { weight, input in
      guard let name = names[ObjectIdentifier(weight)] else { return }
      var (low, high) = (ranges[name]?.lowerBound ?? .infinity, ranges[name]?.upperBound ?? -.infinity)
      for value in try input.floats() { (low, high) = (min(low, value), max(high, value)) }
      guard low.isFinite, high.isFinite else { throw MienError(.mismatch, name, "reads numbers that are not finite") }
      ranges[name] = low...high
    }
    let faces = stride(from: 0, to: data.train.count, by: (data.train.count + 511) / 512).map { data.train[$0] }
    _ = try Validation.logits(network, data: data, part: faces, pass: pass)
    return ranges
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
    let features = try network.trunk.export(value, path: "trunk", to: &graph)
    let embedding = try network.neck.export(features, path: "neck", to: &graph)
    for (index, head) in network.heads.enumerated() {
      var logits = try head.export(embedding, path: "heads.\(index)", to: &graph)
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

extension [ModelCard.TrainingData] {
  /// The entries without those that name the faces of an earlier one.
  fileprivate var distinct: [ModelCard.TrainingData] {
    enumerated().filter { index, entry in !self[..<index].contains { $0.isSame(as: entry) } }.map(\.element)
  }
}
