import Foundation
import MienCore

/// How a model file keeps its weights, and how its layers are computed.
public enum ModelPrecision: String, Sendable, CaseIterable {
  /// 32-bit floats, as trained.
  case f32
  /// Weights as 16-bit floats, computed in 32-bit ones: half the size.
  case f16
  /// Weights and inputs of convolutions and linear layers as 8-bit integers, heads in 32-bit floats: a quarter of the
  /// size, and faster where the processor multiplies bytes.
  case int8
}

extension ONNXModel {
  /// The same graph with every weight of two or more dimensions as 16-bit floats, which a Cast node turns back.
  ///
  /// - Throws: ``MienError`` where a weight is beyond what 16 bits hold, or the file has no card.
  public func roundedToHalf() throws -> ONNXModel {
    try rewritten(by: "rounding to 16 bits") { graph in
      var casts: [Onnx_NodeProto] = []
      for index in graph.initializer.indices {
        guard let weights = Self.weights(graph.initializer[index]) else { continue }
        let name = graph.initializer[index].name
        let halves = weights.values.map(Float16.init)
        guard halves.allSatisfy(\.isFinite) else {
          throw MienError(.limit, name, "holds a weight beyond \(Float16.greatestFiniteMagnitude), the most of 16 bits")
        }
        graph.initializer[index] = Onnx_TensorProto(
          "\(name).f16", .float16, shape: weights.shape, words: halves.map(\.bitPattern.littleEndian))
        let float = Onnx_TensorProto.DataType.float.rawValue
        casts.append(Onnx_NodeProto("Cast", ["\(name).f16"], output: name, attributes: ["to": .int(float)]))
      }
      graph.node = casts + graph.node
    }
  }

  /// The same graph with convolutions and linear layers in 8-bit integers, as QuantizeLinear and DequantizeLinear nodes
  /// around them, which runtimes fuse (Jacob et al., CVPR 2018): weights symmetric with a scale an output (Krishnamoorthi,
  /// arXiv 1806.08342), inputs in 256 steps over their range.
  ///
  /// - Parameter inputRanges: by the name of a layer's weights, the least and the greatest number that the layer reads.
  ///   Layers that it does not name stay as they are.
  /// - Throws: ``MienError`` where a name is not that of the 32-bit float weights of a Conv, or of a Gemm with transB, or
  ///   the file has no card.
  public func quantized(inputRanges: [String: ClosedRange<Float>]) throws -> ONNXModel {
    try rewritten(by: "quantisation to 8 bits") { graph in
      var rest = inputRanges
      // One pair of nodes serves all layers that read a value, over the widest of their ranges.
      var ranges: [String: ClosedRange<Float>] = [:]
      for node in graph.node where Self.isQuantizable(node) {
        guard let range = rest[node.input[1]] else { continue }
        let known = ranges[node.input[0]] ?? range
        ranges[node.input[0]] =
          min(known.lowerBound, range.lowerBound)...max(known.upperBound, range.upperBound)
      }
      var nodes: [Onnx_NodeProto] = []
      var inputs: [String: String] = [:]
      for var node in graph.node {
        guard Self.isQuantizable(node), rest[node.input[1]] != nil,
          let range = ranges[node.input[0]],
          let index = graph.initializer.firstIndex(where: { $0.name == node.input[1] }),
          let weights = Self.weights(graph.initializer[index]), weights.values.allSatisfy(\.isFinite)
        else {
          nodes.append(node)
          continue
        }
        let (value, name) = (node.input[0], node.input[1])
        rest[name] = nil
        if inputs[value] == nil {
          let (scale, zero) = Self.steps(of: range)
          graph.initializer += [
            Onnx_TensorProto("\(value).scale", .float, shape: [], words: [scale.bitPattern.littleEndian]),
            Onnx_TensorProto("\(value).zero", .uint8, shape: [], words: [zero]),
          ]
          let parameters = ["\(value).scale", "\(value).zero"]
          nodes += [
            Onnx_NodeProto("QuantizeLinear", [value] + parameters, output: "\(value).u8"),
            Onnx_NodeProto("DequantizeLinear", ["\(value).u8"] + parameters, output: "\(value).quantized"),
          ]
          inputs[value] = "\(value).quantized"
        }
        let (bytes, scales) = Self.symmetric(weights)
        graph.initializer[index] = Onnx_TensorProto("\(name).int8", .int8, shape: weights.shape, words: bytes)
        graph.initializer.append(
          Onnx_TensorProto(
            "\(name).scale", .float, shape: [scales.count], words: scales.map(\.bitPattern.littleEndian)))
        nodes.append(
          Onnx_NodeProto(
            "DequantizeLinear", ["\(name).int8", "\(name).scale"], output: name, attributes: ["axis": .int(0)]))
        node.input[0] = inputs[value] ?? value
        nodes.append(node)
      }
      if let unknown = rest.keys.sorted().first {
        throw MienError(.mismatch, unknown, "is not the weights of a convolution or a linear layer of this graph")
      }
      graph.node = nodes
    }
  }

  private static func isQuantizable(_ node: Onnx_NodeProto) -> Bool {
    guard node.input.count >= 2 else { return false }
    return node.opType == "Conv"
      || (node.opType == "Gemm" && node.attribute.contains { $0.name == "transB" && $0.i == 1 })
  }

  /// The constant where it is of 32-bit floats along two or more axes, as weights are and biases are not.
  private static func weights(_ tensor: Onnx_TensorProto) -> GraphConstant? {
    guard tensor.dims.count >= 2, tensor.dataType == Int32(Onnx_TensorProto.DataType.float.rawValue) else { return nil }
    return GraphConstant(tensor)
  }

  /// Size of a step and the byte that stands for 0, where 0…255 cover `range` and 0.
  private static func steps(of range: ClosedRange<Float>) -> (scale: Float, zero: UInt8) {
    let (low, high) = (min(0, range.lowerBound), max(0, range.upperBound))
    let scale = (high - low) / 255
    guard scale.isFinite, scale > 0 else { return (1, 0) }
    return (scale, UInt8(min(255, max(0, (-low / scale).rounded()))))
  }

  /// Bytes and a scale for each index of the first axis: the weight furthest from 0 becomes 63 or -63. Processors without
  /// VNNI sum two products in 16 bits, which 2 * 255 * 63 fits and twice as much would not.
  private static func symmetric(_ weights: GraphConstant) -> (bytes: [Int8], scales: [Float]) {
    let count = weights.values.count / weights.shape[0]
    var bytes: [Int8] = []
    var scales: [Float] = []
    bytes.reserveCapacity(weights.values.count)
    for start in stride(from: 0, to: weights.values.count, by: count) {
      let row = weights.values[start..<(start + count)]
      let peak = row.reduce(0) { max($0, abs($1)) }
      let scale = peak > 0 ? peak / 63 : 1
      bytes += row.map { Int8(min(63, max(-63, ($0 / scale).rounded()))) }
      scales.append(scale)
    }
    return (bytes, scales)
  }

  /// The graph as `change` leaves it, under the same card, whose measurements then say that they were made before.
  private func rewritten(by what: String, _ change: (inout Onnx_GraphProto) throws -> Void) throws -> ONNXModel {
    var card = try card()
    for index in card.measurements.indices { card.measurements[index].note += "; measured before \(what)" }
    card.summary += " Its figures are from before \(what)."
    return try ONNXModel(message: changingGraph(change)).replacingCard(card)
  }
}
