import MienCore
public import MienONNX

extension Sequential {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    var value = input
    var index = 0
    while index < layers.count {
      let layerPath = "\(path).layers.\(index)"
      if let map = layers[index] as? any LinearMap, index + 1 < layers.count,
        let norm = layers[index + 1] as? BatchNorm
      {
        value = try map.export(value, path: layerPath, foldedWith: norm, to: &graph)
        index += 2
      } else {
        value = try layers[index].export(value, path: layerPath, to: &graph)
        index += 1
      }
    }
    return value
  }
}

/// A layer whose output is linear in its weights and biases, with the weights' first dimension as channels.
///
/// Batch norm right after it in a ``Sequential`` is folded into the exported weights.
@TorchActor public protocol LinearMap: Layer {
  /// Adds the layer's nodes, with `norm` folded in, if any: see ``Layer/export(_:path:to:)`` and
  /// ``addConstants(weight:bias:path:foldedWith:to:)``.
  func export(
    _ input: String, path: String, foldedWith norm: BatchNorm?, to graph: inout ONNXGraphBuilder
  ) throws -> String
}

extension LinearMap {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    try export(input, path: path, foldedWith: nil, to: &graph)
  }

  /// Adds the weights and biases as constants, with batch norm folded in: `w' = w * s` and
  /// `b' = (b - mean) * s + offset`, `s = scale / sqrt(variance + epsilon)`.
  ///
  /// - Returns: the names of the constants; without biases and batch norm only that of the weights.
  public func addConstants(
    weight: Parameter, bias: Parameter?, path: String, foldedWith norm: BatchNorm?, to graph: inout ONNXGraphBuilder
  ) throws -> [String] {
    let shape = try weight.value.shape
    var weights = try weight.value.floats()
    var biases = try bias?.value.floats()
    if let norm {
      let affine = try norm.affine()
      let perOutput = weights.count / shape[0]
      for index in weights.indices { weights[index] *= affine.scale[index / perOutput] }
      biases = zip(biases ?? [Float](repeating: 0, count: shape[0]), zip(affine.scale, affine.offset)).map {
        $0 * $1.0 + $1.1
      }
    }
    var names = [try graph.constant("\(path).weight", shape: shape, values: weights)]
    if let biases { names.append(try graph.constant("\(path).bias", shape: [shape[0]], values: biases)) }
    return names
  }
}

extension Conv2d: LinearMap {
  /// Adds the layer's nodes.
  public func export(
    _ input: String, path: String, foldedWith norm: BatchNorm?, to graph: inout ONNXGraphBuilder
  ) throws -> String {
    let shape = try weight.value.shape
    let constants = try addConstants(weight: weight, bias: bias, path: path, foldedWith: norm, to: &graph)
    return graph.node(
      "Conv", [input] + constants,
      attributes: [
        "kernel_shape": .ints([shape[2], shape[3]]), "strides": .ints([stride, stride]),
        "pads": .ints([padding, padding, padding, padding]), "group": .int(groups),
      ])
  }
}

extension Linear: LinearMap {
  /// Adds the layer's nodes.
  public func export(
    _ input: String, path: String, foldedWith norm: BatchNorm?, to graph: inout ONNXGraphBuilder
  ) throws -> String {
    let constants = try addConstants(weight: weight, bias: bias, path: path, foldedWith: norm, to: &graph)
    return graph.node("Gemm", [input] + constants, attributes: ["transB": .int(1)])
  }
}

extension BatchNorm {
  /// The normalisation as `x * scale + offset` a channel, computed in double precision.
  fileprivate func affine() throws -> (scale: [Float], offset: [Float]) {
    let (weights, biases) = (try weight.value.floats(), try bias.value.floats())
    let (means, variances) = (try runningMean.value.floats(), try runningVariance.value.floats())
    let scale = zip(weights, variances).map { Double($0) / (Double($1) + epsilon).squareRoot() }
    let offset = zip(zip(biases, means), scale).map { Double($0.0) - Double($0.1) * $1 }
    return (scale.map(Float.init), offset.map(Float.init))
  }

  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let tensors = [
      ("weight", weight.value), ("bias", bias.value), ("mean", runningMean.value), ("variance", runningVariance.value),
    ]
    let constants = try tensors.map { name, tensor in
      try graph.constant("\(path).\(name)", shape: tensor.shape, values: tensor.floats())
    }
    return graph.node("BatchNormalization", [input] + constants, attributes: ["epsilon": .float(Float(epsilon))])
  }
}

