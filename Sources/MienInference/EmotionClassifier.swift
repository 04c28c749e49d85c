public import MienCore
public import MienONNX

/// A trained network that reads emotion in framed faces, run from its ONNX file by OpenVINO.
///
/// The network's input is `faces` [N, C, H, W] in 0…1, made by ``MienCore/Preprocessing``. A face's result does not
/// depend on what else is in its batch. A classifier may be used from several threads at a time.
public final class EmotionClassifier: Sendable {
  /// The name of the network's input.
  public static let inputName = "faces"
  /// The name of the output with the feature maps, where a model has them.
  static let featuresName = "features"
  /// Faces a run: larger batches are cut into runs of this size and single faces, so that the network is prepared for
  /// two shapes only.
  static let batchSize = 8

  /// What the model's file says of itself.
  public let card: ModelCard
  /// The label sets that the model speaks, in the card's order.
  public let labelSets: [LabelSet]
  /// The label set of most classes; of equals, the first.
  public let widestLabels: LabelSet
  /// The last layer that stands in for the model's own; nil for the model as it is.
  public let adaptedHead: AdaptedHead?
  /// The mix of emotions that ``distributions(for:count:labels:prior:)`` expects where nothing else is asked for.
  public let prior: ClassPrior
  private let outputShapes: [String: [Int]]
  /// The heads that class activation maps can be made of, by output; an adapted one is none of them.
  var pooledHeads: [String: PooledHead] { modelHeads.filter { $0.key != adaptedHead?.info.labels.name } }
  private let modelHeads: [String: PooledHead]
  private let network: CompiledNetwork

  /// Compiles a model and checks that its card tells the truth about the network.
  ///
  /// - Parameters:
  ///   - threads: how many threads one run may use; nil for as many as there are cores.
  ///   - adaptedHead: a last layer fitted to corrections; it makes the probabilities of its label set.
  ///   - prior: the mix of emotions to expect.
  /// - Throws: ``MienError`` where the model has no card, its weights are not the card's, OpenVINO cannot compile it, its
  ///   inputs and outputs are not what the card says, `adaptedHead` is of another model, or the card does not state the
  ///   class shares that `prior` needs.
  public init(
    model: ONNXModel, threads: Int? = nil, adaptedHead: AdaptedHead? = nil, prior: ClassPrior = .data
  ) throws {
    if let threads, threads < 1 { throw MienError(.argument, "threads", "expected at least 1, found \(threads)") }
    card = try model.card()
    labelSets = try card.labelSets()
    widestLabels = try card.widestLabels()
    self.prior = prior
    try card.check(prior, for: widestLabels)
    // The hash is of graph and weights, and was checked against the card.
    network = try NetworkCache.shared.network("\(card.weightsSHA256) \(threads ?? 0)", threads: threads) {
      try model.data.withUnsafeBytes { try CompiledNetwork(onnx: $0, threads: threads) }
    }
    let counts = try network.portCounts()
    guard counts.inputs == 1 else {
      throw MienError(.mismatch, nil, "the model has \(counts.inputs) inputs, expected \(Self.inputName) alone")
    }
    let input = card.preprocessing
    try Self.expect(
      Self.inputName, [nil, input.channels, input.height, input.width],
      found: network.shape(of: Self.inputName, isOutput: false))
    var shapes: [String: [Int]] = [:]
    for name in model.outputs.map(\.name) {
      let shape = try network.shape(of: name, isOutput: true)
      if let labels = labelSets.first(where: { $0.name == name }) {
        try Self.expect(name, [nil, labels.count], found: shape)
      }
      // What has other axes of unknown size cannot be cut into faces.
      let rest = shape.dropFirst()
      if shape.first == .some(nil), !rest.contains(nil) { shapes[name] = rest.compactMap(\.self) }
    }
    outputShapes = shapes
    try adaptedHead?.check(fits: card, labelSets: labelSets, width: Self.width(shapes[ONNXModel.embeddingName]))
    self.adaptedHead = adaptedHead
    var heads: [String: PooledHead] = [:]
    for labels in labelSets where shapes[Self.featuresName] != nil {
      heads[labels.name] = model.pooledHead(of: labels.name, features: Self.featuresName)
    }
    modelHeads = heads
  }

  /// The network of `other`, which both use, with another last layer and another mix of emotions to expect.
  ///
  /// - Parameters:
  ///   - adaptedHead: a last layer fitted to corrections; `nil` for the model's own, whatever `other` has.
  ///   - prior: the mix of emotions to expect.
  /// - Throws: ``MienError`` if `adaptedHead` is of another model, or the card does not state the class shares that `prior`
  ///   needs.
  public init(_ other: EmotionClassifier, adaptedHead: AdaptedHead?, prior: ClassPrior = .data) throws {
    (card, labelSets, widestLabels) = (other.card, other.labelSets, other.widestLabels)
    (outputShapes, modelHeads, network) = (other.outputShapes, other.modelHeads, other.network)
    try card.check(prior, for: widestLabels)
    try adaptedHead?.check(fits: card, labelSets: labelSets, width: Self.width(outputShapes[ONNXModel.embeddingName]))
    (self.adaptedHead, self.prior) = (adaptedHead, prior)
  }

  /// How many numbers an embedding of this shape has; `nil` if it is no row of numbers.
  private static func width(_ shape: [Int]?) -> Int? { shape?.count == 1 ? shape?.first : nil }

  /// The names of the tensors that a run gives.
  public var outputNames: Set<String> { Set(outputShapes.keys) }

  /// The output that speaks about `labels` best: that of the same classes, by preference of the same name; else the
  /// one of most classes.
  public func labels(for labels: LabelSet) -> LabelSet {
    let same = labelSets.filter { Set($0.emotions) == Set(labels.emotions) }
    return same.first { $0.name == labels.name } ?? same.first ?? widestLabels
  }

