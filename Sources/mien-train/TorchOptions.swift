import ArgumentParser
import Foundation
import MienTorch

/// `--device` and `--threads`: where libtorch computes.
struct TorchOptions: ParsableArguments {
  @Option(help: "Where to compute: cpu or cuda.")
  var device: Torch.Device = .cpu

  @Flag(help: "With --device cuda: compute in f32, not in bf16.")
  var fullPrecision = false

  @Flag(help: "With --device cuda: let cuDNN time its algorithms for each shape and keep the fastest.")
  var autotune = false

  @Option(help: ArgumentHelp("Threads for libtorch.", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    if threads < 1 { throw ValidationError("--threads must be at least 1.") }
    if device == .cpu, fullPrecision || autotune {
      throw ValidationError("--full-precision and --autotune need --device cuda.")
    }
  }

  /// Has libtorch compute there.
  ///
  /// - Throws: ``MienCore/MienError`` where there is no such device.
  func use() async throws {
    let (device, threads, fullPrecision, autotune) = (device, threads, fullPrecision, autotune)
    try await TorchActor.run {
      try Torch.use(device, fullPrecision: fullPrecision, autotune: autotune)
      try Torch.configure(threads: threads)
    }
  }
}
