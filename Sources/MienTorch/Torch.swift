import CTorch

/// Settings of libtorch as a whole.
@TorchActor public enum Torch {
  /// Sets how many threads an operation may use, flushes denormal numbers to zero, and has the process keep freed memory
  /// for the next step.
  public static func configure(threads: Int) throws {
    try Tensor.check { mien_torch_configure(Int32(threads), $0) }
  }

  /// libtorch's version, as `2.11.0`.
  public static func version() throws -> String {
    var text: UnsafeMutablePointer<CChar>?
    try Tensor.check { mien_torch_version(&text, $0) }
    defer { mien_torch_string_free(text) }
    return text.map { String(cString: $0) } ?? ""
  }
}
