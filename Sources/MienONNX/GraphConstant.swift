import Foundation

/// Numbers that stand in a graph.
struct GraphConstant {
  /// Sizes along the axes, each above 0; empty for a single number.
  let shape: [Int]
  /// As many as ``shape`` says, row-major.
  let values: [Float]

  /// The values of a matrix, column by column.
  var transposed: [Float] {
    let (rows, columns) = (shape[0], shape[1])
    return (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
  }

  /// Decodes 32 or 16-bit floats; nil where the tensor is of another type, or does not hold what its shape says.
  init?(_ tensor: Onnx_TensorProto) {
    let type = Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType))
    let bytes = tensor.rawData
    // The sizes are the file's word: neither a product nor a number of values is taken on trust.
    var size = type == .float ? MemoryLayout<UInt32>.size : MemoryLayout<UInt16>.size
    for length in tensor.dims {
      let (product, overflows) = size.multipliedReportingOverflow(by: Int(length))
      guard length > 0, !overflows else { return nil }
      size = product
    }
    guard size == bytes.count else { return nil }
    switch type {
    case .float: values = Self.words(of: bytes, UInt32.self).map { Float(bitPattern: $0) }
    case .float16: values = Self.words(of: bytes, UInt16.self).map { Float(Float16(bitPattern: $0)) }
    default: return nil
    }
    shape = tensor.dims.map(Int.init)
  }

  /// Little-endian words one after another.
  private static func words<Word: FixedWidthInteger & BitwiseCopyable>(of bytes: Data, _: Word.Type) -> [Word] {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: MemoryLayout<Word>.size).map {
        Word(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Word.self))
      }
    }
  }
}

extension ONNXModel {
  /// The 32 or 16-bit floats that stand in the graph as `name`: their shape and their values, row-major; `nil` if there
  /// are none, as for weights in 8 bits.
  package func constant(_ name: String) -> (shape: [Int], values: [Float])? {
    graph.constant(name).map { ($0.shape, $0.values) }
  }

  /// The names of the graph's tensors as nodes read them, whatever their type.
  package var constantNames: [String] {
    graph.initializer.map { tensor in
      tensor.name.hasSuffix(".f16") ? String(tensor.name.dropLast(4)) : tensor.name
    }
  }
}

extension Onnx_GraphProto {
  /// The 32 or 16-bit floats called `name`, through casts; nil where there are none, or they are damaged.
  func constant(_ name: String) -> GraphConstant? {
    var name = name
    // A graph has no loops; a damaged file may.
    for _ in 0...node.count {
      if let tensor = initializer.first(where: { $0.name == name }) { return GraphConstant(tensor) }
      guard let cast = node.first(where: { $0.output.first == name }), cast.opType == "Cast",
        let source = cast.input.first
      else { return nil }
      name = source
    }
    return nil
  }
}
