import CTorch
import MienCore
public import MienONNX

/// Square pictures at another size, bilinear: `[N, C, from, from]` to `[N, C, to, to]`. The corners of the border pixels stay where
/// they are, and beyond the centres of border pixels these go on.
///
/// Shrinking takes the four nearest pixels only, and is for pictures without fine detail.
@TorchActor public final class Resize: Layer {
  /// The side that comes in.
  public let from: Int
  /// The side that goes out.
  public let to: Int

  /// A resizing layer.
  ///
  /// - Throws: ``MienError`` where a side is not 1 to 1,024.
  public init(from: Int, to: Int) throws {
    guard (1...1024).contains(from), (1...1024).contains(to) else {
      throw MienError(.argument, "Resize", "sides must be 1 to 1024, found \(from) and \(to)")
    }
    self.from = from
    self.to = to
  }

  /// Resizes `[N, C, from, from]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let shape = try input.shape
    guard shape.count == 4, shape[2] == from, shape[3] == from else {
      throw MienError(.mismatch, "Resize", "expected pictures of \(from)x\(from), found \(shape)")
    }
    guard from != to else { return input }
    let identity: [Float] = [1, 0, 0, 0, 1, 0]
    let theta = try Tensor(Array(repeatElement(identity, count: shape[0]).joined()), shape: [shape[0], 2, 3])
    return try input.warped(theta, fill: .nearest, side: to)
  }

  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    guard from != to else { return input }
    // Runtimes round the side down.
    let scale = (Float(to) / Float(from)).nextUp
    let scales = try graph.constant("\(path).scales", shape: [4], values: [1, 1, scale, scale])
    return graph.node(
      "Resize", [input, "", scales],
      attributes: ["mode": .string("linear"), "coordinate_transformation_mode": .string("half_pixel")])
  }
}

/// Zeros after the channels and at the bottom and right: `[N, C, H, W]` to `[N, C + channels, H + border, W + border]`.
@TorchActor public final class ZeroPad: Layer {
  /// Channels that are added.
  public let channels: Int
  /// Rows, and columns, that are added.
  public let border: Int

  /// A layer that adds so many zeros, at least 0.
  public init(channels: Int = 0, border: Int = 0) {
    self.channels = max(0, channels)
    self.border = max(0, border)
  }

  /// Pads `[N, C, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_pad(input.handle, Int64(channels), Int64(border), Int64(border), $0, $1) }
  }

  /// Adds the layer's nodes.
  public func export(_ input: String, path: String, to graph: inout ONNXGraphBuilder) throws -> String {
    let zeros = [0, 0, 0, 0, 0, channels, border, border].map(Int64.init)
    return graph.node("Pad", [input, try graph.constant("\(path).zeros", shape: [8], integers: zeros)])
  }
}
