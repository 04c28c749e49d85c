import Glibc
public import MienCore

extension EmotionClassifier {
  /// How a map is made.
  public enum MapMethod: String, CaseIterable, Sendable {
    /// Class activation maps (Zhou et al., CVPR 2016): one pass a face. Only models whose head is linear on globally
    /// averaged feature maps have them.
    ///
    /// With the feature maps `A` [F, h, w], the head's weights `w` [K, F] and the probabilities `p`, the map of emotion
    /// `k` is the sum over `f` of `(w[k, f] - sum over j != k of q[j] w[j, f]) A[f]`, `q[j] = p[j] / (1 - p[k])`: up to
    /// a factor the place's share in the gradient of `log p[k]`. Zhou's `w[k, f]` alone would count what speaks for all
    /// emotions alike, which a softmax does not feel.
    case cam
    /// Occlusion maps (Zeiler and Fergus, ECCV 2014): 50 passes a face, any model. A square of a quarter of the face's
    /// side, in the face's mean colour, is moved over it by half its side; a place's value is the mean fall of
    /// `log p[k]` over the squares that hide it.
    case occlusion
  }

  /// What the maps of one face are made of.
  public struct FaceMaps: Sendable, Equatable {
    /// What the face is read as, with the classifier's prior.
    public let distribution: EmotionDistribution
    /// One map an emotion asked for.
    public let maps: [EmotionMap]
  }

  /// The methods that the output for `labels` allows, the cheaper first.
  ///
  /// - Parameter labels: one of ``labelSets``; nil for ``widestLabels``.
  public func mapMethods(_ labels: LabelSet? = nil) -> [MapMethod] {
    pooledHeads[(labels ?? widestLabels).name] == nil ? [.occlusion] : [.cam, .occlusion]
  }

  /// Checks that the output for `labels` allows `method`.
  ///
  /// - Parameter labels: one of ``labelSets``; `nil` for ``widestLabels``.
  /// - Throws: ``MienError`` naming the model if it has no class activation maps.
  package func check(_ method: MapMethod, for labels: LabelSet? = nil) throws {
    if method == .cam { _ = try pooledHead(of: labels ?? widestLabels) }
  }

  /// Which places of a face speak for `emotion`: a map of the face's size. Blocks, as ``predictions(for:count:outputs:)``
  /// does.
  ///
  /// - Parameters:
  ///   - emotion: one of `labels`; nil for the one the face is read as.
  ///   - input: [C, H, W] in 0…1, as ``MienCore/Preprocessing/input(pixels:sourceChannels:)`` makes it.
  ///   - labels: one of ``labelSets``; nil for ``widestLabels``.
  ///   - method: nil for the cheapest that the model has.
  /// - Throws: ``MienError`` as ``maps(of:for:count:labels:method:)`` does.
  public func map(
    of emotion: Emotion? = nil, for input: [Float], labels: LabelSet? = nil, method: MapMethod? = nil
  ) throws -> EmotionMap {
    let found = try maps(of: emotion.map { [$0] } ?? [], for: input, count: 1, labels: labels, method: method)
    guard let map = found.first?.maps.first else { throw MienError(.mismatch, card.name, "no face to explain") }
    return map
  }

  /// Which places of each face speak for each of `emotions`. Maps are of the network's own probabilities, whatever the
  /// classifier's prior. Blocks.
  ///
  /// - Parameters:
  ///   - emotions: of `labels`; empty for the one that each face is read as.
  ///   - inputs: [count, C, H, W] in 0…1.
  ///   - labels: one of ``labelSets``; nil for ``widestLabels``.
  ///   - method: nil for the cheapest that the model has.
  /// - Throws: ``MienError`` where sizes do not fit, the model does not speak `labels` or an emotion, has no class
  ///   activation maps where they are asked for, or OpenVINO fails.
  public func maps(
    of emotions: [Emotion], for inputs: [Float], count: Int, labels: LabelSet? = nil, method: MapMethod? = nil
  ) throws -> [FaceMaps] {
    let labels = labels ?? widestLabels
    guard labelSets.contains(labels) else {
      throw MienError(.argument, "labels \(labels.name)", expectedLabels)
    }
    if let other = emotions.first(where: { labels.index(of: $0) == nil }) {
      let known = labels.emotions.map(\.rawValue)
      throw MienError(
        .argument, other.rawValue, "expected \(Spelling.alternatives(known)), the emotions of \(labels.name)")
    }
    let evidence =
      switch method ?? mapMethods(labels)[0] {
      case .cam: try activation(inputs, count: count, labels)
      case .occlusion: try occlusion(inputs, count: count, labels)
      }
    let size = card.preprocessing
    return try evidence.map { face in
      let distribution = try card.reweighted(face.distribution, to: prior)
      let asked = emotions.isEmpty ? [distribution.top.emotion] : emotions
      let maps = try asked.map { emotion in
        try EmotionMap(
          emotion: emotion, coarse: face.map(labels.index(of: emotion) ?? 0), rows: face.rows, columns: face.columns,
          width: size.width, height: size.height)
      }
      return FaceMaps(distribution: distribution, maps: maps)
    }
  }

  /// One face's evidence at [rows, columns] places, made for the class asked for.
  private struct Evidence {
    /// Without a prior.
    let distribution: EmotionDistribution
    let rows: Int
    let columns: Int
    let map: (_ index: Int) -> [Float]
  }

  // MARK: Class activation

  private func pooledHead(of labels: LabelSet) throws -> PooledHead {
    guard let head = pooledHeads[labels.name] else {
      throw MienError(
        .mismatch, card.name,
        "has no class activation maps: its output \(labels.name) is not linear on the means of feature maps; use "
          + "occlusion")
    }
    return head
  }

