import CTorch
import MienCore

/// An n-dimensional array of libtorch, with automatic differentiation.
///
/// A tensor is a reference: operations give new ones, and only methods whose name says so change one in place.
/// Operations throw ``MienError`` of kind `native` with libtorch's message where shapes or types do not fit.
@TorchActor public final class Tensor {
  /// Element types.
  public enum ElementType: Sendable {
    case u8, i64, f32, bf16

    var native: mien_torch_type {
      switch self {
      case .u8: MIEN_TORCH_U8
      case .i64: MIEN_TORCH_I64
      case .f32: MIEN_TORCH_F32
      case .bf16: MIEN_TORCH_BF16
      }
    }

    init(_ native: mien_torch_type) {
      switch native {
      case MIEN_TORCH_U8: self = .u8
      case MIEN_TORCH_I64: self = .i64
      case MIEN_TORCH_BF16: self = .bf16
      default: self = .f32
      }
    }
  }

  /// How samples outside a picture are filled when it is warped.
  public enum Fill: String, Sendable, Codable, CaseIterable {
    /// Black.
    case constant
    /// The nearest border pixel.
    case nearest
    /// The picture mirrored at its border.
    case reflect

    var native: mien_torch_fill {
      switch self {
      case .constant: MIEN_TORCH_FILL_ZERO
      case .nearest: MIEN_TORCH_FILL_NEAREST
      case .reflect: MIEN_TORCH_FILL_REFLECT
      }
    }
  }

  /// Never reassigned; freeing it is safe on any thread, since libtorch counts references atomically.
  nonisolated(unsafe) let handle: OpaquePointer

  init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { mien_torch_free(handle) }

  typealias ErrorOut = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

  /// Calls a shim function and throws its message where it fails.
  nonisolated static func check(_ body: (ErrorOut) -> Int32) throws {
    var message: UnsafeMutablePointer<CChar>?
    guard body(&message) != 0 else { return }
    defer { mien_torch_string_free(message) }
    throw MienError(.native, "libtorch", message.map { String(cString: $0) } ?? "out of memory")
  }

  /// Calls a shim function that makes a tensor.
  static func make(_ body: (UnsafeMutablePointer<OpaquePointer?>, ErrorOut) -> Int32) throws -> Tensor {
    var result: OpaquePointer?
    try check { body(&result, $0) }
    guard let result else { throw MienError(.native, "libtorch", "no tensor was returned") }
    return Tensor(owning: result)
  }

  // MARK: Making and reading

  /// A tensor of `type` and `shape` with a copy of `bytes`, row-major.
  public convenience init(_ type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) throws {
    self.init(owning: try Self.copied(type, shape: shape, bytes: bytes))
  }

  /// An f32 tensor of `values`, row-major.
  public convenience init(_ values: [Float], shape: [Int]) throws {
    try self.init(.f32, shape: shape, copying: values)
  }

  /// An i64 vector.
  public convenience init(indices: some Collection<Int>) throws {
    try self.init(.i64, shape: [indices.count], copying: indices.map(Int64.init))
  }

  /// A u8 tensor of `bytes`, row-major.
  public convenience init(bytes: [UInt8], shape: [Int]) throws { try self.init(.u8, shape: shape, copying: bytes) }

  private convenience init<Element: BitwiseCopyable>(
    _ type: ElementType, shape: [Int], copying values: [Element]
  ) throws {
    let handle: OpaquePointer = try values.withUnsafeBytes { try Self.copied(type, shape: shape, bytes: $0) }
    self.init(owning: handle)
  }

  private static func copied(
    _ type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer
  ) throws -> OpaquePointer {
    var result: OpaquePointer?
    try check {
      mien_torch_from_bytes(
        type.native, shape.map(Int64.init), Int32(shape.count), bytes.baseAddress, Int64(bytes.count), &result, $0)
    }
    guard let result else { throw MienError(.native, "libtorch", "no tensor was returned") }
    return result
  }

  /// An f32 tensor filled with `value`.
  public static func full(_ shape: [Int], _ value: Float) throws -> Tensor {
    try make { mien_torch_full(shape.map(Int64.init), Int32(shape.count), value, $0, $1) }
  }

