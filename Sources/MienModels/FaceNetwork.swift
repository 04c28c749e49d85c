public import MienCore
public import MienTorch

/// A classifier of faces: a trunk that keeps places, a neck that sums them up, and one linear head a label set.
///
/// `[N, C, H, W]` in 0…1 -> scaling -> trunk -> `features` [N, F, h, w] -> neck -> `embedding` [N, D] -> head -> logits
/// [N, K].
@TorchActor public final class FaceNetwork {
  /// A linear map of pixel values, part of the graph.
  public struct Scaling: Sendable, Equatable {
    /// Factor of a value in 0…1.
    public let scale: Float
    /// Added after.
    public let offset: Float

    /// `value * scale + offset`.
    public init(scale: Float, offset: Float) {
      self.scale = scale
      self.offset = offset
    }

    /// Values stay in 0…1.
    public static let identity = Scaling(scale: 1, offset: 0)
    /// Values of mean 0 and deviation 1, roughly, for pictures of mean 0.5 and deviation 0.25.
    public static let centered = Scaling(scale: 4, offset: -2)
  }

  /// What is done to pixel values first.
  public let scaling: Scaling
  /// Convolutions; its output is the model's `features`.
  public let trunk: Sequential
  /// From feature maps to one vector a face, the model's `embedding`.
  public let neck: Sequential
  /// One head a label set, in the order of `labels`.
  public let heads: [Linear]
  /// What each head's outputs mean.
  public let labels: [LabelSet]

  /// Joins the parts and adds a head of `embedding` inputs for each label set.
  public init(
    scaling: Scaling = .identity, trunk: Sequential, neck: Sequential, embedding: Int, labels: [LabelSet],
    random: inout SeededRandom
  ) throws {
    self.scaling = scaling
    self.trunk = trunk
    self.neck = neck
    self.labels = labels
    heads = try labels.map { try Linear(embedding, $0.count, random: &random) }
  }

  /// The logits of each head, `[N, K]`.
  ///
  /// - Parameter frozen: how many of the trunk's first layers run as at inference and get no gradients, whatever `pass`
  ///   says.
  public func logits(_ faces: Tensor, _ pass: ForwardPass, frozen: Int = 0) throws -> [Tensor] {
    var features = try scaled(faces).channelsLast()
    if frozen > 0 {
      features = try Tensor.withGradients(false) {
        try trunk.layers.prefix(frozen).reduce(features) { try $1($0, .inference) }
      }
    }
    features = try trunk.layers.dropFirst(frozen).reduce(features) { try $1($0, pass) }
    let embedding = try neck(features, pass)
    return try heads.map { try $0(embedding, pass) }
  }

  /// The feature maps, `[N, F, h, w]`.
  package func features(_ faces: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try trunk(scaled(faces).channelsLast(), pass)
  }

  private func scaled(_ faces: Tensor) throws -> Tensor {
    scaling == .identity ? faces : try faces.scaled(by: scaling.scale, offset: scaling.offset)
  }

  /// All parameters, in order of declaration.
  public var parameters: [Parameter] {
    Parameters.state(of: self).compactMap {
      if case .parameter(let parameter) = $0.item { parameter } else { nil }
    }
  }

  /// How many numbers are trained.
  public var parameterCount: Int {
    get throws { try parameters.reduce(0) { $0 + (try $1.value.shape.reduce(1, *)) } }
  }
}