extension ReLU {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    graph.node("Relu", [input])
  }
}

extension LeakyReLU {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    graph.node("LeakyRelu", [input], attributes: ["alpha": .float(Float(slope))])
  }
}

extension ParametricReLU {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let slopes = try graph.constant("\(path).slopes", shape: slopes.value.shape, values: slopes.value.floats())
    return graph.node("PRelu", [input, slopes])
  }
}

extension SiLU {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    graph.node("Mul", [input, graph.node("Sigmoid", [input])])
  }
}

extension GELU {
  /// Operator set 17 has no GELU of its own.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    func constant(_ name: String, _ value: Float) throws -> String {
      try graph.constant("\(path).\(name)", shape: [1], values: [value])
    }
    let root = try constant("root", Float(2).squareRoot())
    let one = try constant("one", 1)
    let half = try constant("half", 0.5)
    let erf = graph.node("Erf", [graph.node("Div", [input, root])])
    return graph.node("Mul", [graph.node("Mul", [input, graph.node("Add", [erf, one])]), half])
  }
}

extension Dropout {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String { input }
}

extension Flatten {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    graph.node("Flatten", [input], attributes: ["axis": .int(1)])
  }
}

extension Pool2d {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    var attributes: [String: ONNXGraphBuilder.Attribute] = [
      "kernel_shape": .ints([kernel, kernel]), "strides": .ints([stride, stride]),
      "pads": .ints([padding, padding, padding, padding]),
    ]
    if kind == .average { attributes["count_include_pad"] = .int(0) }
    return graph.node(kind == .max ? "MaxPool" : "AveragePool", [input], attributes: attributes)
  }
}

extension FractionalMaxPool2d {
  /// The largest of `kernel` gathered rows, then the same of columns: a maximum over a square is one over its sides.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let places = try (0..<kernel).map { offset in
      try graph.constant(
        "\(path).places.\(offset)", shape: [output], integers: inferenceStarts.map { Int64($0 + offset) })
    }
    var value = input
    for axis in [2, 3] {
      let taken = places.map { graph.node("Gather", [value, $0], attributes: ["axis": .int(axis)]) }
      value = graph.node("Max", taken)
    }
    return value
  }
}

extension GlobalMaxPool {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    let pooled = graph.node("GlobalMaxPool", [input])
    return graph.node("Flatten", [pooled], attributes: ["axis": .int(1)])
  }
}

extension GlobalAveragePool {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) -> String {
    let pooled = graph.node("GlobalAveragePool", [input])
    return graph.node("Flatten", [pooled], attributes: ["axis": .int(1)])
  }
}

extension Residual {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let bent = try body.export(input, path: "\(path).body", to: &graph)
    let straight = try shortcut?.export(input, path: "\(path).shortcut", to: &graph) ?? input
    return graph.node("Relu", [graph.node("Add", [bent, straight])])
  }
}

extension SqueezeExcite {
  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let mean = graph.node("Flatten", [graph.node("GlobalAveragePool", [input])], attributes: ["axis": .int(1)])
    let squeezed = graph.node("Relu", [try reduce.export(mean, path: "\(path).reduce", to: &graph)])
    let gate = graph.node("Sigmoid", [try expand.export(squeezed, path: "\(path).expand", to: &graph)])
    let channels = try expand.bias.value.shape[0]
    let shape = try graph.constant("\(path).shape", shape: [4], integers: [-1, Int64(channels), 1, 1])
    return graph.node("Mul", [input, graph.node("Reshape", [gate, shape])])
  }
}