  /// The sizes, outermost first.
  public var shape: [Int] { get throws { try description.shape } }
  /// The element type.
  public var type: ElementType { get throws { try description.type } }

  private var description: (shape: [Int], type: ElementType) {
    get throws {
      var sizes = [Int64](repeating: 0, count: 8)
      var rank: Int32 = 0
      var type = MIEN_TORCH_F32
      try Self.check { mien_torch_shape(handle, &sizes, 8, &rank, &type, $0) }
      guard rank <= 8 else { throw MienError(.native, "libtorch", "a tensor of rank \(rank)") }
      return (sizes.prefix(Int(rank)).map(Int.init), ElementType(type))
    }
  }

  /// The elements of an f32 tensor, row-major.
  public func floats() throws -> [Float] { try elements(.f32, zero: Float(0)) }
  /// The elements of a u8 tensor, row-major.
  public func bytes() throws -> [UInt8] { try elements(.u8, zero: UInt8(0)) }

  private func elements<Element: BitwiseCopyable>(_ expected: ElementType, zero: Element) throws -> [Element] {
    let (shape, type) = try description
    guard type == expected else { throw MienError(.mismatch, nil, "expected \(expected) elements, found \(type)") }
    var values = [Element](repeating: zero, count: shape.reduce(1, *))
    try Self.check { error in
      values.withUnsafeMutableBytes { mien_torch_to_bytes(handle, $0.baseAddress, Int64($0.count), error) }
    }
    return values
  }

  /// The value of an f32 tensor of one element.
  public func scalar() throws -> Float {
    let values = try floats()
    guard values.count == 1 else { throw MienError(.mismatch, nil, "expected one value, found \(values.count)") }
    return values[0]
  }

  // MARK: Gradients

  /// Runs `body` with the recording of gradients on or off, and restores the mode before.
  public static func withGradients<Result>(_ enabled: Bool, _ body: () throws -> Result) throws -> Result {
    var previous: Int32 = 0
    try check { mien_torch_set_gradients(enabled ? 1 : 0, &previous, $0) }
    let result = Swift.Result { try body() }
    try check { mien_torch_set_gradients(previous, nil, $0) }
    return try result.get()
  }

  /// Asks for gradients of this tensor, which must have no history.
  public func requireGradientInPlace() throws {
    try Self.check { mien_torch_require_gradient_inplace(handle, $0) }
  }

  /// Back-propagates from this scalar.
  public func backward() throws { try Self.check { mien_torch_backward(handle, $0) } }

  /// The gradient that back-propagation left, if any.
  public var gradient: Tensor? {
    get throws {
      var result: OpaquePointer?
      try Self.check { mien_torch_gradient(handle, &result, $0) }
      return result.map(Tensor.init(owning:))
    }
  }

  /// The same elements without history; shares storage.
  public func detached() throws -> Tensor { try Self.make { mien_torch_detach(handle, $0, $1) } }

  /// Overwrites the elements with those of `source`, of the same shape, without history.
  public func copyInPlace(_ source: Tensor) throws {
    try Self.check { mien_torch_copy_inplace(handle, source.handle, $0) }
  }

  // MARK: Arithmetic

