public import Foundation
public import MienCore
public import MienInference
public import MienONNX

/// Fits a model's last layer to corrected faces, without forgetting what it knows.
///
/// The change of weights and biases `Δ` [K, D + 1] minimises
///
///     sum over corrections of -ln p(corrected emotion)  +  strength / 2 · tr(Δᵀ B Δ A)
///
/// that is multinomial logistic regression with a Gaussian prior about the original layer. `A` is the mean of `x xᵀ` over
/// the embeddings of the model's ``EmbeddingReference`` and `B` its Fisher information of the logits: what hardly moves
/// the readings of ordinary faces costs little, what moves many of them costs much (the Kronecker-factored Laplace
/// approximation of Ritter, Botev and Barber, ICLR 2018, for one layer; Kirkpatrick et al., PNAS 2017, for the idea).
///
/// The strength follows from a budget: the smallest one at which the readings of the reference faces change by no more
/// than ``divergenceBudget``, the Kullback-Leibler divergence from the old to the new probabilities to second order.
public struct HeadAdaptation: Sendable {
  /// A face whose emotion is known.
  public struct Example: Sendable, Equatable {
    /// The model's embedding, [D].
    public let embedding: [Float]
    /// What the face shows.
    public let emotion: Emotion

    /// Names the emotion of an embedding.
    public init(embedding: [Float], emotion: Emotion) {
      self.embedding = embedding
      self.emotion = emotion
    }
  }

  /// What came of a fit.
  public struct Fit: Sendable {
    /// The changed layer.
    public let head: LinearHead
    /// The prior's strength.
    public let strength: Double
    /// How far the readings of the reference faces are expected to change on average: the second-order
    /// Kullback-Leibler divergence, in nats.
    public let divergence: Double

    package init(head: LinearHead, strength: Double, divergence: Double) {
      self.head = head
      self.strength = strength
      self.divergence = divergence
    }
  }

  /// The change of ordinary readings that is allowed by default, in nats a face. Chosen on people that no reported
  /// figure is measured on; see docs/adaptation.md.
  public static let defaultBudget = 0.006
  /// The least strength: a prior whose standard deviation is three in units of one logit of every reference face.
  static let minimumStrength = 0.1
  /// What is added to the diagonals of `A` and `B`, as shares of their means: directions in which the reference faces do
  /// not vary are not free.
  static let momentDamping = 1e-3
  static let informationDamping = 0.1

  /// The layer as the model has it.
  public let original: LinearHead
  /// How far the readings of the reference faces may change on average, in nats.
  public let divergenceBudget: Double
  private let embeddings: Cholesky
  private let outputs: Cholesky
  /// Nats a unit of tr(Δᵀ B Δ A).
  private let natsPerUnit: Double

  /// Prepares to fit.
  ///
  /// - Throws: ``MienError`` where `reference` does not fit the layer, or `divergenceBudget` is not above 0.
  public init(
    original: LinearHead, reference: EmbeddingReference, divergenceBudget: Double = HeadAdaptation.defaultBudget
  ) throws {
    guard divergenceBudget > 0, divergenceBudget.isFinite else {
      throw MienError(.argument, "budget", "expected a number of nats above 0, found \(divergenceBudget)")
    }
    guard reference.width == original.width else {
      throw MienError(
        .mismatch, nil,
        "the reference is of embeddings of \(reference.width) numbers, the last layer reads \(original.width)")
    }
    self.original = original
    self.divergenceBudget = divergenceBudget
    let moment = try reference.momentMatrix()
    embeddings = try Cholesky(
      Self.damped(moment, size: original.width + 1, by: Self.momentDamping), size: original.width + 1)
    let classes = original.labels.count
    let information = try reference.informationMatrix(original.labels)
    let mean = (0..<classes).reduce(0) { $0 + information[$1 * classes + $1] } / Double(classes)
    guard mean > 0 else { throw MienError(.format, nil, "the reference's readings are all certain") }
    outputs = try Cholesky(
      Self.damped(information.map { $0 / mean }, size: classes, by: Self.informationDamping), size: classes)
    natsPerUnit = mean / 2
  }

  private static func damped(_ matrix: [Double], size: Int, by share: Double) -> [Double] {
    let mean = (0..<size).reduce(0) { $0 + matrix[$1 * size + $1] } / Double(size)
    var result = matrix
    for index in 0..<size { result[index * size + index] += share * mean }
    return result
  }

  /// The layer fitted to `examples`; without examples, the original. Takes milliseconds to minutes, with the number of
  /// examples.
  ///
  /// - Throws: ``MienError`` where an embedding has another length or numbers that are not finite, or the layer lacks an
  ///   emotion; `CancellationError` if the task was cancelled.
  public func fit(_ examples: [Example]) throws -> Fit { try fit(problem(examples)) }