  /// What an error says of labels that the model does not have: `expected ferplus or fer2013, the outputs of mien-s`.
  package var expectedLabels: String {
    let names = labelSets.map(\.name)
    return
      "expected \(Spelling.alternatives(names)), the \(names.count == 1 ? "output" : "outputs") of \(card.name)"
  }

  /// Runs the network.
  ///
  /// This blocks: call it off the cooperative pool, or use ``Recognizer``.
  ///
  /// - Parameters:
  ///   - inputs: [count, C, H, W] in 0…1, as ``MienCore/Preprocessing/input(pixels:sourceChannels:)`` makes them.
  ///   - outputs: the outputs wanted; nil for all.
  /// - Throws: ``MienError`` where the number of values does not fit, there is no such output, or OpenVINO fails.
  public func predictions(for inputs: [Float], count: Int, outputs: Set<String>? = nil) throws -> ClassifierOutput {
    let width = card.preprocessing.elementCount
    guard count >= 0, inputs.count == count * width else {
      throw MienError(
        .mismatch, card.name, "expected \(count) faces of \(width) values, found \(inputs.count) values")
    }
    let wanted = outputs ?? outputNames
    guard wanted.isSubset(of: outputNames) else {
      throw MienError(
        .argument, card.name,
        "has no output \(wanted.subtracting(outputNames).sorted().joined(separator: ", ")), but "
          + outputNames.sorted().joined(separator: ", "))
    }
    // The adapted layer reads the embedding, and the model's own probabilities are not looked at.
    let adapted = adaptedHead.flatMap { wanted.contains($0.head.labels.name) ? $0.head : nil }
    let run = adapted.map { wanted.subtracting([$0.labels.name]).union([ONNXModel.embeddingName]) } ?? wanted
    let shapes = outputShapes.filter { run.contains($0.key) }
    var values = shapes.mapValues { _ in [Float]() }
    let input = card.preprocessing
    var start = 0
    while start < count {
      let size = count - start >= Self.batchSize ? Self.batchSize : 1
      let shape = [size, input.channels, input.height, input.width]
      try network.run(Self.inputName, inputs[(start * width)..<((start + size) * width)], shape: shape) { request in
        for (name, shape) in shapes { values[name]? += try request.output(name, count: size * shape.reduce(1, *)) }
      }
      start += size
    }
    var tensors = Dictionary(
      uniqueKeysWithValues: shapes.map { name, shape in
        (name, ClassifierOutput.Tensor(shape: [count] + shape, values: values[name] ?? []))
      })
    if let adapted, let embedding = tensors[ONNXModel.embeddingName] {
      tensors[adapted.labels.name] = ClassifierOutput.Tensor(
        shape: [count, adapted.labels.count],
        values: try (0..<count).flatMap { try adapted.probabilities(embedding.row($0)) })
    }
    return ClassifierOutput(count: count, tensors: tensors.filter { wanted.contains($0.key) })
  }

  /// The distributions of one output, one a face; see ``predictions(for:count:outputs:)``.
  ///
  /// - Parameters:
  ///   - labels: one of ``labelSets``; `nil` for ``widestLabels``.
  ///   - prior: the mix of emotions to expect; `nil` for the classifier's own.
  public func distributions(
    for inputs: [Float], count: Int, labels: LabelSet? = nil, prior: ClassPrior? = nil
  ) throws -> [EmotionDistribution] {
    let labels = labels ?? widestLabels
    guard labelSets.contains(labels) else {
      throw MienError(.argument, "labels \(labels.name)", expectedLabels)
    }
    let prior = prior ?? self.prior
    return try predictions(for: inputs, count: count, outputs: [labels.name]).distributions(labels).map {
      try card.reweighted($0, to: prior)
    }
  }

  private static func expect(_ name: String, _ expected: [Int?], found: [Int?]) throws {
    guard expected != found else { return }
    func words(_ shape: [Int?]) -> String {
      "[" + shape.map { $0.map(String.init) ?? "N" }.joined(separator: ", ") + "]"
    }
    throw MienError(
      .mismatch, nil, "\(name) has the shape \(words(found)) in the model, \(words(expected)) by its card")
  }
}

extension ModelCard {
  /// What the model says of a face if the emotions occur as `prior` expects rather than as in the training data.
  ///
  /// - Throws: ``MienError`` if the card does not state the class shares, or `prior` expects none of the emotions.
  package func reweighted(_ distribution: EmotionDistribution, to prior: ClassPrior) throws -> EmotionDistribution {
    guard !prior.changesNothing, let expected = try prior.shares(of: distribution.labels) else { return distribution }
    guard let trained = classShares(of: distribution.labels) else {
      throw MienError(
        .mismatch, name,
        "its card does not state the class shares of its training data, which another prior needs; export the model "
          + "again with this version, or read it with the prior of the data")
    }
    return try distribution.reweighted(from: trained, to: expected, strength: prior.strength)
  }

  /// Checks that `prior` can be used with the output `labels`; errors are those of ``reweighted(_:to:)``.
  package func check(_ prior: ClassPrior, for labels: LabelSet) throws {
    let even = [Float](repeating: 1, count: labels.count)
    _ = try reweighted(EmotionDistribution(labels: labels, probabilities: even), to: prior)
  }

  /// The label set of most classes; of equals, the first.
  package func widestLabels() throws -> LabelSet {
    let sets = try labelSets()
    guard var widest = sets.first else { throw MienError(.format, nil, "its card names no output") }
    for set in sets where set.count > widest.count { widest = set }
    return widest
  }
}