  /// Elementwise sum, with broadcasting.
  public func adding(_ other: Tensor) throws -> Tensor {
    try Self.make { mien_torch_add(handle, other.handle, $0, $1) }
  }
  /// Elementwise difference, with broadcasting.
  public func subtracting(_ other: Tensor) throws -> Tensor {
    try Self.make { mien_torch_subtract(handle, other.handle, $0, $1) }
  }
  /// Elementwise product, with broadcasting.
  public func multiplied(by other: Tensor) throws -> Tensor {
    try Self.make { mien_torch_multiply(handle, other.handle, $0, $1) }
  }
  /// Elementwise quotient, with broadcasting.
  public func divided(by other: Tensor) throws -> Tensor {
    try Self.make { mien_torch_divide(handle, other.handle, $0, $1) }
  }
  /// Each element, not negative, to the power `exponent`.
  public func power(_ exponent: Double) throws -> Tensor {
    try Self.make { mien_torch_power(handle, exponent, $0, $1) }
  }
  /// e to the power of each element.
  public func exponential() throws -> Tensor { try Self.make { mien_torch_exponential(handle, $0, $1) } }
  /// `self * scale + offset`.
  public func scaled(by scale: Float, offset: Float = 0) throws -> Tensor {
    try Self.make { mien_torch_affine(handle, scale, offset, $0, $1) }
  }
  /// Values limited to `range`.
  public func clamped(to range: ClosedRange<Float>) throws -> Tensor {
    try Self.make { mien_torch_clamp(handle, range.lowerBound, range.upperBound, $0, $1) }
  }
  /// The elements as another type.
  public func cast(to type: ElementType) throws -> Tensor {
    try Self.make { mien_torch_cast(handle, type.native, $0, $1) }
  }
  /// Softmax over dimension `dimension`.
  public func softmax(_ dimension: Int) throws -> Tensor {
    try Self.make { mien_torch_softmax(handle, Int64(dimension), $0, $1) }
  }
  /// Logarithm of softmax over dimension `dimension`.
  public func logSoftmax(_ dimension: Int) throws -> Tensor {
    try Self.make { mien_torch_log_softmax(handle, Int64(dimension), $0, $1) }
  }
  /// Logistic function.
  public func sigmoid() throws -> Tensor { try Self.make { mien_torch_sigmoid(handle, $0, $1) } }
  /// Rectifier.
  public func relu() throws -> Tensor { try Self.make { mien_torch_relu(handle, $0, $1) } }
  /// Sum over dimension `dimension`.
  public func sum(_ dimension: Int) throws -> Tensor {
    try Self.make { mien_torch_sum(handle, Int64(dimension), $0, $1) }
  }
  /// Sum of all elements, a scalar.
  public func sum() throws -> Tensor { try Self.make { mien_torch_sum_all(handle, $0, $1) } }
  /// Mean over `dimensions`, which stay with size 1 where `keep`.
  public func mean(_ dimensions: [Int], keep: Bool = false) throws -> Tensor {
    try Self.make { mien_torch_mean(handle, dimensions.map(Int64.init), Int32(dimensions.count), keep ? 1 : 0, $0, $1) }
  }

  // MARK: Shape

  /// The same elements in another shape; one size may be -1.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    try Self.make { mien_torch_reshape(handle, shape.map(Int64.init), Int32(shape.count), $0, $1) }
  }
  /// Dimensions in another order.
  public func permuted(_ order: [Int]) throws -> Tensor {
    try Self.make { mien_torch_permute(handle, order.map(Int64.init), Int32(order.count), $0, $1) }
  }
  /// Rows `indices` (i64) of dimension 0.
  public func rows(_ indices: Tensor) throws -> Tensor {
    try Self.make { mien_torch_take_rows(handle, indices.handle, $0, $1) }
  }
  /// Rows `range` of dimension 0; shares storage.
  public func rows(_ range: Range<Int>) throws -> Tensor {
    try Self.make { mien_torch_narrow(handle, Int64(range.lowerBound), Int64(range.count), $0, $1) }
  }
  /// The same [N, C, H, W] elements, stored with channels innermost, which convolutions on a CPU prefer.
  public func channelsLast() throws -> Tensor { try Self.make { mien_torch_channels_last(handle, $0, $1) } }

  /// Warps pictures [N, C, H, W] by one matrix an image, bilinear.
  ///
  /// - Parameters:
  ///   - theta: [N, 2, 3]; maps output to input coordinates, where -1 and 1 are the outer edges of the border pixels.
  ///   - fill: what stands outside the picture.
  ///   - side: height and width of the result; those of the pictures if `nil`.
  public func warped(_ theta: Tensor, fill: Fill, side: Int? = nil) throws -> Tensor {
    let shape = try shape
    guard shape.count == 4 else { throw MienError(.mismatch, nil, "expected pictures [N, C, H, W], found \(shape)") }
    return try Self.make {
      mien_torch_warp(
        handle, theta.handle, Int64(side ?? shape[2]), Int64(side ?? shape[3]), fill.native, $0, $1)
    }
  }

  /// Standard normal numbers of this tensor's shape; the draw is that of `seed` alone.
  public func normalNumbers(seed: UInt64) throws -> Tensor {
    try Self.make { mien_torch_normal_like(handle, seed, $0, $1) }
  }
}
