import CTorch
import MienCore

/// Settings of libtorch as a whole.
@TorchActor public enum Torch {
  /// Where tensors live and operations run.
  public enum Device: String, Sendable, CaseIterable { case cpu, cuda }

  /// What convolutions and matrix products compute in while training. Weights, gradients and optimisers are f32 in both.
  public enum Precision: String, Sendable, CaseIterable { case f32, bf16 }

  /// Chooses the device that tensors are made on, for the rest of the process. Call it before any tensor is made.
  ///
  /// - Parameters:
  ///   - precision: of what runs in ``withAutocast(_:)``; with `bf16`, all else on CUDA is in TF32. On a CPU bf16 is fast
  ///     only where the processor has instructions for it (`avx512_bf16`, `amx_bf16`). `nil` is bf16 on CUDA and f32 on a
  ///     CPU.
  ///   - autotune: on CUDA, let cuDNN time its algorithms for each new shape and keep the fastest.
  /// - Throws: ``MienError`` where libtorch's CUDA libraries (`libtorch_cuda.so`, searched as the dynamic linker does) or
  ///   a CUDA device are missing.
  public static func use(_ device: Device, precision: Precision? = nil, autotune: Bool = false) throws {
    let precision = precision ?? (device == .cuda ? .bf16 : .f32)
    try Tensor.check { mien_torch_use_bf16(precision == .bf16 ? 1 : 0, $0) }
    guard device == .cuda else { return }
    do { try Tensor.check { mien_torch_use_cuda(autotune ? 1 : 0, $0) } } catch let error
      as MienError
    {
      throw MienError(
        .native, "device cuda",
        "\(error.message). It needs an NVIDIA GPU and LD_LIBRARY_PATH naming the lib folders of torch "
          + "\(try version()) built for CUDA, and of its nvidia packages")
    }
  }

  /// Runs `body` with convolutions and matrix products in bf16, if ``use(_:precision:autotune:)`` chose that.
  public static func withAutocast<Result>(_ body: () throws -> Result) throws -> Result {
    try Tensor.check { mien_torch_set_autocast(1, $0) }
    let result = Swift.Result { try body() }
    try Tensor.check { mien_torch_set_autocast(0, $0) }
    return try result.get()
  }

  /// Sets how many threads an operation may use, and flushes denormal numbers to zero.
  ///
  /// - Throws: ``MienError`` where `threads` is not 1 to 4096.
  public static func configure(threads: Int) throws {
    guard (1...4096).contains(threads) else {
      throw MienError(.argument, "threads \(threads)", "expected 1 to 4096")
    }
    try Tensor.check { mien_torch_configure(Int32(threads), $0) }
  }

  /// Has the whole process keep freed memory, which makes training faster: a step's activations are tens of megabytes, and
  /// without this each step maps and clears them anew.
  ///
  /// It changes glibc's allocator for everything in the process, so it is for programs that only train: call it at the
  /// start of `main`. Mien's libraries never do.
  public nonisolated static func keepFreedMemory() throws {
    try Tensor.check { mien_torch_keep_freed_memory($0) }
  }

  /// libtorch's version, as `2.11.0`.
  public static func version() throws -> String {
    var text: UnsafeMutablePointer<CChar>?
    try Tensor.check { mien_torch_version(&text, $0) }
    defer { mien_torch_string_free(text) }
    return text.map { String(cString: $0) } ?? ""
  }
}