  /// The layer fitted to the examples of `problem`.
  ///
  /// - Throws: `CancellationError` if the task was cancelled.
  func fit(_ problem: HeadFittingProblem) throws -> Fit {
    let radius = (divergenceBudget / natsPerUnit).squareRoot()
    let origin = [Double](repeating: 0, count: problem.count)
    // A minimum is no further from the origin than the gradient there divided by the strength.
    let pull = Vector.norm(problem.value(at: origin, strength: 0).gradient)
    var weaker: [Double] = []
    var strength = Self.minimumStrength
    while pull > strength * radius {
      weaker.append(strength)
      strength *= 10
    }
    var change = try problem.minimum(strength: strength, from: origin)
    var lower = strength
    // The change grows as the strength falls, and minima of weak priors take longest: none is sought far outside.
    while let next = weaker.popLast() {
      lower = next
      guard let trial = try problem.minimum(strength: next, from: change, within: radius) else { break }
      (strength, change) = (next, trial)
    }
    for _ in 0..<Self.maximumBisections where lower < strength && Vector.dot(change, change) < 0.98 * radius * radius {
      let middle = (lower * strength).squareRoot()
      if let trial = try problem.minimum(strength: middle, from: change, within: radius) {
        (strength, change) = (middle, trial)
      } else {
        lower = middle
      }
    }
    return Fit(
      head: try head(problem.rows(of: change)), strength: strength,
      divergence: natsPerUnit * Vector.dot(change, change))
  }

  /// The layer fitted to `examples` with a given strength, whatever that does to the reference faces.
  ///
  /// - Throws: as ``fit(_:)`` does.
  package func head(fittedTo examples: [Example], strength: Double) throws -> LinearHead {
    let problem = try problem(examples)
    let change = try problem.minimum(strength: strength, from: [Double](repeating: 0, count: problem.count))
    return try head(problem.rows(of: change))
  }

  private static let maximumBisections = 20

  /// The fit in coordinates in which the prior is a sphere: `Δ = Q V C⁻¹`, with `A = C Cᵀ`, `B = H Hᵀ`, `Q = H⁻ᵀ`, so that
  /// tr(Δᵀ B Δ A) is the sum of squares of `V`.
  package func problem(_ examples: [Example]) throws -> HeadFittingProblem {
    let labels = original.labels
    var inputs: [[Double]] = []
    var targets: [Int] = []
    for example in examples {
      guard example.embedding.count == original.width, example.embedding.allSatisfy(\.isFinite) else {
        throw MienError(
          .mismatch, nil,
          "expected embeddings of \(original.width) finite numbers, found one of \(example.embedding.count)")
      }
      guard let target = labels.index(of: example.emotion) else {
        throw MienError(.mismatch, example.emotion.rawValue, "is no emotion of the model's output \(labels.name)")
      }
      inputs.append(embeddings.solveLower(example.embedding.map { Double($0) } + [1]))
      targets.append(target)
    }
    let classes = labels.count
    var map = [Double](repeating: 0, count: classes * classes)
    for column in 0..<classes {
      let unit = (0..<classes).map { $0 == column ? 1.0 : 0 }
      for (row, value) in outputs.solveUpper(unit).enumerated() { map[row * classes + column] = value }
    }
    return HeadFittingProblem(
      examples: inputs, targets: targets,
      logits: try examples.map { try original.logits($0.embedding).map { Double($0) } },
      outputMap: map, classes: classes, width: original.width + 1)
  }

  /// The layer of a change `V`, [K, D + 1].
  private func head(_ change: [[Double]]) throws -> LinearHead {
    let size = original.width + 1
    // Rows of V C⁻¹, then Q times them.
    let rows = change.map { embeddings.solveUpper($0) }
    var weights = original.weights
    var biases = original.biases
    for column in 0..<size {
      for (output, value) in outputs.solveUpper(rows.map { $0[column] }).enumerated() {
        if column < original.width {
          weights[output * original.width + column] += Float(value)
        } else {
          biases[output] += Float(value)
        }
      }
    }
    return try LinearHead(labels: original.labels, width: original.width, weights: weights, biases: biases)
  }
}

extension AdaptedHead.Info {
  /// Describes a fit.
  public init(
    profile: ProfileName, model: ModelCard, fit: HeadAdaptation.Fit, check: AdaptationCheck, created: Date = Date(),
    owner: String? = nil
  ) {
    self.init(
      profile: profile, labels: fit.head.labels, model: model, strength: fit.strength, divergence: fit.divergence,
      check: check, created: created, owner: owner)
  }
}
