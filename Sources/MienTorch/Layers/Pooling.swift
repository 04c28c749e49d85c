import CTorch
import MienCore

/// Largest or mean value of each window: `[N, C, H, W]` to `[N, C, H', W']`, `H' = (H + 2 padding - kernel) / stride + 1`.
@TorchActor public final class Pool2d: Layer {
  /// What is taken of a window.
  public enum Kind: String, Sendable, Codable {
    case max, average
  }

  /// What is taken of a window.
  public let kind: Kind
  /// Side of the window.
  public let kernel: Int
  /// Step between windows.
  public let stride: Int
  /// Border added at each side; it never wins and does not count.
  public let padding: Int

  /// A pooling layer.
  public init(_ kind: Kind, kernel: Int, stride: Int? = nil, padding: Int = 0) {
    self.kind = kind
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
  }

  /// Pools `[N, C, H, W]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let pool = kind == .max ? mien_torch_max_pool2d : mien_torch_average_pool2d
    return try Tensor.make { pool(input.handle, Int64(kernel), Int64(stride), Int64(padding), $0, $1) }
  }
}

/// Fractional max-pooling (Graham 2014): `[N, C, input, input]` to `[N, C, output, output]` for any `output` between
/// about half of `input` and `input` itself.
///
/// Windows of `kernel` overlap and start at `floor(α (i + u)) - floor(α u)`, `α = (input - kernel) / (output - 1)`, the
/// last at `input - kernel`. While training, `u` is drawn anew from 0..<1 for each map's rows and columns; at inference
/// it is 0.5, so that a face's result is its own alone and has an ONNX form.
@TorchActor public final class FractionalMaxPool2d: Layer {
  /// Side of the maps that come in.
  public let input: Int
  /// Side of the maps that go out.
  public let output: Int
  /// Side of the window.
  public let kernel: Int

  private static let inferenceSample: Float = 0.5

  /// A pooling layer between two sides.
  ///
  /// - Throws: ``MienError`` where `output` windows of `kernel` do not fit into `input`.
  public init(from input: Int, to output: Int, kernel: Int = 2) throws {
    guard kernel >= 1, output >= 1, output + kernel - 1 <= input else {
      throw MienError(
        .argument, "FractionalMaxPool2d", "\(output) windows of \(kernel) do not fit into a side of \(input)")
    }
    self.input = input
    self.output = output
    self.kernel = kernel
  }

  /// Where the windows start along either side at inference, `output` rising indices.
  public var inferenceStarts: [Int] {
    // In 32 bits, as libtorch computes them.
    let step = output > 1 ? Float(input - kernel) / Float(output - 1) : 0
    let sample = Self.inferenceSample
    return (0..<(output - 1)).map { Int((Float($0) + sample) * step) - Int(sample * step) } + [input - kernel]
  }

  /// Pools `[N, C, input, input]`.
  public func callAsFunction(_ maps: Tensor, _ pass: ForwardPass) throws -> Tensor {
    let shape = try maps.shape
    guard shape.count == 4, shape[2] == input, shape[3] == input else {
      throw MienError(.mismatch, "FractionalMaxPool2d", "expected maps of \(input)x\(input), found \(shape)")
    }
    let sampleShape = [shape[0], shape[1], 2]
    let samples =
      pass.isTraining
      ? try Tensor((0..<(shape[0] * shape[1] * 2)).map { _ in pass.random.uniform() }, shape: sampleShape)
      : try .full(sampleShape, Self.inferenceSample)
    return try Tensor.make {
      mien_torch_fractional_max_pool2d(maps.handle, Int64(kernel), Int64(output), samples.handle, $0, $1)
    }
  }
}

/// Mean over height and width: `[N, C, H, W]` to `[N, C]`.
@TorchActor public final class GlobalAveragePool: Layer {
  /// Averages whole maps.
  public init() {}

  /// Averages `[N, C, H, W]` to `[N, C]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor { try input.mean([2, 3]) }
}

/// Largest value over height and width: `[N, C, H, W]` to `[N, C]`. The gradient is shared evenly where several are
/// largest.
@TorchActor public final class GlobalMaxPool: Layer {
  /// Takes the maximum of whole maps.
  public init() {}

  /// Pools `[N, C, H, W]` to `[N, C]`.
  public func callAsFunction(_ input: Tensor, _ pass: ForwardPass) throws -> Tensor {
    try Tensor.make { mien_torch_maximum(input.handle, [2, 3], 2, $0, $1) }
  }
}
