public import MienCore
import MienModels
public import MienTorch

/// Grad-CAM (Selvaraju et al., ICCV 2017) of a run's best network, of any architecture: which places of a face speak for
/// an emotion.
///
/// With the trunk's feature maps `A` [F, h, w] and the logits `z` [K], the map of emotion `k` is the sum over `f` of
/// `a[f] A[f]`, where `a[f]` is the mean over places of the gradient of `z[k] - sum over j != k of q[j] z[j]` by `A[f]`,
/// `q[j] = p[j] / (1 - p[k])`: up to a factor that of `log p[k]`. Where the head is linear on globally averaged maps it
/// is the class activation map of the exported model.
@TorchActor public final class GradCAM {
  /// One face.
  public struct Face: Sendable, Equatable {
    /// What it is read as.
    public let distribution: EmotionDistribution
    /// A map an emotion asked for.
    public let maps: [EmotionMap]
  }

  /// The label set of the readings.
  public let labels: LabelSet
  /// The input contract of the network.
  public let preprocessing: Preprocessing
  private let network: FaceNetwork
  private let head: Int

  /// Loads the best epoch of `run`.
  ///
  /// - Parameter labels: the name of a head's label set; nil for the one of most classes, of equals the first.
  /// - Throws: ``MienError`` where the run has no finished epoch, or no such head.
  public init(run: RunFolder, labels name: String? = nil) throws {
    network = try Checkpoint.best(of: run).network
    preprocessing = run.recipe.preprocessing
    let sets = network.labels
    let most = sets.map(\.count).max()
    guard let head = sets.firstIndex(where: { name == nil ? $0.count == most : $0.name == name }) else {
      let known = sets.map(\.name).joined(separator: ", ")
      throw MienError(.argument, "labels \(name ?? "")", "the run has heads for \(known)")
    }
    self.head = head
    labels = sets[head]
  }

  /// The maps of faces.
  ///
  /// - Parameters:
  ///   - emotions: of ``labels``; empty for the one that each face is read as.
  ///   - inputs: [count, C, H, W] in 0…1, as ``preprocessing`` makes them.
  /// - Throws: ``MienError`` where sizes do not fit, or an emotion is none of ``labels``.
  public func maps(of emotions: [Emotion], for inputs: [Float], count: Int) throws -> [Face] {
    let size = preprocessing
    guard count > 0 else { return [] }
    guard inputs.count == count * size.elementCount, emotions.allSatisfy({ labels.index(of: $0) != nil }) else {
      throw MienError(
        .argument, "faces", "expected \(count) of \(size.elementCount) values, and emotions of \(labels.name)")
    }
    let faces = try Tensor(inputs, shape: [count, size.channels, size.height, size.width])
    let features = try Tensor.withGradients(false) { try network.features(faces, .inference) }.detached()
    try features.requireGradientInPlace()
    let shape = try features.shape
    let values = try features.floats()
    let logits = try network.heads[head](network.neck(features, .inference), .inference)
    let probabilities = try logits.detached().softmax(1).floats()
    let distributions = try (0..<count).map { face in
      try EmotionDistribution(
        labels: labels, probabilities: Array(probabilities[(face * labels.count)..<((face + 1) * labels.count)]))
    }
    var maps = [[EmotionMap]](repeating: [], count: count)
    for round in 0..<max(1, emotions.count) {
      let asked = distributions.map { emotions.isEmpty ? $0.top.emotion : emotions[round] }
      let weights = zip(asked, distributions).flatMap { emotion, distribution -> [Float] in
        let index = labels.index(of: emotion) ?? 0
        return distribution.rivals(of: index).enumerated().map { $0 == index ? 1 : -$1 }
      }
      // The graph of the head is small: it is built anew for each emotion.
      let logits = try network.heads[head](network.neck(features, .inference), .inference)
      try Tensor.clearGradientsInPlace([features])
      try logits.multiplied(by: Tensor(weights, shape: [count, labels.count])).sum().backward()
      let gradients = try features.gradient?.floats() ?? []
      guard gradients.count == values.count, shape.count == 4 else {
        throw MienError(.native, "libtorch", "no gradient reached the feature maps")
      }
      let (channels, area) = (shape[1], shape[2] * shape[3])
      for face in 0..<count {
        var coarse = [Float](repeating: 0, count: area)
        for channel in 0..<channels {
          let start = (face * channels + channel) * area
          let weight = gradients[start..<(start + area)].reduce(0, +) / Float(area)
          for place in 0..<area { coarse[place] += weight * values[start + place] }
        }
        maps[face].append(
          try EmotionMap(
            emotion: asked[face], coarse: coarse, rows: shape[2], columns: shape[3], width: size.width,
            height: size.height))
      }
    }
    return zip(distributions, maps).map { Face(distribution: $0, maps: $1) }
  }
}
