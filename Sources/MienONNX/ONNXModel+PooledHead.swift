import Foundation

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
      gemm.opType == "Gemm", gemm.input.count >= 2, let matrix = constant(gemm.input[1]), matrix.shape.count == 2,
      let pool = node(giving: gemm.input[0], passing: ["Flatten", "Reshape", "Squeeze", "Identity", "Cast"]),
      pool.opType == "GlobalAveragePool", let maps = pool.input.first, reads(maps, features)
    else { return nil }
    let isTransposed = gemm.attribute.contains { $0.name == "transB" && $0.i == 1 }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    guard !isTransposed else { return PooledHead(weights: matrix.values, classes: rows, channels: columns) }
    let turned = (0..<columns).flatMap { column in (0..<rows).map { matrix.values[$0 * columns + column] } }
    return PooledHead(weights: turned, classes: columns, channels: rows)
  }

  /// The node that gives `value`, or the nearest one above it that is not one of the operators `passed`.
  private func node(giving value: String, passing passed: Set<String>) -> Onnx_NodeProto? {
    var value = value
    // A graph has no loops; a damaged file may.
    for _ in 0..<graphNodes.count {
      guard let node = graphNodes.first(where: { $0.output.contains(value) }) else { return nil }
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

  /// A constant of floats, through a cast.
  private func constant(_ name: String) -> (shape: [Int], values: [Float])? {
    guard let tensor = graphConstants.first(where: { $0.name == name }) else {
      guard let cast = graphNodes.first(where: { $0.output == [name] }), cast.opType == "Cast",
        let source = cast.input.first, source != name
      else { return nil }
      return graphConstants.contains { $0.name == source } ? constant(source) : nil
    }
    let shape = tensor.dims.map(Int.init)
    let bytes = [UInt8](tensor.rawData)
    let values: [Float]
    switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
    case .float:
      values = stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) })
      }
    case .float16:
      values = stride(from: 0, to: bytes.count - bytes.count % 2, by: 2).map {
        Self.float(half: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
      }
    default: return nil
    }
    guard shape.allSatisfy({ $0 > 0 }), shape.reduce(1, *) == values.count else { return nil }
    return (shape, values)
  }

  /// An IEEE 754 half-precision number.
  private static func float(half bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }
}
