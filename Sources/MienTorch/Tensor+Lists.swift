import CTorch
import MienCore

extension Tensor {
  /// Hands the handles of `tensors` to `body`, and keeps the tensors alive meanwhile.
  static func withHandles<Result>(
    _ tensors: [Tensor], _ body: (UnsafePointer<OpaquePointer?>, Int32) throws -> Result
  ) throws -> Result {
    let handles: [OpaquePointer?] = tensors.map(\.handle)
    return try withExtendedLifetime(tensors) {
      try handles.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { throw MienError(.argument, nil, "a list of tensors is empty") }
        return try body(base, Int32(buffer.count))
      }
    }
  }

  /// Drops the gradients of `tensors`.
  public static func clearGradientsInPlace(_ tensors: [Tensor]) throws {
    try withHandles(tensors) { handles, count in
      try check { mien_torch_clear_gradients_inplace(handles, count, $0) }
    }
  }

  /// Adds `scales[i] * tensors[i]` to the gradient of each tensor that has one.
  public static func addToGradientsInPlace(_ tensors: [Tensor], scales: [Double]) throws {
    guard tensors.count == scales.count else {
      throw MienError(.mismatch, nil, "\(scales.count) scales for \(tensors.count) tensors")
    }
    try withHandles(tensors) { handles, count in
      try check { mien_torch_add_to_gradients_inplace(handles, scales, count, $0) }
    }
  }

  /// Scales the gradients of `tensors` so that their joint L2 norm is at most `maximum`.
  public static func clipGradientsInPlace(_ tensors: [Tensor], maximumNorm: Double) throws {
    try withHandles(tensors) { handles, count in
      try check { mien_torch_clip_gradients_inplace(handles, count, maximumNorm, $0) }
    }
  }

  /// A step's loss and, for each head, how many rows count and how many of them are right, read in one go.
  ///
  /// - Parameters:
  ///   - loss: a scalar.
  ///   - logits: `[N, K]` a head.
  ///   - targets: `[N, K]` a head; a row of zeros does not count, and the right class is that of the largest target.
  public static func tally(
    loss: Tensor, logits: [Tensor], targets: [Tensor]
  ) throws -> (loss: Float, heads: [(counted: Int, right: Int)]) {
    guard logits.count == targets.count else {
      throw MienError(.mismatch, nil, "\(logits.count) heads cannot be held against \(targets.count) targets")
    }
    let values = try withHandles(logits) { logits, count in
      try withHandles(targets) { targets, _ in
        try make { mien_torch_tally(loss.handle, logits, targets, count, $0, $1) }
      }
    }.floats()
    return (values[0], stride(from: 1, to: values.count, by: 2).map { (Int(values[$0]), Int(values[$0 + 1])) })
  }

  /// `target += weight * (source - target)` for each pair, without history.
  public static func interpolateInPlace(_ targets: [Tensor], towards sources: [Tensor], weight: Double) throws {
    guard targets.count == sources.count else {
      throw MienError(.mismatch, nil, "\(targets.count) tensors cannot follow \(sources.count)")
    }
    try withHandles(targets) { targets, count in
      try withHandles(sources) { sources, _ in
        try check { mien_torch_lerp_inplace(targets, sources, count, weight, $0) }
      }
    }
  }
}