  private func activation(_ inputs: [Float], count: Int, _ labels: LabelSet) throws -> [Evidence] {
    let head = try pooledHead(of: labels)
    let output = try predictions(for: inputs, count: count, outputs: [labels.name, Self.featuresName])
    guard let features = output[Self.featuresName], features.shape.count == 4, features.shape[1] == head.channels else {
      throw MienError(.mismatch, card.name, "its output \(Self.featuresName) does not fit the head \(labels.name)")
    }
    let (rows, columns) = (features.shape[2], features.shape[3])
    return try zip(0..<count, output.distributions(labels)).map { face, distribution in
      let maps = Array(features.row(face))
      // What each class gets from each place: [K, h * w].
      let logits = (0..<labels.count).map { index -> [Float] in
        var sum = [Float](repeating: 0, count: rows * columns)
        for channel in 0..<head.channels {
          let weight = head.weights[index * head.channels + channel]
          let start = channel * sum.count
          for place in sum.indices { sum[place] += weight * maps[start + place] }
        }
        return sum
      }
      return Evidence(distribution: distribution, rows: rows, columns: columns) { index in
        let shares = distribution.rivals(of: index)
        return (0..<(rows * columns)).map { place in
          shares.indices.reduce(logits[index][place]) { $0 - shares[$1] * logits[$1][place] }
        }
      }
    }
  }

  // MARK: Occlusion

  /// Squares along a side, and how many of them a square covers.
  private static let (steps, span) = (8, 2)

  private func occlusion(_ inputs: [Float], count: Int, _ labels: LabelSet) throws -> [Evidence] {
    let (steps, span) = (Self.steps, Self.span)
    let size = card.preprocessing
    let corners = steps - span + 1
    let masks = (0..<(corners * corners)).map { corner -> [Bool] in
      let (top, left) = corner.quotientAndRemainder(dividingBy: corners)
      return (0..<(size.width * size.height)).map { pixel in
        let (y, x) = pixel.quotientAndRemainder(dividingBy: size.width)
        return (top..<(top + span)).contains(y * steps / size.height)
          && (left..<(left + span)).contains(x * steps / size.width)
      }
    }
    return try (0..<count).map { face in
      let input = Array(inputs[(face * size.elementCount)..<((face + 1) * size.elementCount)])
      let seen = try distributions(hiding: [[]] + masks, of: input, labels: labels, prior: .data)
      return Evidence(distribution: seen[0], rows: steps, columns: steps) { index in
        var (sums, counts) = ([Float](repeating: 0, count: steps * steps), [Float](repeating: 0, count: steps * steps))
        for (corner, distribution) in seen.dropFirst().enumerated() {
          let fall = seen[0].logarithm(index) - distribution.logarithm(index)
          let (top, left) = corner.quotientAndRemainder(dividingBy: corners)
          for row in top..<(top + span) {
            for column in left..<(left + span) {
              sums[row * steps + column] += fall
              counts[row * steps + column] += 1
            }
          }
        }
        return zip(sums, counts).map { $0 / $1 }
      }
    }
  }

  /// What a face is read as with parts of it hidden: their pixels take the face's mean, a channel on its own. Blocks.
  ///
  /// - Parameters:
  ///   - masks: [H * W] each, true where a pixel is hidden; empty to hide nothing.
  ///   - input: one face, [C, H, W] in 0…1.
  ///   - labels: one of ``labelSets``; nil for ``widestLabels``.
  ///   - prior: the mix of emotions to expect; nil for the classifier's own.
  /// - Returns: one distribution per mask.
  public func distributions(
    hiding masks: [[Bool]], of input: [Float], labels: LabelSet? = nil, prior: ClassPrior? = nil
  ) throws -> [EmotionDistribution] {
    let size = card.preprocessing
    let area = size.width * size.height
    guard input.count == size.elementCount, masks.allSatisfy({ $0.isEmpty || $0.count == area }) else {
      throw MienError(.mismatch, card.name, "expected a face of \(size.elementCount) values, and masks of \(area)")
    }
    let means = (0..<size.channels).map { channel in
      input[(channel * area)..<((channel + 1) * area)].reduce(0, +) / Float(area)
    }
    var hidden: [Float] = []
    hidden.reserveCapacity(masks.count * input.count)
    for mask in masks {
      guard !mask.isEmpty else {
        hidden += input
        continue
      }
      for channel in 0..<size.channels {
        for pixel in 0..<area { hidden.append(mask[pixel] ? means[channel] : input[channel * area + pixel]) }
      }
    }
    return try distributions(for: hidden, count: masks.count, labels: labels, prior: prior)
  }

  /// The fall of the probability of `emotion` when each region of the face is hidden, in the order of ``FaceRegion``'s
  /// cases; negative where it rises. Blocks.
  ///
  /// - Parameter input: one face, [C, H, W] in 0…1.
  public func regionFalls(of emotion: Emotion, for input: [Float], labels: LabelSet? = nil) throws -> [Double] {
    let pixels = FaceRegion.pixels(width: card.preprocessing.width, height: card.preprocessing.height)
    let masks = FaceRegion.allCases.map { region in pixels.map { $0 == region } }
    let seen = try distributions(hiding: [[]] + masks, of: input, labels: labels)
    let whole = seen[0][emotion] ?? 0
    return seen.dropFirst().map { Double(whole - ($0[emotion] ?? 0)) }
  }
}

extension EmotionDistribution {
  /// The natural logarithm of a probability, as if it were at least 10^-6.
  fileprivate func logarithm(_ index: Int) -> Float { log(max(probabilities[index], 1e-6)) }
}
