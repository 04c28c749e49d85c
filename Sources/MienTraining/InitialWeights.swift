import Foundation
import MienCore
import MienModels
import MienONNX
import MienResources
import MienTorch

/// The weights that a run begins with: another run's, those of an exported model, or ``PretrainedWeights``.
///
/// A model's batch norms are folded into its convolutions. They are taken out again: each convolution gets outputs of
/// variance 1 and the batch norm after it undoes that, by statistics over some faces. The network computes what the
/// model does, and trains as one that was never exported; the optimiser's state is lost.
///
/// The network may have more channels than the other one. What is new starts with fresh weights, and what was there has
/// zeros for it, so that the wider network first computes what the narrower one does (Chen et al. 2016, "Net2Net").
@TorchActor package struct InitialWeights {
  /// What the other network was trained on.
  package let data: [ModelCard.TrainingData]
  /// What it was chosen by.
  package let selection: [ModelCard.TrainingData]
  private let path: String
  private let labels: [LabelSet]
  /// Paths of properties that the other network has weights for.
  private let names: [String]
  /// The shape and the values of a tensor.
  private let stored: (_ name: String) throws -> (shape: [Int], values: [Float])?
  /// Whether batch norms are folded into the convolutions.
  private let isModel: Bool

  /// Reads the best weights of the run folder `path`, or the model or pretrained weights in the file `path`, or the built-in model
  /// of that name if there is no such file.
  ///
  /// - Parameter recipe: the run that begins with them.
  /// - Throws: ``MienError`` if the folder is no run or has no finished epoch, if the file is no model of Mien's, takes
  ///   other input than the recipe's network, or keeps its weights in 8 bits.
  package init(_ path: String, for recipe: Recipe) throws {
    self.path = path
    if PretrainedWeights.isFile(path) {
      let pretrained = try PretrainedWeights(path, for: recipe.model)
      isModel = true
      labels = []
      data = [.init(source: pretrained.source, split: "identities of faces", count: 0, labels: [])]
      selection = []
      names = Array(pretrained.tensors.keys)
      stored = { pretrained.tensors[$0] }
      return
    }
    let model = try Self.model(named: path)
    isModel = model != nil
    guard let model else {
      let run = try RunFolder(opening: URL(fileURLWithPath: path))
      try Self.check(run.recipe.preprocessing, "run", path, fits: recipe)
      labels = try run.recipe.labelSets()
      let (file, progress) = try Checkpoint.best(checkpointOf: run)
      data = progress.initialData + progress.data
      selection = progress.initialSelection + progress.selection
      let prefix = "average."
      names = file.tensors.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      stored = { name in try file.tensors[prefix + name].map { ($0.shape, try $0.values(Float.self)) } }
      return
    }
    let card: ModelCard
    do { card = try model.card() } catch let error as MienError { throw error.about(path) }
    try Self.check(card.preprocessing, "model", path, fits: recipe)
    labels = try card.outputs.map { try LabelSet(name: $0.name, emotions: $0.emotions) }
    data = card.training
    selection = card.chosenBy
    names = model.constantNames
    guard !names.contains(where: { $0.hasSuffix(".int8") }) else {
      throw MienError(
        .mismatch, path,
        "its weights are in 8 bits, which training cannot begin with; export with --precision f32 or f16")
    }
    stored = model.constant
  }

  private static func check(_ other: Preprocessing, _ kind: String, _ path: String, fits recipe: Recipe) throws {
    guard other != recipe.preprocessing else { return }
    throw MienError(
      .mismatch, path,
      "the \(kind) takes \(Spelling.counted(other.channels, "channel"))\(other.equalize ? ", equalised" : ""), the recipe's "
        + "network \(recipe.model.channels)\(recipe.model.equalize ? ", equalised" : ""): add --set model.channels="
        + "\(other.channels) --set model.equalize=\(other.equalize)")
  }

  /// Checks that `path` names a run, a file, or a built-in model, before anything is made for a run that begins with its
  /// weights. The file itself is read only when the run begins.
  ///
  /// - Throws: ``MienError`` that names `path`.
  package nonisolated static func check(_ path: String) throws {
    var isFolder: ObjCBool = false
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
      if isFolder.boolValue { _ = try RunFolder(opening: url) }
    } else if try builtInModel(named: path) == nil {
      throw MienError(
        .missing, path,
        "no such run folder or model file, and no built-in model of that name; there are: "
          + Resource.models.joined(separator: ", "))
    }
  }

  /// The model that a recipe's `initialWeights` names: a file, or a built-in one by its name; `nil` for a run folder or pretrained
  /// weights, and for what is not there any more.
  nonisolated static func model(named path: String) throws -> ONNXModel? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return try builtInModel(named: path)
    }
    return isFolder.boolValue || PretrainedWeights.isFile(path)
      ? nil : try ONNXModel(contentsOf: URL(fileURLWithPath: path))
  }

  /// The model inside the program of that name; `nil` if there is none.
  nonisolated static func builtInModel(named name: String) throws -> ONNXModel? {
    try Resource.models.contains(name) ? ONNXModel(data: Resource.model(named: name)) : nil
  }

  /// Copies the weights into `network`. A head takes the weights of the other network's head for the same label set, and
  /// stays fresh if there is none.
  ///
  /// - Parameter faces: `[N, C, H, W]` in 0…1, for the statistics of batch norms that a model lost.
  /// - Returns: what was not taken over, in words.
  /// - Throws: ``MienError`` naming the first tensor but a head's that one of the two lacks or that does not fit.
  package func load(into network: FaceNetwork, faces: () throws -> Tensor) throws -> [String] {
    var sources: [String: String] = [:]
    var notes: [String] = []
    for (index, own) in network.labels.enumerated() {
      guard let source = labels.firstIndex(of: own) else {
        notes.append("the head \(own.name) starts with fresh weights: \(path) has none")
        continue
      }
      sources["heads.\(index)."] = "heads.\(source)."
    }
    let unused = labels.filter { !network.labels.contains($0) }.map(\.name)
    if !unused.isEmpty {
      let heads = unused.count == 1 ? "the head \(unused[0])" : "the heads \(Spelling.alternatives(unused, "and"))"
      notes.append("\(heads) of \(path) \(unused.count == 1 ? "is" : "are") not used")
    }
    let folded = foldedNorms(of: network)
    let state = network.state
    try refuseSurplus(known: Set(state.map(\.name)))
    // What the folded norms and the convolutions before them do not have in the file.
    var missing = Set(
      folded.flatMap { norm in
        ["weight", "bias", "runningMean", "runningVariance"].map { "\(norm.name).\($0)" } + ["\(norm.convolution).bias"]
      })
    var wider = 0
    for (name, target) in state where missing.remove(name) == nil {
      var source = name
      if name.hasPrefix("heads.") {
        guard let pair = sources.first(where: { name.hasPrefix($0.key) }) else { continue }
        source = pair.value + name.dropFirst(pair.key.count)
      } else if isModel {
        source = source.replacingSuffix(".runningMean", by: ".mean").replacingSuffix(
          ".runningVariance", by: ".variance")
      }
      let value = try tensor(source, for: target)
      if value.isWider { wider += 1 }
      try target.copyInPlace(value.tensor)
    }
    if wider > 0 {
      notes.append("\(wider) tensors are larger than those of \(path): the new channels start with fresh weights")
    }
    try unfold(folded, in: network, faces: faces)
    return notes
  }

  private var advice: String {
    "model.architecture and model.options must be those of \(path); only more channels per layer are allowed"
  }

  /// The stored tensor of that name, with the shape of `target`: outputs that the file lacks are those of `target`, and
  /// the others' weights for inputs that it lacks are 0.
  private func tensor(_ name: String, for target: Tensor) throws -> (tensor: Tensor, isWider: Bool) {
    guard let found = try stored(name) else { throw MienError(.mismatch, path, "it has no tensor \(name); \(advice)") }
    let shape = try target.shape
    guard found.shape != shape else { return (try Tensor(found.values, shape: shape), false) }
    guard found.shape.count == shape.count, zip(found.shape, shape).allSatisfy({ $0 <= $1 }),
      found.shape.dropFirst(2) == shape.dropFirst(2)
    else {
      throw MienError(.mismatch, path, "its tensor \(name) is \(found.shape), here it is \(shape); \(advice)")
    }
    var values = try target.floats()
    let (old, new) = (found.shape.dropFirst().reduce(1, *), shape.dropFirst().reduce(1, *))
    for output in 0..<found.shape[0] {
      let row = found.values[(output * old)..<((output + 1) * old)]
      values.replaceSubrange((output * new)..<((output + 1) * new), with: row + repeatElement(0, count: new - old))
    }
    return (try Tensor(values, shape: shape), true)
  }

  /// Refuses weights of trunk and neck that the network has no place for.
  private func refuseSurplus(known: Set<String>) throws {
    let surplus = names.sorted().first { name in
      (name.hasPrefix("trunk.") || name.hasPrefix("neck.")) && !known.contains(name)
        && (!isModel || name.hasSuffix(".weight"))
    }
    if let surplus { throw MienError(.mismatch, path, "its tensor \(surplus) has no place; \(advice)") }
  }

  /// A batch norm that the model has folded into the layer before it, and that layer's path.
  private struct FoldedNorm {
    let name: String
    let layer: BatchNorm
    let convolution: String
  }

  private func foldedNorms(of network: FaceNetwork) -> [FoldedNorm] {
    guard isModel else { return [] }
    let known = Set(names)
    return Parameters.batchNorms(of: network).compactMap { name, layer in
      guard !known.contains("\(name).mean"), let dot = name.lastIndex(of: "."),
        let index = Int(name[name.index(after: dot)...])
      else { return nil }
      return FoldedNorm(name: name, layer: layer, convolution: "\(name[..<dot]).\(index - 1)")
    }
  }

  /// Splits weights and biases with folded batch norms into convolutions with outputs of variance 1 and the batch norms
  /// that undo this.
  private func unfold(_ norms: [FoldedNorm], in network: FaceNetwork, faces: () throws -> Tensor) throws {
    guard !norms.isEmpty else { return }
    let weights = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.value) })
    // First norms that change nothing but the bias, so that what they read can be measured.
    for norm in norms {
      let size = try norm.layer.weight.value.shape
      let bias = try tensor("\(norm.convolution).bias", for: .full(size, 0)).tensor
      if let own = weights["\(norm.convolution).bias"] { try own.copyInPlace(.full(size, 0)) }
      try norm.layer.runningMean.value.copyInPlace(.full(size, 0))
      try norm.layer.runningVariance.value.copyInPlace(.full(size, 1))
      try norm.layer.weight.value.copyInPlace(.full(size, Float((1 + norm.layer.epsilon).squareRoot())))
      try norm.layer.bias.value.copyInPlace(bias)
    }
    var moments: [ObjectIdentifier: (mean: [Float], square: [Float])] = [:]
    let measured = Set(norms.map { ObjectIdentifier($0.layer.weight) })
    let pass = ForwardPass.inference
    pass.observer = { weight, input in
      guard measured.contains(ObjectIdentifier(weight)) else { return }
      let others = try input.shape.indices.filter { $0 != 1 }
      moments[ObjectIdentifier(weight)] = (
        try input.mean(others).floats(), try input.multiplied(by: input).mean(others).floats()
      )
    }
    _ = try Tensor.withGradients(false) { try network.logits(faces(), pass) }
    for norm in norms {
      guard let moment = moments[ObjectIdentifier(norm.layer.weight)],
        let weight = weights["\(norm.convolution).weight"]
      else { throw MienError(.mismatch, path, "it has no layer \(norm.convolution); \(advice)") }
      let deviations = zip(moment.mean, moment.square).map { mean, square -> Float in
        let variance = square - mean * mean
        // A channel that is always the same has no scale.
        return variance > 1e-10 ? variance.squareRoot() : 1
      }
      let shape = try weight.shape
      let perOutput = shape.dropFirst().reduce(1, *)
      let unit = try weight.floats().enumerated().map { $1 / deviations[$0 / perOutput] }
      try weight.copyInPlace(Tensor(unit, shape: shape))
      let size = [deviations.count]
      let scale = Float((1 + norm.layer.epsilon).squareRoot())
      let biases = try zip(norm.layer.bias.value.floats(), moment.mean).map { $0 + $1 }
      try norm.layer.runningMean.value.copyInPlace(Tensor(zip(moment.mean, deviations).map { $0 / $1 }, shape: size))
      try norm.layer.weight.value.copyInPlace(Tensor(deviations.map { $0 * scale }, shape: size))
      try norm.layer.bias.value.copyInPlace(Tensor(biases, shape: size))
    }
  }
}

extension String {
  /// The text with one ending in place of another, if it has that.
  fileprivate func replacingSuffix(_ old: String, by new: String) -> String {
    hasSuffix(old) ? String(dropLast(old.count)) + new : self
  }
}
