import ArgumentParser
import Foundation
import MienTorch

/// `--device` and `--threads`: where libtorch computes.
struct TorchOptions: ParsableArguments {
  @Option(help: "Where to compute: cpu or cuda.")
  var device: Torch.Device = .cpu

  @Option(help: "Threads for libtorch.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    if threads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  /// Has libtorch compute there.
  ///
  /// - Throws: ``MienCore/MienError`` where there is no such device.
  func use() async throws {
    let (device, threads) = (device, threads)
    try await TorchActor.run {
      try Torch.use(device)
      try Torch.configure(threads: threads)
    }
  }
}
