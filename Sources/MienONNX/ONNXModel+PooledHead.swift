/// A head that is linear on the means of feature maps: logits = `weights` x mean of `features` over places + biases.
/// Class activation maps (Zhou et al., CVPR 2016) need one.
public struct PooledHead: Sendable, Equatable {
  /// [classes, channels], row-major.
  public let weights: [Float]
  /// How many classes.
  public let classes: Int
  /// How many feature maps.
  public let channels: Int
}

extension ONNXModel {
  /// The head that gives the probabilities `output`.
  ///
  /// - Parameter features: the output with the maps, [N, F, h, w].
  /// - Returns: nil where there is no such output, or something else than a global mean and one linear layer with plain
  ///   f32 or f16 weights stands between the maps and the softmax.
  public func pooledHead(of output: String, features: String = "features") -> PooledHead? {
    // Walks up from the softmax over what only rescales or rearranges.
    guard let softmax = node(giving: output, passing: ["Identity"]), softmax.opType == "Softmax",
      let gemm = node(giving: softmax.input.first ?? "", passing: ["Div", "Mul", "Identity", "Cast"]),
      gemm.opType == "Gemm", gemm.input.count >= 2, let matrix = graph.constant(gemm.input[1]),
      matrix.shape.count == 2,
      let pool = node(giving: gemm.input[0], passing: ["Flatten", "Reshape", "Squeeze", "Identity", "Cast"]),
      pool.opType == "GlobalAveragePool", let maps = pool.input.first, reads(maps, features)
    else { return nil }
    let isTransposed = gemm.attribute.contains { $0.name == "transB" && $0.i == 1 }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return isTransposed
      ? PooledHead(weights: matrix.values, classes: rows, channels: columns)
      : PooledHead(weights: matrix.transposed, classes: columns, channels: rows)
  }

  /// The node that gives `value`, or the nearest one above it that is not one of the operators `passed`.
  private func node(giving value: String, passing passed: Set<String>) -> Onnx_NodeProto? {
    var value = value
    // A graph has no loops; a damaged file may.
    for _ in 0..<graph.node.count {
      guard let node = graph.node.first(where: { $0.output.contains(value) }) else { return nil }
      guard passed.contains(node.opType), let next = node.input.first else { return node }
      value = next
    }
    return nil
  }

  /// Whether `value` is the output `features`, or comes of the same value.
  private func reads(_ value: String, _ features: String) -> Bool {
    func origin(_ value: String) -> [String]? { node(giving: value, passing: ["Identity", "Cast"])?.output }
    return outputs.contains { $0.name == features } && origin(value) != nil && origin(value) == origin(features)
  }
}
